"""For which nursing homes an on-call answers first, and which other one stands in."""

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from relais.core.actor import Actor
from relais.core.errors import NotFound, Refused
from relais.core.transactions import whole
from relais.directory.models import Establishment, Kind, Need, Service
from relais.oncall import permissions as may
from relais.oncall.actions.pool import changed, lock
from relais.oncall.models import Cover


@whole
def attach(*, actor: Actor, service: Service, home: Establishment, backup: Service | None = None) -> Cover:
    """This on-call answers for the nursing home by day; `backup` stands in. Again: another one stands in.

    Raises NotFound for who does not manage the service, Refused for what is no nursing home of its departments, one that
    another on-call answers for, and a `backup` that does not serve it.
    """
    if not may.can_attach(actor, service):
        raise NotFound
    lock(service)
    if home.kind != Kind.EHPAD or not home.active:
        raise Refused(_("Seul un EHPAD est rattaché à une astreinte."), field="home")
    if home.department not in service.departments:
        raise Refused(_("Cet EHPAD n’est pas dans un département que le service dessert."), field="home")
    if backup and (backup == service or not _stands_in(backup)):
        raise Refused(_("Choisissez en second une autre astreinte gériatrique."), field="backup")
    there = Cover.objects.select_related("primary").filter(establishment=home).first()
    if there and there.primary_id != service.pk:
        raise Refused(
            _("Cet EHPAD est déjà rattaché à « %(name)s » : son référent doit d’abord l’en retirer.")
            % {"name": there.primary.name},
            field="home",
        )
    if there:
        there.backup = backup
        there.save(update_fields=["backup"])
    else:
        there = _created(home, service, backup)
    changed(actor, service.pk, "attached", str(home.pk))
    return there


def _stands_in(service: Service) -> bool:
    return service.need == Need.GERIATRIC and service.active


def _created(home: Establishment, service: Service, backup: Service | None) -> Cover:
    try:
        with transaction.atomic():
            return Cover.objects.create(establishment=home, primary=service, backup=backup)
    except IntegrityError:
        raise Refused(_("Cet EHPAD vient d’être rattaché à une autre astreinte.")) from None


@whole
def detach(*, actor: Actor, service: Service, home: Establishment) -> None:
    """The nursing home is answered by the on-calls of its department, until one takes it. Raises NotFound."""
    if not may.can_attach(actor, service):
        raise NotFound
    lock(service)
    gone, _rows = Cover.objects.filter(establishment=home, primary=service).delete()
    if gone:
        changed(actor, service.pk, "detached", str(home.pk))
