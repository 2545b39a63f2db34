"""Who has a request, at every second: asked in turn until somebody takes it, never nobody without an alarm (FG-08)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from relais.accounts.models import User
from relais.core.actor import SYSTEM_ACTOR, Actor
from relais.core.errors import NotFound, Refused
from relais.core.transactions import whole
from relais.directory.models import Need, Service
from relais.dossiers import actions as dossiers
from relais.dossiers.models import Participant
from relais.liaison import messages
from relais.liaison import permissions as may
from relais.liaison.actions.states import lock, move, tell_pages
from relais.liaison.models import HandOver, Request
from relais.liaison.queries.people import told_of
from relais.liaison.queries.request import services_for
from relais.liaison.workflow import OPEN, WAITING, State
from relais.oncall.models import PoolMember
from relais.oncall.queries import Duty, on_duty, route

ASKED = "asked"  # role in the dossier of a service that takes part
TEXT_MAX = 2000  # characters of each text of a hand-over


def key_of(duty: Duty) -> UUID:
    """Under which somebody who was asked is remembered: the doctor, or the service whose line answers."""
    return duty.user.pk if duty.user else duty.service.pk


def owner(user: User | None, now: datetime) -> dict[str, Any]:
    """The fields of an owner: a doctor, or nobody since now."""
    return {"responsible": user, "unowned_since": None if user else now}


def next_of(demand: Request, now: datetime) -> Duty | None:
    """The first of the nursing home's route who was not asked yet; of one that was passed to the SAMU, the SAMU first."""
    found = route(demand.establishment, now)
    if demand.state == State.TO_SAMU:
        found.sort(key=lambda duty: duty.service.need != Need.SAMU)
    return next((duty for duty in found if key_of(duty) not in demand.asked), None)


def join(actor: Actor, demand: Request, service: Service) -> None:
    """Whoever answers for this service sees the request and its resident."""
    dossiers.add_service(actor=actor, dossier=demand.dossier, service=service, role=ASKED)


def line_of(service: Service | None, user: User | None, now: datetime) -> str:
    """Where the owner of a request is called: by the telephone of their duty there, else by the line of the service."""
    if service is None:
        return ""
    return next((duty.phone for duty in on_duty(service, now) if user and duty.user == user), "") or service.phone


def asking(demand: Request, duty: Duty | None, now: datetime) -> dict[str, Any]:
    """The fields of a request that asks this one; of one that asks nobody, an alarm."""
    since = demand.unowned_since or now
    if duty is None:
        return owner(None, since)
    return {
        **owner(duty.user, since),
        "service": duty.service,
        "line": duty.phone or duty.service.phone,
        "asked_at": now,
        "asked": [*demand.asked, key_of(duty)],
        "late_told_at": None,
    }


def held_by(actor: Actor, demand: Request, now: datetime) -> dict[str, Any]:
    """The fields of a request that its doctor makes: theirs from the first second, nobody else is asked."""
    service = _mine(actor, demand)
    line = service.phone if service else ""
    return {
        **owner(User.objects.get(pk=actor.me), now), "service": service, "line": line, "asked_at": now, "asked": [],
    }  # fmt: skip


def samu_of(department: str) -> Service | None:
    """The SAMU of a department."""
    found = Service.objects.filter(need=Need.SAMU, departments__contains=[department], active=True)
    return found.filter(establishment__active=True).order_by("name", "id").first()


def join_samu(actor: Actor, demand: Request) -> Service | None:
    """The SAMU of the department takes part, without a word. None: the directory knows none."""
    service = samu_of(demand.establishment.department)
    if service:
        join(actor, demand, service)
    return service


def call_in_samu(actor: Actor, demand: Request) -> Service | None:
    """The SAMU of the department takes part; who is on duty there, else its whole pool, is told (FG-R1).

    None: the directory knows none.
    """
    service = join_samu(actor, demand)
    if service:
        _tell_service(demand, service, timezone.now())
    return service


