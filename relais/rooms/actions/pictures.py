"""Keeping a picture of the call: the one that was agreed to, by the one who asked, once."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from relais.core.actor import Actor
from relais.core.errors import Refused
from relais.rooms.models import Capture
from relais.rooms.permissions import holder


@transaction.atomic
def keep_capture(*, actor: Actor, about: UUID, capture_id: UUID | None) -> Capture:
    """Use up the agreement to one picture in the room of `about`; the caller keeps the picture in this transaction (TC-42).

    Raises Refused when nobody agreed to it, when another host had asked, and the second time.
    """
    agreed = Capture.objects.select_for_update(of=("self",)).filter(
        subject__room__about=about, asked_by__holder_id=holder(actor), agreed=True
    )
    capture = agreed.filter(pk=capture_id).first() if capture_id else None
    if capture is None:
        raise Refused(_("La personne n’a pas donné son accord pour cette image : rien n’est gardé."))
    if capture.kept_at:
        raise Refused(_("Cette image est déjà dans le dossier. Pour une autre, demandez un nouvel accord."))
    capture.kept_at = timezone.now()
    capture.save(update_fields=["kept_at"])
    return capture
