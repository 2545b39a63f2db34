"""Who may do what in a request, in sentences. `demand` is the row of one."""

from datetime import datetime
from typing import Any

from django.apps import apps
from django.conf import settings

from relais.accounts.models import Membership
from relais.core.actor import SYSTEM, Actor
from relais.directory.models import NURSING_HOMES, Establishment, Need
from relais.dossiers.models import Participant
from relais.oncall.models import PoolMember
from relais.patients.models import CareLink
from relais.rooms.models import Invitation

CLINICAL = ("practitioner", "caregiver")
MANAGER = "manager"
HOMES = NURSING_HOMES  # what asks for support
MOVED, ELSEWHERE = LEFT = ("home", "elsewhere")  # kinds of departure of somebody who lives on
ANSWERING = (Need.GERIATRIC, Need.NIGHT, Need.SAMU)  # services that answer them


def can_read(actor: Actor) -> bool:
    """Practitioners and caregivers read requests; secretaries and managers never do."""
    return actor.is_professional and actor.has_role(*CLINICAL)


def can_watch(actor: Actor) -> bool:
    """Managers see the requests that nobody has, of their nursing home and of the services that they keep: no resident."""
    return actor.is_professional and actor.establishment_id is not None and actor.has_role(MANAGER)


def in_home(actor: Actor, demand: Any) -> bool:
    """The clinical staff of the nursing home that asks."""
    return can_read(actor) and actor.establishment_id == demand.dossier.establishment_id


def can_start(actor: Actor, establishment: Any) -> bool:
    """The clinical staff of a nursing home asks for support, where the region lets nursing homes write."""
    return (
        settings.NURSING_HOMES_WRITE
        and can_read(actor)
        and actor.establishment_id == establishment.pk
        and establishment.kind in HOMES
    )


def can_write(actor: Actor, demand: Any) -> bool:
    """The clinical staff of the nursing home that asks, where the region lets nursing homes write."""
    return bool(settings.NURSING_HOMES_WRITE) and in_home(actor, demand)


def only_system(actor: Actor, demand: Any) -> bool:
    """What follows a departure or a death."""
    return actor.kind == SYSTEM


def can_tell_departure(actor: Actor, demand: Any) -> bool:
    """The nursing home that may write, or the practitioner who has the request, says that the resident left or died."""
    return can_write(actor, demand) or can_decide(actor, demand)


def can_ask(actor: Actor) -> bool:
    """Practitioners who answer for nursing homes see the page on which one makes their requests."""
    if not actor.has_role("practitioner"):
        return False
    return PoolMember.objects.of(actor).filter(service__active=True, service__need__in=ANSWERING).exists()


def can_ask_for(actor: Actor, establishment: Any) -> bool:
    """A practitioner who answers in the department of a nursing home makes its request, after the telephone call."""
    return establishment.kind in HOMES and establishment.department in departments_asked(actor)


def departments_asked(actor: Actor) -> set[str]:
    """Those where a practitioner answers."""
    if not actor.has_role("practitioner"):
        return set()
    held = PoolMember.objects.of(actor).filter(service__active=True, service__need__in=ANSWERING)
    lists = held.order_by().values_list("service__departments", flat=True)
    return {department for departments in lists for department in departments}


def can_speak(actor: Actor, demand: Any) -> bool:
    """The nursing home that asks, where it may write; the practitioner who made the request for it writes what the home says
    on the telephone, and so does whoever has it in hand where the home reads only."""
    if can_write(actor, demand):
        return True
    writes = (
        {demand.dossier.opened_by}
        if settings.NURSING_HOMES_WRITE
        else {demand.dossier.opened_by, demand.responsible_id}
    )
    return actor.user_id in writes and can_take(actor, demand)


def can_complete(actor: Actor, demand: Any) -> bool:
    """Whoever speaks for the nursing home completes what left in haste."""
    return can_speak(actor, demand)


def answers(actor: Actor, demand: Any) -> bool:
    """Whoever answers for a service that takes part in the request."""
    mine = PoolMember.objects.of(actor).serve("service_id")
    return can_read(actor) and Participant.objects.filter(mine, dossier=demand.dossier_id, until=None).exists()


def can_take(actor: Actor, demand: Any) -> bool:
    """A practitioner who answers for a service that takes part."""
    return actor.has_role("practitioner") and answers(actor, demand)