def told(demand: Request) -> None:
    """The doctor who is asked gets a message."""
    if demand.responsible:
        messages.tell(messages.ASKED, demand, demand.responsible)


def drop_hand_overs(demand: Request, now: datetime) -> None:
    """A request that changed hands, or ended, is handed over no more."""
    HandOver.objects.filter(demand=demand, accepted_at=None, dropped_at=None).update(dropped_at=now)


def add_to_hand_over(demand: Request, text: str) -> None:
    """What is known since a hand-over was proposed stands first in its assessment.

    It stays proposed: its alarm goes on, and what the doctor who leaves wrote is kept.
    """
    for found in HandOver.objects.select_for_update(of=("self",)).filter(
        demand=demand, accepted_at=None, dropped_at=None
    ):
        found.assessment = f"{text}\n{found.assessment}"[:TEXT_MAX]
        found.save(update_fields=["assessment"])


@whole
def take(*, actor: Actor, demand: Request) -> Request:
    """Take a request that waits; of two doctors in the same second one has it, the other reads who."""
    now = timezone.now()
    locked = lock(actor, demand.pk)
    if not may.can_take(actor, locked):
        raise NotFound
    if locked.state not in WAITING and locked.responsible_id and locked.responsible_id != actor.user_id:
        raise Refused(
            _("%(who)s a déjà cette demande en charge. Pour la prendre à sa place : « Reprendre cette demande ».")
            % {"who": locked.responsible.full_name if locked.responsible else ""}
        )
    drop_hand_overs(locked, now)
    service, user = _mine(actor, locked), User.objects.get(pk=actor.me)
    return move(
        actor=actor, demand=locked, verb="take", service=service, line=line_of(service, user, now) or locked.line,
        asked=[], late_told_at=None, taken_at=locked.taken_at or now, **owner(user, now),
    )  # fmt: skip


@whole
def take_over(*, actor: Actor, demand: Request) -> Request:
    """Another doctor who answers for a service that takes part takes over what is in hand already; the state stays."""
    now = timezone.now()
    locked = lock(actor, demand.pk)
    if not may.can_take(actor, locked) or locked.state not in OPEN:
        raise NotFound
    if locked.responsible_id == actor.user_id:
        return locked
    if locked.state in WAITING:
        raise Refused(_("Cette demande attend : prenez-la en charge."))
    before = locked.responsible_id
    locked.service = _mine(actor, locked)
    _own(locked, User.objects.get(pk=actor.me), now)
    dossiers.record(locked.dossier, "taken_over", actor, before=str(before or ""), responsible=str(actor.me))
    tell_pages(locked)
    return locked


def _own(demand: Request, user: User | None, now: datetime) -> None:
    """Change the owner of a request whose state stays, without a word."""
    drop_hand_overs(demand, now)
    for name, value in owner(user, now).items():
        setattr(demand, name, value)
    demand.line = line_of(demand.service, user, now) or demand.line
    demand.save(update_fields=["responsible", "unowned_since", "service", "line"])


def _mine(actor: Actor, demand: Request) -> Service | None:
    """The service in whose name the actor acts: the one that is asked, else the first that takes part."""
    mine = Participant.objects.filter(PoolMember.objects.of(actor).serve("service_id"), dossier=demand.pk, until=None)
    services = [one.service for one in mine.select_related("service").order_by("created_at", "id")]
    return next((one for one in services if one and one.pk == demand.service_id), services[0] if services else None)


@whole
def transfer(*, actor: Actor, demand: Request, service: Service) -> Request:
    """Pass a request to another service; it stays with the doctor who passes it until somebody there takes it.

    Raises Refused for a service that is none of `services_for`: closed, of another department, or the one that has it.
    """
    now = timezone.now()
    locked = lock(actor, demand.pk)
    if not may.can_decide(actor, locked):
        raise NotFound
    if service not in services_for(locked):
        raise Refused(_("Ce service ne prend pas cette demande : choisissez-en un autre."), field="service")
    join(actor, locked, service)
    drop_hand_overs(locked, now)
    moved = move(
        actor=actor, demand=locked, verb="transfer", service=service, line=service.phone, asked_at=now, asked=[],
        late_told_at=None,
    )  # fmt: skip
    _tell_service(moved, service, now)
    return moved


