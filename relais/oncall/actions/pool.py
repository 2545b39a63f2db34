"""Who answers for a service: added and taken out by its referents, followed when they leave."""

from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from relais.accounts.models import Membership
from relais.audit import actions as audit
from relais.core import live
from relais.core.actor import Actor
from relais.core.errors import NotFound, Refused
from relais.core.transactions import whole
from relais.directory.models import Service
from relais.oncall import changes
from relais.oncall import permissions as may
from relais.oncall.models import POOL_ROLES, PoolMember


def topic(service_id: UUID) -> str:
    """The live topic of a rota."""
    return f"oncall:{service_id}"


def lock(service: Service) -> Service:
    """One writer of a rota at a time: what is checked before a write still holds after it."""
    return Service.objects.select_for_update(of=("self",), no_key=True).get(pk=service.pk)


def changed(actor: Actor, service_id: UUID, act: str, why: str = "") -> None:
    """The end of every action here: the trace, the live ping, and what must follow."""
    audit.record(actor=actor, action=f"oncall.{act}", about=service_id, why=why)
    live.ping(topic(service_id))
    changes.tell(service_id)


@whole
def add_member(*, actor: Actor, service: Service, membership: Membership) -> PoolMember:
    """Let a practitioner or a caregiver, here or elsewhere, answer for the service; once.

    From now on they see what the service is asked. Raises NotFound for who does not manage it, Refused for who does not
    work there as one of these.
    """
    if not may.can_manage(actor, service):
        raise NotFound
    works = membership.ended_at is None and membership.user.is_active and membership.establishment.active
    if not works or membership.role not in POOL_ROLES:
        raise Refused(_("Seuls les praticiens et les soignants répondent pour un service."), field="membership")
    lock(service)
    here = PoolMember.objects.filter(service=service, user_id=membership.user_id, until=None).first()
    if here and here.establishment_id == membership.establishment_id:
        return here
    if here and PoolMember.objects.at_work().filter(pk=here.pk).exists():
        raise Refused(_("Cette personne répond déjà pour ce service, au nom d’un autre établissement."))
    if here:  # they left that establishment: the old place ends
        PoolMember.objects.filter(pk=here.pk).update(until=timezone.now())
    made = PoolMember.objects.create(
        service=service, user_id=membership.user_id, establishment_id=membership.establishment_id
    )
    changed(actor, service.pk, "member_added", str(membership.user_id))
    return made


@whole
def remove_member(*, actor: Actor, service: Service, member: PoolMember) -> None:
    """They answer for it no more; their slots are shown as without a doctor until the referent gives them to another.

    Raises NotFound for who does not manage it, Refused for the last one: nobody would see what the service is asked.
    """
    if not may.can_manage(actor, service) or member.service_id != service.pk:
        raise NotFound
    lock(service)
    if PoolMember.objects.filter(pk=member.pk, until=None).update(until=timezone.now()) == 0:
        return
    if service.active and not PoolMember.objects.filter(service=service).at_work().exists():
        raise Refused(
            _(
                "Cette personne est la dernière à répondre pour ce service : ajoutez d’abord quelqu’un, ou retirez le "
                "service de l’annuaire."
            )
        )
    changed(actor, service.pk, "member_removed", str(member.user_id))


def follow_departure(actor: Actor, user_id: UUID) -> None:
    """Somebody left an establishment or changed role: the rotas that they stand in are looked at again."""
    pools = PoolMember.objects.filter(user_id=user_id, until=None).order_by("service_id")
    for service_id in pools.values_list("service_id", flat=True):
        live.ping(topic(service_id))
        changes.tell(service_id)
