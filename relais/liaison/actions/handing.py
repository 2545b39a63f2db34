"""The hand-over at 08:00 and 19:00: a list, a text for each request, an explicit acceptance (D10, domain.md §3.4)."""

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from relais.accounts.models import User
from relais.accounts.queries import managers
from relais.core.actor import SYSTEM_ACTOR, Actor
from relais.core.errors import NotFound, Refused
from relais.core.transactions import each, whole
from relais.directory.models import Service
from relais.dossiers import actions as dossiers
from relais.dossiers.models import Participant
from relais.liaison import delays, messages
from relais.liaison import permissions as may
from relais.liaison.actions import owning
from relais.liaison.actions.states import lock, tell_pages
from relais.liaison.models import HandOver, Request
from relais.liaison.queries.sbar import sbar
from relais.liaison.workflow import WAITING, State
from relais.oncall.hours import next_boundary
from relais.oncall.models import OnCallSlot
from relais.oncall.queries import asked_services, route
from relais.oncall.workflow import ANSWERS

PASSED_ON = (*WAITING, State.TAKEN, State.COMPLEMENT, State.ORIENTATION)  # and what is to look at again in the shift
TAKINGS = ("take", "taken_over", "hand_over_accepted")  # events after which whoever did it has the request
Relief = tuple[Service | None, User | None]
PARTS = ("situation", "background", "assessment", "recommendation")


def to_pass_on(now: datetime) -> Q:
    """The open requests that do not end with the shift: those in hand, those that nobody took, those to look at before the
    next one."""
    return Q(state__in=PASSED_ON) | Q(state=State.REVIEW, review_at__lt=next_boundary(now))


def watch(now: datetime) -> list[Exception]:
    """Propose what belongs to doctors whose shift has ended; sound the alarm for what nobody accepts. What failed."""
    answerable = _answerable(now).filter(demand=OuterRef("pk"))
    held = Request.objects.filter(to_pass_on(now), ~Exists(answerable), responsible__isnull=False)
    ids = held.order_by("submitted_at", "pk").values_list("pk", flat=True)
    failed = each(ids, lambda pk: propose(demand_id=pk, now=now))
    late = HandOver.objects.filter(_late(now), accepted_at=None, dropped_at=None)
    unanswered = late.order_by("due_at", "pk").values_list("demand_id", flat=True)
    return failed + each(unanswered, lambda pk: sound(demand_id=pk, now=now))


def _answerable(now: datetime) -> QuerySet[HandOver]:
    """The open hand-overs whose proposed doctor is on duty now for the service that takes over, as `on_duty` has it."""
    slots = OnCallSlot.objects.at(now).told().filter(service=OuterRef("service"))
    named = Q(user=OuterRef("taking"), state__in=ANSWERS, doctor_here=True)
    named |= Q(backup=OuterRef("taking"), backup_here=True)
    return HandOver.objects.filter(Exists(slots.filter(named)), accepted_at=None, dropped_at=None)


def _late(now: datetime) -> Q:
    """The hand-overs whose alarm is due: a while after they were proposed, then each hour."""
    first = Q(alarmed_at=None, due_at__lte=now - delays.HAND_OVER)
    return first | Q(alarmed_at__lte=now - delays.ALARM_AGAIN)


def _shift_over(demand: Request, now: datetime) -> bool:
    """Whether the slot in which the doctor has the demand has ended, or their absence was said; where they have it outside
    of any slot (off duty, or for a service that keeps no rota), whether it was 08:00 or 19:00 since then.

    Not as long as they are on duty for a service that takes part.
    """
    who, since = demand.responsible_id, _since(demand)
    services = Participant.objects.filter(dossier=demand.pk, until=None).values("service_id")
    theirs = OnCallSlot.objects.live().filter(
        Q(user_id=who) | Q(backup_id=who), service__in=services, starts_at__lte=now, ends_at__gt=since
    )
    answers = Q(user_id=who, state__in=ANSWERS) | Q(backup_id=who)
    if theirs.filter(answers, ends_at__gt=now).exists():
        return False
    return next_boundary(since) <= now or theirs.exists()


def _relief(demand: Request, now: datetime) -> Relief | None:
    """The service that relieves, and its doctor on duty; where nobody is named, the service that should answer alone.

    None: whoever has the demand is on duty themselves.
    """
    if not _shift_over(demand, now):
        return None
    named = next((duty for duty in route(demand.establishment, now) if duty.user), None)
    if named:
        return (named.service, named.user) if named.user != demand.responsible else None
    return next(iter(asked_services(demand.establishment, now)), None), None


def _since(demand: Request) -> datetime:
    """Since when its doctor has it, or is asked."""
    mine = demand.dossier.events.filter(user=demand.responsible_id, verb__in=TAKINGS).order_by("-at", "-id").first()
    return mine.at if mine else demand.asked_at or demand.submitted_at or demand.dossier.created_at


def _passes_on(demand: Request, now: datetime) -> bool:
    return Request.objects.filter(to_pass_on(now), pk=demand.pk).exists()


