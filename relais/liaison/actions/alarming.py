"""A request that nobody has reaches people: those who keep the rotas, the nursing home, then everybody who could answer."""

from datetime import datetime
from uuid import UUID

from relais.accounts.models import Membership, Role, User
from relais.core.actor import SYSTEM_ACTOR
from relais.core.transactions import whole
from relais.dossiers import actions as dossiers
from relais.dossiers.models import Participant
from relais.liaison import delays, messages
from relais.liaison.actions import owning
from relais.liaison.actions.states import lock, tell_pages
from relais.liaison.models import Request
from relais.liaison.permissions import CLINICAL
from relais.liaison.queries.people import told_of
from relais.liaison.workflow import OPEN
from relais.oncall.models import PoolMember
from relais.oncall.queries import asked_services


@whole
def sound(*, demand_id: UUID, now: datetime, called_in: bool = False) -> int:
    """Tell of a request that nobody has what is due by now (see `delays.alarms`), once each; how many were told.

    At once the referents of the services that should answer and the nursing home that asks; from the second time on also
    everybody who answers for these services, and the managers of the home. These services take part from the first time:
    whoever answers for them sees it, and may take it. The SAMU is called in the first time, unless that was done just now
    (`called_in`); then it is told as the other services are. Nobody is told twice of one alarm.
    """
    demand = lock(SYSTEM_ACTOR, demand_id)
    since = demand.unowned_since
    if demand.state not in OPEN or demand.responsible_id or since is None:
        return 0
    due = len(delays.alarms(demand.urgency, since, now))
    told_at = demand.alarm_told_at
    if not due or (told_at and told_at >= since and len(delays.alarms(demand.urgency, since, told_at)) >= due):
        return 0
    demand.alarm_told_at = max(now, since)
    demand.save(update_fields=["alarm_told_at"])
    for service in asked_services(demand.establishment, now):
        owning.join(SYSTEM_ACTOR, demand, service)
    samu, first = owning.join_samu(SYSTEM_ACTOR, demand), told_at is None or told_at < since
    called = told_of(samu, now) if samu and first else []
    carers, managers = ([one for one in people if one not in called] for people in _people(demand, everybody=due > 1))
    called = [] if called_in else called
    for user in called:
        messages.tell(messages.ASKED, demand, user)
    for user in carers:
        messages.tell(messages.NOBODY, demand, user)
    for user in managers:
        messages.tell(messages.NOBODY_HERE, demand, user)
    count = len(called) + len(carers) + len(managers)
    dossiers.record(demand.dossier, "nobody_told", SYSTEM_ACTOR, step=due, people=count)
    tell_pages(demand, urgent=True)
    return count


def _people(demand: Request, *, everybody: bool) -> tuple[list[User], list[User]]:
    """Who reads the request, and who sees the list of those that nobody has."""
    services = Participant.objects.filter(dossier=demand.pk, until=None).exclude(service=None)
    live = Membership.objects.filter(ended_at=None, user__is_active=True)
    home = live.filter(establishment_id=demand.establishment_id)
    sender = demand.response.user_id if demand.response else None
    carers = {one.user_id for one in home.filter(role__in=CLINICAL) if one.user_id == sender}
    if not carers:  # whoever sent it left, or is the doctor who speaks for the home
        carers = {one.user_id for one in home.filter(role__in=CLINICAL)}
    places = services.values("service__establishment_id")
    managers = {one.user_id for one in live.filter(establishment_id__in=places, role=Role.MANAGER)}
    if everybody:
        pool = PoolMember.objects.filter(service__in=services.values("service_id")).at_work()
        carers |= set(pool.order_by().values_list("user_id", flat=True))
        managers |= {one.user_id for one in home.filter(role=Role.MANAGER)}
    people = User.objects.order_by("pk")
    return list(people.filter(pk__in=carers)), list(people.filter(pk__in=managers - carers))
