"""What runs each minute: nobody answered, nobody is left, an opinion does not come, something is due, a shift ends (domain.md §3.4)."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F, Q
from django.utils import timezone

from relais.accounts.models import Membership, User
from relais.core.actor import SYSTEM_ACTOR
from relais.core.transactions import each, whole
from relais.dossiers import actions as dossiers
from relais.liaison import delays, messages
from relais.liaison.actions import alarming, handing, owning, urging
from relais.liaison.actions.states import lock, tell_pages
from relais.liaison.models import Request
from relais.liaison.permissions import CLINICAL
from relais.liaison.queries.measures import measured
from relais.liaison.queries.people import SHIFT
from relais.liaison.workflow import IN_HAND, OPEN, PASSED_ON, WAITING, State
from relais.oncall.queries import route


def watch(now: datetime | None = None) -> None:
    """One round at this moment; each request by itself. Raises ExceptionGroup at the end, all others done, for those that
    could not be watched."""
    moment = now or timezone.now()
    failed = each(_gone(), lambda pk: owning.ask_next(demand_id=pk, now=moment, why="gone"))
    failed += each(_late(moment), lambda pk: owning.ask_next(demand_id=pk, now=moment, why="late"))
    failed += each(_unowned(), lambda pk: owning.ask_next(demand_id=pk, now=moment, why="nobody"))
    failed += each(_unowned(), lambda pk: alarming.sound(demand_id=pk, now=moment))
    failed += each(_awaited(moment), lambda pk: urging.sound(demand_id=pk, now=moment))
    failed += each(_due(moment), lambda pk: tell_due(demand_id=pk, now=moment))
    failed += handing.watch(moment)
    if failed:
        raise ExceptionGroup("Requests that could not be watched", failed)


def follow_rota(service_id: UUID) -> None:
    """A rota or a pool has changed: what waited for a doctor who answers no more asks the next one at once.

    The change of the rota stands whatever becomes of these: one that fails is left to `watch`.
    """
    now = timezone.now()
    each(_gone(), lambda pk: owning.ask_next(demand_id=pk, now=now, why="gone"))
    waiting = Request.objects.filter(service=service_id, state=State.SUBMITTED, responsible__isnull=False)
    each(waiting.order_by("pk").values_list("pk", flat=True), lambda pk: _reroute(pk, now))
    each(_unowned(), lambda pk: owning.ask_next(demand_id=pk, now=now, why="nobody"))
    each(_unowned(), lambda pk: alarming.sound(demand_id=pk, now=now))


def _reroute(demand_id: UUID, now: datetime) -> None:
    """Ask the next one where the doctor who is asked stands in its route no more; the others are not even held."""
    demand = Request.objects.select_related("establishment").get(pk=demand_id)
    if demand.responsible_id not in {duty.user.pk for duty in route(demand.establishment, now) if duty.user}:
        owning.ask_next(demand_id=demand_id, now=now, why="rota")


def _gone() -> list[UUID]:
    """Open requests whose doctor answers for no service that takes part any more."""
    return list(owning.gone().order_by("submitted_at", "pk").values_list("pk", flat=True))


def _late(now: datetime) -> list[UUID]:
    """Those that nobody took in time; what was passed on by a doctor who keeps it is `_awaited`."""
    late = Q()
    for urgency, delay in delays.DELAYS.items():
        late |= Q(urgency=urgency, asked_at__lte=now - timedelta(minutes=delay.take))
    waiting = Request.objects.filter(late, state__in=WAITING, responsible__isnull=False)
    rows = waiting.exclude(state__in=PASSED_ON, taken_at__isnull=False)
    return list(rows.order_by("submitted_at", "pk").values_list("pk", flat=True))


def _awaited(now: datetime) -> list[UUID]:
    """Those that somebody has, and whose opinion did not come in time; those passed on and not taken in time."""
    unadvised = Q(state__in=(State.TAKEN, State.COMPLEMENT), advised_at=None, patient__deceased_on=None)
    passed = Q(state__in=PASSED_ON, taken_at__isnull=False)
    late = Q()
    for urgency, delay in delays.DELAYS.items():
        late |= Q(unadvised, urgency=urgency, submitted_at__lte=now - timedelta(minutes=delay.advise))
        late |= Q(passed, urgency=urgency, asked_at__lte=now - timedelta(minutes=delay.take))
    rows = Request.objects.filter(late, responsible__isnull=False)
    return list(rows.order_by("submitted_at", "pk").values_list("pk", flat=True))


def _unowned() -> list[UUID]:
    rows = Request.objects.filter(state__in=OPEN, responsible=None)
    return list(rows.order_by("submitted_at", "pk").values_list("pk", flat=True))


def _due(now: datetime) -> list[UUID]:
    """Re-evaluations whose hour has come, or whose delay after it is over, and of which nobody was told since."""
    untold = Q(review_at__lte=now) & (Q(review_told_at=None) | Q(review_told_at__lt=F("review_at")))
    for urgency, delay in delays.DELAYS.items():
        after = timedelta(minutes=delay.review)
        untold |= Q(urgency=urgency, review_at__lte=now - after, review_told_at__lt=F("review_at") + after)
    rows = Request.objects.filter(untold, state__in=IN_HAND)
    return list(rows.order_by("review_at", "pk").values_list("pk", flat=True))


def _still_there(demand: Request, now: datetime) -> User | None:
    """Whoever last wrote the signs, as long as the same shift may last: they are asked for new ones. Pages tell the others."""
    said = demand.response
    if said is None or said.user_id is None or measured(demand) or said.ended_at < now - SHIFT:
        return None
    home = Membership.objects.filter(
        user_id=said.user_id, establishment_id=demand.establishment_id, ended_at=None, user__is_active=True
    )
    return User.objects.filter(pk__in=home.filter(role__in=CLINICAL).values("user_id")).first()


@whole
def tell_due(*, demand_id: UUID, now: datetime) -> None:
    """A re-evaluation comes back to the lists: its doctor, the nurse who is still there and the pages are told; after its
    delay also those who could help and the referents (`delays.reviews`). Once each for one promised hour."""
    demand = lock(SYSTEM_ACTOR, demand_id)
    if demand.state not in IN_HAND or demand.review_at is None:
        return
    told_at = demand.review_told_at
    moments = enumerate(delays.reviews(demand.urgency, demand.review_at), 1)
    due = [step for step, at in moments if at <= now and not (told_at and at <= told_at)]
    if not due:
        return
    demand.review_told_at = now
    demand.save(update_fields=["review_told_at"])
    if 1 in due:
        dossiers.record(demand.dossier, "review_due", SYSTEM_ACTOR)
        if demand.responsible:
            messages.tell(messages.REVIEW, demand, demand.responsible)
        nurse = _still_there(demand, now)
        if nurse and nurse != demand.responsible:
            messages.tell(messages.SIGNS, demand, nurse)
    if 2 in due:
        urging.tell_helpers(demand, now, "review_help", messages.REVIEW_HELP, messages.REVIEW_HELP_HERE)
    tell_pages(demand, urgent=True)
