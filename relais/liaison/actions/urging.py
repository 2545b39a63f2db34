"""What does not come in time of a request that a doctor has: the doctor hears of it, then who could help (an opinion; a
service to which they passed it and that does not take it); of a question that stays open: the home."""

from datetime import datetime
from uuid import UUID

from relais.accounts.models import User
from relais.accounts.queries import managers
from relais.core.actor import SYSTEM_ACTOR
from relais.core.transactions import whole
from relais.dossiers import actions as dossiers
from relais.liaison import delays, messages
from relais.liaison.actions.states import lock, tell_pages
from relais.liaison.models import Request
from relais.liaison.queries.people import still_there, told_of
from relais.liaison.workflow import State
from relais.oncall.queries import members

# Events after which somebody else is awaited, or the same one anew.
PASSED = ("take", "taken_over", "hand_over_accepted", "owner_gone", "rerouted", "ask", "give")

# What is late, and which step: the event and the message; of the helpers also the message to the referents.
SAYS = {
    ("untaken", 1): ("unanswered", messages.LATE), ("opinion", 1): ("opinion_late", messages.AWAITED),
    ("complement", 1): ("complement_late", messages.REMINDED), ("complement", 2): ("complement_silent", messages.SILENT),
}  # fmt: skip
HELPS = {
    ("untaken", 2): ("unanswered_help", messages.UNTAKEN, messages.UNTAKEN_HERE),
    ("opinion", 2): ("opinion_help", messages.HELP, messages.HELP_HERE),
}


@whole
def sound(*, demand_id: UUID, now: datetime) -> None:
    """Tell what is due by now of a request that a doctor has (see `delays`), once each: `late_told_at` says up to when.

    Of an opinion that is late first its doctor; then the others on duty for its service, else its pool, and the referents:
    the request stays with its doctor. So also where it was passed on and is not taken. While a complement is awaited the
    nursing home is told in their place, then the doctor that it does not answer.
    """
    demand = lock(SYSTEM_ACTOR, demand_id)
    if demand.responsible is None:
        return
    told_at = demand.late_told_at
    due = [(late, step) for at, late, step in _moments(demand) if at <= now and not (told_at and at <= told_at)]
    if not due:
        return
    demand.late_told_at = now
    demand.save(update_fields=["late_told_at"])
    for late, step in due:
        _tell(demand, late, step, now)
    tell_pages(demand, urgent=True)


def _moments(demand: Request) -> list[tuple[datetime, str, int]]:
    """When people are told, of what, and which step it is. Of an opinion nothing at a moment that says more: not taken."""
    kept = demand.passed_on and demand.taken_at is not None  # one that is asked in turn is not (`owning.ask_next`)
    taking = delays.untaken(demand.urgency, demand.asked_at) if kept and demand.asked_at else []
    sent, opinion = demand.submitted_at, list[datetime]()
    if sent and (kept or demand.awaits_opinion) and demand.advised_at is None and not demand.patient.deceased_on:
        opinion = delays.urges(demand.urgency, sent, (demand.asked_at if kept else passed_at(demand)) or sent)
    late = "complement" if demand.state == State.COMPLEMENT else "opinion"
    found = {at: (at, late, step) for step, at in enumerate(opinion, 1)}
    found |= {at: (at, "untaken", step) for step, at in enumerate(taking, 1)}
    return [found[at] for at in sorted(found)]


def passed_at(demand: Request) -> datetime | None:
    """Since when whoever has it is awaited."""
    passed = demand.dossier.events.filter(verb__in=PASSED).order_by("-at", "-id").first()
    return passed.at if passed else None


def _tell(demand: Request, late: str, step: int, now: datetime) -> None:
    if (late, step) in HELPS:
        tell_helpers(demand, now, *HELPS[late, step])
        return
    verb, key = SAYS[late, step]
    called = still_there(demand, now) if key == messages.REMINDED else [demand.responsible]
    for user in called:
        if user:
            messages.tell(key, demand, user)
    dossiers.record(demand.dossier, verb, SYSTEM_ACTOR, people=len(called))


def tell_helpers(demand: Request, now: datetime, verb: str, key: str, key_here: str) -> None:
    """Whoever could help is told, and the referents, who find somebody; a note says so in the dossier."""
    called = _helpers(demand, now)
    referents = managers(demand.service.establishment_id) if demand.service else []
    for user in called:
        messages.tell(key, demand, user)
    for user in referents:
        if user not in called and user.pk != demand.responsible_id:
            messages.tell(key_here, demand, user)
    dossiers.record(demand.dossier, verb, SYSTEM_ACTOR, people=len(called) + len(referents))


def _helpers(demand: Request, now: datetime) -> list[User]:
    """Who could give it instead: the others on duty for its service, else everybody else who answers for it."""
    if demand.service is None:
        return []
    pools = (told_of(demand.service, now), [one.user for one in members(demand.service)])
    others = ([user for user in pool if user.pk != demand.responsible_id] for pool in pools)
    return next((found for found in others if found), [])