def can_decide(actor: Actor, demand: Any) -> bool:
    """The practitioner who has the request in hand, as long as they answer for a service that takes part."""
    return demand.responsible_id is not None and demand.responsible_id == actor.user_id and can_take(actor, demand)


def can_redirect(actor: Actor, demand: Any) -> bool:
    """The nursing home, or whoever answers for a service that takes part, calls the SAMU in as long as no SAMU has it."""
    waits = demand.state in ("soumise", "transferee") or demand.responsible_id is None
    if not waits and demand.service is not None and demand.service.need == Need.SAMU:
        return False
    return can_write(actor, demand) or answers(actor, demand)


def can_close(actor: Actor, demand: Any) -> bool:
    """The practitioner who has it in hand, or the nursing home with a reason once the opinion is given."""
    advised = demand.state in ("avis-rendu", "a-reevaluer", "orientation-en-cours", "cloturee")
    return can_decide(actor, demand) or (advised and can_write(actor, demand))


def still_welcome(invitation: Invitation) -> bool:
    """Asked at each request of a room: in that of a request, as long as it is open, are the clinical staff of the nursing home
    and whoever answers for a service that takes part, in the name of the establishment from which they came."""
    demand = apps.get_model("liaison", "Request").objects.filter(pk=invitation.room.about).first()
    if demand is None:
        return True  # of another workflow
    if demand.state in ("brouillon", "cloturee", "annulee"):
        return False
    here = {"user_id": invitation.holder_id, "establishment_id": invitation.establishment_id}
    if not Membership.objects.at_work(CLINICAL).filter(**here).exists():
        return False
    taking_part = Participant.objects.filter(dossier=demand.pk, until=None).exclude(service=None).values("service_id")
    there = PoolMember.objects.filter(**here, service__in=taking_part).at_work()
    return bool(demand.establishment_id == invitation.establishment_id or there.exists())


def can_exchange(actor: Actor, demand: Any) -> bool:
    """Whoever answers for a service that takes part writes notes, and the nursing home where it may write."""
    return can_write(actor, demand) or answers(actor, demand)


def knows_resident(actor: Actor, patient: Any) -> bool:
    """The clinical staff of a nursing home in whose care the resident is, or was until they left."""
    return (
        can_read(actor)
        and CareLink.objects.live().filter(patient=patient, establishment_id=actor.here).exists()
        and Establishment.objects.filter(pk=actor.here, kind__in=HOMES).exists()
    )


def has_left(actor: Actor, patient: Any, *kinds: str) -> bool:
    """The resident left the actor's nursing home in one of these ways, and did not come back."""
    gone = apps.get_model("liaison", "Departure").objects.lasting()
    return bool(gone.filter(demand__patient=patient, demand__establishment=actor.here, kind__in=kinds).exists())


def moved_at(actor: Actor, patient: Any) -> datetime | None:
    """When the actor's nursing home said that the resident left it for another, from which they did not come back: it
    reads nothing that others wrote since."""
    gone = apps.get_model("liaison", "Departure").objects.lasting()
    gone = gone.filter(demand__patient=patient, demand__establishment=actor.here, kind=MOVED)
    said: datetime | None = gone.order_by("-created_at").values_list("created_at", flat=True).first()
    return said


def lives_here(actor: Actor, patient: Any) -> bool:
    """The clinical staff of the nursing home in whose care the resident is and which they did not leave; it stays that of a
    resident who died there."""
    return knows_resident(actor, patient) and not has_left(actor, patient, *LEFT)


def can_keep_dlu(actor: Actor, patient: Any) -> bool:
    """The clinical staff of the resident's nursing home writes the DLU, where the region lets nursing homes write."""
    return bool(settings.NURSING_HOMES_WRITE) and lives_here(actor, patient)


def can_send_off(actor: Actor, patient: Any) -> bool:
    """Whoever keeps the DLU of a resident fills their transfer sheet."""
    return can_keep_dlu(actor, patient)


def can_take_back(actor: Actor, transfer: Any) -> bool:
    """The resident's nursing home writes the return, that which filled the sheet too unless they entered another home since,
    or whoever answers for a service that takes part in the request."""
    if can_keep_dlu(actor, transfer.patient) or (transfer.demand is not None and answers(actor, transfer.demand)):
        return True
    filled = bool(settings.NURSING_HOMES_WRITE) and actor.establishment_id == transfer.establishment_id
    return filled and knows_resident(actor, transfer.patient) and not has_left(actor, transfer.patient, MOVED)