@whole
def propose(*, demand_id: UUID, now: datetime) -> HandOver | None:
    """By the system, at the end of a shift: the request is proposed to whoever is on duty, and stays where it is.

    A hole in the rota is no reason to say nothing: it is proposed to nobody, an alarm after the usual delay, and to the
    first doctor who is named again. What its doctor did not accept while on duty is proposed anew, with the same text and an
    alarm of its own; it ends where whoever has the request is on duty again.
    """
    demand = lock(SYSTEM_ACTOR, demand_id)
    if demand.responsible is None or not _passes_on(demand, now):
        return None
    before = _open(demand.hand_overs.all())
    if before and _answerable(now).filter(pk=before.pk).exists():
        return None
    relief = _relief(demand, now)
    if relief is None:
        if before:
            _end(demand, before, now)
        return None
    made = _renew(demand, before, demand.responsible, relief, now)
    if made is None:
        return None
    if made.service:
        owning.join(SYSTEM_ACTOR, demand, made.service)
    dossiers.record(
        demand.dossier,
        "hand_over_proposed",
        SYSTEM_ACTOR,
        hand_over=str(made.pk),
        to=str(made.taking_id or ""),
    )
    if made.taking:
        messages.tell(messages.HAND_OVER, demand, made.taking)
    tell_pages(demand, urgent=True)
    return made


def _end(demand: Request, before: HandOver, now: datetime) -> None:
    """Whoever has the request is on duty again before anybody accepted it."""
    owning.drop_hand_overs(demand, now)
    dossiers.record(demand.dossier, "hand_over_ended", SYSTEM_ACTOR, hand_over=str(before.pk))
    tell_pages(demand)


def _renew(demand: Request, before: HandOver | None, leaving: User, relief: Relief, now: datetime) -> HandOver | None:
    """The hand-over to whoever relieves: a new one, which keeps the text of the one that was missed, or the one that was
    proposed to nobody. None where nothing changes."""
    if before and before.taking_id is None:
        if relief == (before.service, None):
            return None
        before.service, before.taking = relief
        before.save(update_fields=["service", "taking"])
        return before
    texts = {name: getattr(before, name) for name in PARTS} if before else sbar(demand, now)
    if before:
        owning.drop_hand_overs(demand, now)
    service, taking = relief
    try:
        with transaction.atomic():  # a savepoint: another worker may propose the same
            return HandOver.objects.create(
                demand=demand, leaving=leaving, service=service, taking=taking, due_at=now, **texts
            )  # fmt: skip
    except IntegrityError:
        return None


@whole
def sound(*, demand_id: UUID, now: datetime) -> None:
    """The alarm of a hand-over that nobody accepts, then each hour: both doctors and the referents of the service that takes
    over are told, the SAMU takes part from the first time; it stays where it is.

    Without an alarm where nothing is to be passed on any more: the hand-over ends.
    """
    demand = lock(SYSTEM_ACTOR, demand_id)
    found = _open(demand.hand_overs.filter(_late(now)))
    if found is None:
        return
    if not _passes_on(demand, now):
        owning.drop_hand_overs(demand, now)
        tell_pages(demand)
        return
    first, found.alarmed_at = found.alarmed_at is None, now
    found.save(update_fields=["alarmed_at"])
    if first:
        owning.call_in_samu(SYSTEM_ACTOR, demand)
    dossiers.record(demand.dossier, "hand_over_late", SYSTEM_ACTOR, hand_over=str(found.pk))
    if demand.responsible:
        messages.tell(messages.LATE, demand, demand.responsible)
    if found.taking:
        messages.tell(messages.HAND_OVER, demand, found.taking)
    service = found.service or demand.service
    for user in managers(service.establishment_id) if service else []:
        if user.pk not in (demand.responsible_id, found.taking_id):
            messages.tell(messages.HAND_OVER_HERE, demand, user, service=service)
    tell_pages(demand, urgent=True)


def added(hand_over: HandOver, read: str) -> str:
    """The first lines of its assessment that were not there when it was read so (`owning.add_to_hand_over`)."""
    lines, known = hand_over.assessment.splitlines(), "\n".join(read.splitlines())
    new = next(end for end in range(len(lines) + 1) if known.startswith("\n".join(lines[end:])))
    return "\n".join(lines[:new])


@whole
def rewrite(*, actor: Actor, hand_over: HandOver, texts: dict[str, str], read: str | None = None) -> HandOver:
    """The doctor who leaves corrects the text of a hand-over that is not accepted yet.

    `read`: the assessment that they had before their eyes. Raises Refused when more stands in it now, or when the
    hand-over is proposed no more.
    """
    if hand_over.leaving_id != actor.user_id:
        raise NotFound
    found = _open(HandOver.objects.filter(pk=hand_over.pk))
    if found is None:
        raise Refused(
            _("Cette relève n’est plus proposée : votre texte n’est pas enregistré. Copiez ce qui doit rester.")
        )
    if read is not None and added(found, read):
        raise Refused(
            _(
                "Ce texte a reçu des lignes pendant que vous écriviez : elles sont placées en tête. Relisez, puis enregistrez."
            ),
            field="assessment",
        )
    if not texts.get("situation", "").strip():
        raise Refused(_("Écrivez la situation : c’est ce que lit d’abord le médecin qui arrive."), field="situation")
    for name in PARTS:
        text = texts.get(name, "").strip()
        if len(text) > owning.TEXT_MAX:
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
    found = _open(HandOver.objects.filter(pk=hand_over.pk))
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
    demand.line = owning.line_of(demand.service, demand.responsible, now) or demand.line
    demand.save(update_fields=["responsible", "unowned_since", "service", "line"])
    tell_pages(demand, urgent=True)
    return demand


def _open(rows: QuerySet[HandOver]) -> HandOver | None:
    """The one of these that was neither accepted nor dropped, held until the transaction ends."""
    return rows.select_for_update(of=("self",)).filter(accepted_at=None, dropped_at=None).first()
