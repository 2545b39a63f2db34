"""An opinion that does not come in time: its doctor hears of it, then who could help; a question that stays open: the home."""

from datetime import datetime
from uuid import UUID

from relais.accounts.models import Membership, Role, User
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


@whole
def sound(*, demand_id: UUID, now: datetime) -> None:
    """Tell what is due by now of a request in hand whose opinion is late (see `delays.urges`), once each.

    First its doctor; then the others on duty for its service, else its pool, and the referents: the request stays with its
    doctor. While a complement is awaited the nursing home is told in their place, then the doctor that it does not answer.
    """
    demand = lock(SYSTEM_ACTOR, demand_id)
    if not demand.awaits_opinion or demand.responsible is None or demand.patient.deceased_on:
        return
    told_at = demand.late_told_at
    due = [step for step, at in enumerate(_moments(demand), 1) if at <= now and not (told_at and at <= told_at)]
    if not due:
        return
    demand.late_told_at = now
    demand.save(update_fields=["late_told_at"])
    for step in due:
        _tell(demand, step, now)
    tell_pages(demand, urgent=True)


def _moments(demand: Request) -> list[datetime]:
    passed = demand.dossier.events.filter(verb__in=PASSED).order_by("-at", "-id").first()
    sent = demand.submitted_at
    return delays.urges(demand.urgency, sent, passed.at if passed else sent) if sent else []


def _tell(demand: Request, step: int, now: datetime) -> None:
    doctor = [demand.responsible] if demand.responsible else []
    if demand.state == State.COMPLEMENT:
        verb, called = ("complement_late", still_there(demand, now)) if step == 1 else ("complement_silent", doctor)
        key = messages.REMINDED if step == 1 else messages.SILENT
    else:
        verb, called = ("opinion_late", doctor) if step == 1 else ("opinion_help", _helpers(demand, now))
        key = messages.AWAITED if step == 1 else messages.HELP
    referents = _referents(demand) if verb == "opinion_help" else []
    for user in called:
        messages.tell(key, demand, user)
    for user in referents:
        if user not in called and user.pk != demand.responsible_id:
            messages.tell(messages.HELP_HERE, demand, user)
    dossiers.record(demand.dossier, verb, SYSTEM_ACTOR, people=len(called) + len(referents))


def _helpers(demand: Request, now: datetime) -> list[User]:
    """Who could give it instead: the others on duty for its service, else everybody else who answers for it."""
    if demand.service is None:
        return []
    pools = (told_of(demand.service, now), [one.user for one in members(demand.service)])
    others = ([user for user in pool if user.pk != demand.responsible_id] for pool in pools)
    return next((found for found in others if found), [])


def _referents(demand: Request) -> list[User]:
    """The managers of the establishment that holds its service."""
    if demand.service is None:
        return []
    managing = Membership.objects.filter(
        establishment_id=demand.service.establishment_id, role=Role.MANAGER, ended_at=None, user__is_active=True
    )
    return list(User.objects.filter(pk__in=managing.values("user_id")).order_by("pk"))
