"""The hand-over at 08:00 and 19:00: a list, a text for each request, an explicit acceptance (D10, domain.md §3.4)."""

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from relais.accounts.models import User
from relais.core.actor import SYSTEM_ACTOR, Actor
from relais.core.errors import NotFound, Refused
from relais.core.transactions import whole
from relais.dossiers import actions as dossiers
from relais.liaison import delays, messages
from relais.liaison import permissions as may
from relais.liaison.actions import owning
from relais.liaison.actions.states import lock, tell_pages
from relais.liaison.models import HandOver, Request
from relais.liaison.queries.sbar import sbar
from relais.liaison.workflow import OPEN, WAITING, State
from relais.oncall.models import OnCallSlot
from relais.oncall.queries import Duty, next_boundary, route

PASSED_ON = (*WAITING, State.TAKEN, State.COMPLEMENT, State.ORIENTATION)  # and what is to look at again in the shift
TEXT_MAX = 2000  # characters
PARTS = ("situation", "background", "assessment", "recommendation")


def to_pass_on(now: datetime) -> Q:
    """The open requests that do not end with the shift: those in hand, those that nobody took, those to look at before the
    next one."""
    return Q(state__in=PASSED_ON) | Q(state=State.REVIEW, review_at__lt=next_boundary(now))


def watch(now: datetime) -> None:
    """Propose what belongs to doctors whose shift has ended; sound the alarm for what nobody accepts."""
    held = Request.objects.filter(to_pass_on(now), responsible__isnull=False)
    for demand in held.select_related("establishment").order_by("submitted_at", "pk"):
        proposed = demand.hand_overs.filter(accepted_at=None, dropped_at=None).exists()
        if not proposed and (duty := _relief(demand, now)):
            propose(demand_id=demand.pk, duty=duty, now=now)
    late = HandOver.objects.filter(
        accepted_at=None, dropped_at=None, alarmed_at=None, due_at__lte=now - delays.HAND_OVER
    )
    for pk in late.order_by("due_at", "pk").values_list("pk", flat=True):
        sound(hand_over_id=pk, now=now)


def _relief(demand: Request, now: datetime) -> Duty | None:
    """Who relieves the doctor who has the demand: nobody as long as they are on duty themselves."""
    slots = OnCallSlot.objects.at(now)
    if slots.filter(Q(user_id=demand.responsible_id) | Q(backup_id=demand.responsible_id)).exists():
        return None
    return next((duty for duty in route(demand.establishment, now) if duty.user), None)


@whole
def propose(*, demand_id: UUID, duty: Duty, now: datetime) -> HandOver | None:
    """By the system, at the end of a shift: the request is proposed to whoever is on duty, and stays where it is."""
    demand = lock(SYSTEM_ACTOR, demand_id)
    if demand.state not in OPEN or demand.responsible is None or demand.responsible == duty.user:
        return None
    try:
        with transaction.atomic():  # a savepoint: another worker may propose the same
            made = HandOver.objects.create(
                demand=demand, leaving=demand.responsible, service=duty.service, taking=duty.user, due_at=now,
                **sbar(demand, now),
            )  # fmt: skip
    except IntegrityError:
        return None
    owning.join(SYSTEM_ACTOR, demand, duty.service)
    dossiers.record(
        demand.dossier,
        "hand_over_proposed",
        SYSTEM_ACTOR,
        hand_over=str(made.pk),
        to=str(duty.user.pk) if duty.user else "",
    )
    if duty.user:
        messages.tell(messages.HAND_OVER, demand, duty.user)
    tell_pages(demand, urgent=True)
    return made


@whole
def sound(*, hand_over_id: UUID, now: datetime) -> None:
    """The alarm of a hand-over that nobody accepted: the SAMU takes part, both doctors are told; it stays where it is."""
    found = _open(hand_over_id)
    if found is None or found.alarmed_at:
        return
    found.alarmed_at = now
    found.save(update_fields=["alarmed_at"])
    demand = found.demand
    owning.call_in_samu(SYSTEM_ACTOR, demand)
    dossiers.record(demand.dossier, "hand_over_late", SYSTEM_ACTOR, hand_over=str(found.pk))
    if demand.responsible:
        messages.tell(messages.LATE, demand, demand.responsible)
    if found.taking:
        messages.tell(messages.HAND_OVER, demand, found.taking)
    tell_pages(demand, urgent=True)


@whole
def rewrite(*, actor: Actor, hand_over: HandOver, texts: dict[str, str]) -> HandOver:
    """The doctor who leaves corrects the text of a hand-over that is not accepted yet."""
    found = _open(hand_over.pk)
    if found is None or found.leaving_id != actor.user_id:
        raise NotFound
    if not texts.get("situation", "").strip():
        raise Refused(_("Écrivez la situation : c’est ce que lit d’abord le médecin qui arrive."), field="situation")
    for name in PARTS:
        text = texts.get(name, "").strip()
        if len(text) > TEXT_MAX:
            raise Refused(_("Ce texte est trop long : 2 000 caractères au plus."), field=name)
        setattr(found, name, text)
    found.save(update_fields=PARTS)
    dossiers.record(found.demand.dossier, "hand_over_rewritten", actor, hand_over=str(found.pk))
    tell_pages(found.demand)
    return found


@whole
def accept(*, actor: Actor, hand_over: HandOver) -> Request:
    """The doctor who comes takes the request over; until then it is the other's (« relève acceptée »)."""
    now = timezone.now()
    demand = lock(actor, hand_over.demand_id)
    if not may.can_take(actor, demand):
        raise NotFound
    found = _open(hand_over.pk)
    if found is None:
        who = demand.responsible.full_name if demand.responsible else _("Personne")
        raise Refused(_("Cette relève n’est plus proposée. Qui a la demande maintenant : %(who)s.") % {"who": who})
    if found.leaving_id == actor.user_id:
        raise Refused(_("Vous passez cette demande : un autre médecin accepte la relève."))
    found.accepted_at, found.accepted_by_id = now, actor.me
    found.save(update_fields=["accepted_at", "accepted_by"])
    dossiers.record(demand.dossier, "hand_over_accepted", actor, hand_over=str(found.pk), responsible=str(actor.me))
    if demand.state in WAITING:
        return owning.take(actor=actor, demand=demand)
    demand.responsible, demand.unowned_since = User.objects.get(pk=actor.me), None
    demand.service = found.service or demand.service
    demand.save(update_fields=["responsible", "unowned_since", "service"])
    tell_pages(demand, urgent=True)
    return demand


def _open(pk: UUID) -> HandOver | None:
    """A hand-over that was neither accepted nor dropped, held until the transaction ends."""
    rows = HandOver.objects.select_for_update(of=("self",)).filter(accepted_at=None, dropped_at=None, pk=pk)
    return rows.first()
