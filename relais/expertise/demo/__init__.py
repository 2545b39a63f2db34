"""This module's part of the demo region: requests to the pools of experts, in every state (domain.md §9.4).

12 % ask by the COVID form; urgencies 3/22/40/35 %; answered in 3.2 h at the median; 6 % refused; three in four ask stroke,
neurosurgery, dermatology, geriatrics, infectious disease or radiology. Each dossier has what its pages show: participants,
care links, the form as it was sent, the opinion (signed and printed in the lists of the personas alone: a PDF takes longer
than all the rest), events.
"""

import random
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from itertools import accumulate
from typing import Any

from relais.accounts.models import Role, User
from relais.core.demo import Region, insert, new_id
from relais.directory.models import Kind, Need, Service, Way
from relais.expertise import delays
from relais.expertise.demo.story import Plan, Rows, Story
from relais.expertise.models import Form, Urgency, Wording
from relais.expertise.workflow import State
from relais.oncall.models import PoolMember
from relais.questionnaires.queries import current

RESIDENT = timedelta(days=70 * 365)  # of a nursing home
COUNT = {"small": 40, "tenth": 15_000, "region": 150_000, "stress": 200}
PERSONA = {"small": 14, "tenth": 60, "region": 60, "stress": 14}  # asked of the expert's own service, whatever the size
DAYS, BATCH = 300, 2000
URGENCIES, WEIGHTS = list(Urgency), [3, 22, 40, 35]
COVID_SHARE = 0.12
PAST: dict[State, int] = {
    State.CLOSED: 72,
    State.ANSWERED: 14,
    State.REFUSED: 6,
    State.CANCELLED: 5,
    State.ADMISSION: 3,
}
LIVE: tuple[State, ...] = (
    State.SENT,
    State.SENT,
    State.TAKEN,
    State.COMPLEMENT_ASKED,
    State.COMPLEMENT_GIVEN,
    State.REDIRECTED,
    State.VISIO,
)
OPEN_SHARE = 0.008
# Of what the pools of a specialty (or need) are asked, percent: §9.4 names these in this order, the figures are ours. The
# others share the rest.
ASKED: dict[str, int] = {
    "Neurologie vasculaire (AVC)": 20,
    "Neurochirurgie": 16,
    "Dermatologie": 13,
    Need.GERIATRIC: 11,
    "Infectiologie": 9,
    "Radiologie": 7,
}


def build(region: Region, rng: random.Random) -> None:
    """Requests in every state to every pool that answers in this way, and its recommended texts."""
    pools = _pools(region)
    if not pools:
        return
    forms = {name: current(name) for name in (Form.GENERAL, Form.COVID, "tle-reponse")}
    insert([_wording(region, rng, service) for service, _experts in pools])
    rows = Rows()
    for count, plan in enumerate(_plans(region, rng, pools), 1):
        Story(plan, rng, rows, forms, region.now).tell()
        if count % BATCH == 0:
            rows.insert()
    rows.insert()


def _pools(region: Region) -> list[tuple[Service, list[User]]]:
    """Services with the doctors who answer, the one of the expert persona first."""
    members: dict[Any, list[User]] = {}
    for one in PoolMember.objects.filter(until=None).select_related("user").order_by("service_id", "created_at", "id"):
        members.setdefault(one.service_id, []).append(one.user)
    expert = region.personas.get("expert")
    found = [(one, members[one.pk]) for one in region.services if Way.EXPERTISE in one.ways and members.get(one.pk)]
    return sorted(found, key=lambda pool: expert not in pool[1] or pool[0].need != Need.EXPERT)


def weights(services: list[Service]) -> list[float]:
    """How much each is asked: the share of its specialty, or of its need where it has none, evenly among those alike."""
    alike = Counter(one.specialty or one.need for one in services)
    rest = (100 - sum(ASKED.values())) / max(1, len(alike.keys() - ASKED.keys()))
    return [ASKED.get(name, rest) / alike[name] for name in (one.specialty or one.need for one in services)]


def _wording(region: Region, rng: random.Random, service: Service) -> Wording:
    return Wording(
        id=new_id(rng), created_at=region.now - timedelta(days=60), service=service, title="Surveillance renforcée",
        conclusion="Situation stable à ce stade.", conduct="Constantes trois fois par jour. Rappeler si aggravation.",
    )  # fmt: skip


def _plans(region: Region, rng: random.Random, pools: list[tuple[Service, list[User]]]) -> Iterator[Plan]:
    """First the lists of the personas, in every state, then all the others drawn."""
    places = {one.pk: one for one in region.establishments}
    askers = [
        (user, places[pk])
        for pk, by_role in region.members.items()
        if places[pk].kind in (Kind.EHPAD, Kind.ESMS, Kind.CENTRE, Kind.SSR)
        for user in by_role.get(Role.PRACTITIONER, [])
    ] or [(user, places[pk]) for pk, roles in region.members.items() for user in roles.get(Role.PRACTITIONER, [])]
    patients = [one for one in region.patients[1:] if one.deceased_on is None]
    born = region.now.date() - RESIDENT
    residents = [one for one in patients if one.birth_date and one.birth_date < born] or patients
    total, own = COUNT[region.size], PERSONA[region.size]
    states = [state for state in State if state != State.DRAFT]
    doctor, hospital = region.personas["doctor"], region.places["hospital"]
    for number in range(own):
        shown = states[number % len(states)]
        asker = (doctor, hospital) if number % 3 == 0 else askers[number % len(askers)]
        people = residents if asker[1].kind == Kind.EHPAD else patients
        service, experts = pools[0] if number % 3 else pools[-1]
        urgency = URGENCIES[number % 4]
        ago = delays.DELAYS[urgency] * (1.2 if number % 9 == 4 else 0.4)
        expert = region.personas["expert"] if region.personas.get("expert") in experts else experts[0]
        yield Plan(
            *asker, service, expert, people[number % len(people)], shown, urgency, region.now - ago, number % 5 == 0,
            scanned=number == states.index(State.TAKEN), printed=True,
        )  # fmt: skip
    yield Plan(
        doctor, hospital, pools[0][0], pools[0][1][0], patients[0], State.DRAFT, "", region.now, covid=False
    )  # fmt: skip
    asked = pools[1:] or pools
    reached = list(accumulate(weights([service for service, _experts in asked])))
    for _index in range(total - own - 1):
        service, experts = rng.choices(asked, cum_weights=reached)[0]
        urgency = rng.choices(URGENCIES, WEIGHTS)[0]
        state: State
        if rng.random() < OPEN_SHARE:
            state = State(rng.choice(LIVE))
            sent = region.now - delays.DELAYS[urgency] * rng.uniform(0.1, 1.05)
        else:
            state = State(rng.choices(list(PAST), list(PAST.values()))[0])
            sent = region.now - timedelta(days=rng.uniform(3, DAYS))
        asker = rng.choice(askers)
        people = residents if asker[1].kind == Kind.EHPAD else patients
        yield Plan(
            *asker, service, rng.choice(experts), rng.choice(people), state, urgency, sent, rng.random() < COVID_SHARE
        )