@whole
def redirect(*, actor: Actor, demand: Request) -> Request:
    """Pass a request to the SAMU of the department; whoever has it keeps it until a doctor there takes it.

    One that nobody took yet goes on asking in turn.
    """
    now = timezone.now()
    locked = lock(actor, demand.pk)
    if not may.can_redirect(actor, locked):
        raise NotFound
    service = call_in_samu(actor, locked)
    if service is None:
        raise Refused(_("L’annuaire ne connaît pas le SAMU de ce département : appelez le 15."))
    drop_hand_overs(locked, now)
    return move(
        actor=actor, demand=locked, verb="redirect", service=service, line=service.phone, asked_at=now,
        asked=[] if locked.taken_at else locked.asked, late_told_at=None,
    )  # fmt: skip


def _tell_service(demand: Request, service: Service, now: datetime) -> None:
    for user in told_of(service, now):
        if user.pk != demand.responsible_id:
            messages.tell(messages.ASKED, demand, user)


def gone() -> QuerySet[Request]:
    """Open requests whose doctor answers for no service that takes part any more, or not as a practitioner."""
    taking_part = Participant.objects.filter(dossier=OuterRef(OuterRef("pk")), until=None).values("service_id")
    there = PoolMember.objects.on_call().filter(user_id=OuterRef("responsible_id"), service_id__in=taking_part)
    return Request.objects.filter(~Exists(there), state__in=OPEN, responsible__isnull=False)


def _still(demand: Request, why: str, now: datetime) -> bool:
    """Whether the reason to ask the next one, seen before the row was held, still holds now that it is."""
    if demand.responsible is None:
        return why == "nobody" and demand.state in OPEN
    if why == "gone":
        return gone().filter(pk=demand.pk).exists()
    if why == "late":
        kept = demand.passed_on and demand.taken_at  # by the doctor who passed it: `urging` watches it
        return demand.state in WAITING and not kept and demand.deadline is not None and demand.deadline <= now
    named = {duty.user.pk for duty in route(demand.establishment, now) if duty.user}
    return why == "rota" and demand.state == State.SUBMITTED and demand.responsible.pk not in named


@whole
def ask_next(*, demand_id: UUID, now: datetime, why: str) -> Request:
    """Ask the next one of the route, by the system: nobody took it in time, or its doctor answers no more.

    What was passed on stays with the doctor who passed it (`urging`). When everybody was asked, an alarm stays open: the
    lists of the services say that nobody has it. Nothing when `why` holds no more: whoever took the request meanwhile
    keeps it.
    """
    demand = lock(SYSTEM_ACTOR, demand_id)
    if not _still(demand, why, now):
        return demand
    duty = next_of(demand, now)
    changes = asking(demand, duty, now)
    if duty is None and demand.responsible_id is None:
        return demand
    if duty:
        join(SYSTEM_ACTOR, demand, duty.service)
    if demand.state not in WAITING and duty:
        changes["asked_at"] = demand.asked_at
    drop_hand_overs(demand, now)
    for name, value in changes.items():
        setattr(demand, name, value)
    demand.save(update_fields=list(changes))
    verb = {"late": "escalated", "gone": "owner_gone", "rota": "rerouted", "nobody": "rerouted"}[why]
    dossiers.record(
        demand.dossier, verb, SYSTEM_ACTOR, responsible=str(demand.responsible_id or ""),
        service=str(demand.service_id or ""), alone=duty is None,
    )  # fmt: skip
    told(demand)
    tell_pages(demand, urgent=True)
    return demand
