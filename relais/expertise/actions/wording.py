"""The recommended texts of a service."""

from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from relais.core.actor import Actor
from relais.core.errors import NotFound, Refused
from relais.core.transactions import whole
from relais.directory.models import Service
from relais.expertise import permissions as may
from relais.expertise.models import Wording

MOST = 50


@whole
def add(*, actor: Actor, service: Service, title: str, conclusion: str, conduct: str) -> Wording:
    """A text that the experts of this service may insert. Raises NotFound for others, Refused for one without words."""
    if not may.can_word(actor, service):
        raise NotFound
    if not conclusion.strip() and not conduct.strip():
        raise Refused(_("Écrivez une conclusion ou une conduite à tenir."), field="conclusion")
    if Wording.objects.filter(service=service).count() >= MOST:
        raise Refused(_("Cinquante textes au plus : retirez-en un."))
    try:
        with transaction.atomic():
            return Wording.objects.create(
                service=service, title=title.strip(), conclusion=conclusion.strip(), conduct=conduct.strip()
            )
    except IntegrityError:
        raise Refused(_("Un texte porte déjà ce titre."), field="title") from None


@whole
def remove(*, actor: Actor, wording_id: UUID) -> UUID:
    """Take a text away; the id of its service. Opinions already written keep their words."""
    found = Wording.objects.select_related("service").filter(pk=wording_id).first()
    if found is None or not may.can_word(actor, found.service):
        raise NotFound
    found.delete()
    return UUID(str(found.service_id))
