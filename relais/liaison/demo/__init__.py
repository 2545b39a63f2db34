"""A hundred days of requests of nursing homes, invented (domain.md §9.5)."""

import random
from bisect import bisect
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from relais.core.demo import Batch, Region, new_id
from relais.core.paris import PARIS
from relais.directory.models import Kind, Need
from relais.dossiers.models import Dossier, Event, Participant
from relais.liaison import scores
from relais.liaison.demo import dlu
from relais.liaison.models import TO_HOSPITAL, Closing, Code, Decision, Departure, Dlu, HospitalTransfer, Request
from relais.liaison.workflow import State
from relais.oncall.models import Cover, PoolMember
from relais.oncall.queries import route
from relais.patients.models import CareLink, Patient
from relais.questionnaires.models import Questionnaire, Response
from relais.questionnaires.queries import current

COUNT = {"small": 20, "tenth": 100, "region": 1_000, "stress": 20}
DAYS = 100
BY_DAY = 0.78  # asked between 08:00 and 19:00
URGENCY = {"vitale": 8, "urgente": 34, "rapide": 38, "differee": 20}
MOTIVES = {
    "dyspnee": 38, "fievre": 22, "asthenie": 7, "refus-alimentation": 5, "confusion": 9, "palliatif": 8, "chute": 4,
    "douleur": 3, "malaise": 2, "autre": 2,
}  # fmt: skip
DECISIONS = {
    Code.STAY: 22, Code.TREAT: 20, Code.OXYGEN: 14, Code.COMFORT: 13, Code.HAD: 7, Code.GERIATRICS: 12, Code.SAMU: 9,
    Code.MOBILE: 1, Code.SPECIALIST: 1, Code.REFUSED: 1,
}  # fmt: skip
REVIEWS = {0: 20, 1: 28, 2: 26, 3: 16, 4: 10}  # 1.7 on average
FIRST_RESPONSE = 14  # minutes, median
ENDS = {
    Code.HAD: Closing.HAD, Code.COMFORT: Closing.PALLIATIVE, Code.GERIATRICS: Closing.HOSPITAL, Code.SAMU: Closing.HOSPITAL,
}  # fmt: skip
DIED = (6, 25)  # of the residents, within thirty days of their request: six in 25
MONTH, SOONEST = 30, timedelta(hours=2)  # days; after the first decision
WHY = "Examen à distance avec l’infirmière, constantes et antécédents revus."
OUTBREAK = (3, 8)  # requests of a home within a week of its outbreak
WAVE, WIDTH = 50, 14  # days ago, around which outbreaks begin: some forty requests on the worst day
AGE, SPREAD, WOMEN = 87, 7, 0.74  # of the residents


@dataclass
class Rows(Batch):
    """In the order of the foreign keys."""

    dossiers: list[Dossier] = field(default_factory=list)
    links: list[CareLink] = field(default_factory=list)
    participants: list[Participant] = field(default_factory=list)
    responses: list[Response] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    dlus: list[Dlu] = field(default_factory=list)
    transfers: list[HospitalTransfer] = field(default_factory=list)
    departures: list[Departure] = field(default_factory=list)


def one_of(rng: random.Random, shares: dict[Any, int]) -> Any:
    return rng.choices(list(shares), weights=list(shares.values()))[0]


def draw(rng: random.Random, day: datetime) -> dict[str, list[Any]]:
    """The answers of one request, asked on that day: every required question, in the shares of §9.5."""
    motive = one_of(rng, MOTIVES)
    fever = motive == "fievre"
    return {
        "fg.fr": [min(45, max(10, round(rng.gauss(24 if motive == "dyspnee" else 18, 4))))],
        "fg.spo2": [min(100, max(70, round(rng.gauss(91, 5))))],
        "fg.pas": [min(210, max(75, round(rng.gauss(125, 20))))],
        "fg.pad": [min(110, max(45, round(rng.gauss(70, 10))))],
        "fg.fc": [min(150, max(45, round(rng.gauss(86, 15))))],
        "fg.temp": [round(min(40.5, max(35.2, rng.gauss(38.7 if fever else 37.1, 0.5))), 1)],
        "fg.conscience": [one_of(rng, {"A": 78, "C": 14, "V": 6, "P": 2})],
        "fg.signelutte": [one_of(rng, {"non": 75, "tirage": 20, "cyanose": 5})],
        "fg.urgence": [one_of(rng, URGENCY)],
        "fg.motif": [motive],
        "fg.debut": [day.astimezone(PARIS).date().isoformat()],
        "fg.question": [
            one_of(rng, {"avis-therapeutique": 5, "hospitaliser": 3, "oxygenotherapie": 2, "palliatif": 1})
        ],
        "fg.question.txt": ["L’état du résident a changé : quelle conduite tenir cette nuit et demain ?"],
        "fg.visio": [rng.random() < 0.3],
        "fg.demandeur": [one_of(rng, {"ide": 70, "cadre": 8, "medco": 12, "mt": 5, "as": 5})],
        "fg.tel": [f"01 99 00 {rng.randrange(100):02d} {rng.randrange(100):02d}"],
        "fg.gir": [one_of(rng, {"1": 20, "2": 32, "3": 20, "4": 22, "5": 4, "6": 2})],
        "fg.avq": [one_of(rng, {"marche-seul": 12, "marche-aide": 34, "fauteuil": 38, "alite": 16})],
        "fg.cognitif": [one_of(rng, {"normal": 18, "leger": 24, "modere": 32, "severe": 26})],
        "fg.comorb": [one_of(rng, {"hta": 40, "ic": 20, "demence": 25, "bpco": 15})],
        "fg.ttt": ["Voir l’ordonnance jointe."],
        "fg.ttt.risque": [one_of(rng, {"aucun": 45, "anticoagulant": 25, "antiagregant": 20, "insuline": 10})],
        "fg.allergies": ["Aucune connue"],
        "fg.da": [one_of(rng, {"non": 60, "oui-non-jointes": 25, "nsp": 15})],
        "fg.souhait": [one_of(rng, {"maintien-ehpad": 55, "hospitalisation": 15, "confort": 10, "nsp": 20})],
        "fg.nts": [one_of(rng, {"maximal": 15, "pas-de-rea": 45, "pas-hospit-sauf-confort": 15, "non-defini": 25})],
        "fg.pconf.prevenue": [one_of(rng, {"oui": 60, "non": 30, "injoignable": 10})],
        "fg.consent": [one_of(rng, {"oui": 65, "impossible": 35})],
        "fg.covid.statut": [one_of(rng, {"confirme": 40, "suspect": 30, "contact": 10, "non-teste": 20})],
        "fg.hydratation": [one_of(rng, {"normal": 55, "diminue": 40, "refus": 5})],
        "fg.oxygene": [one_of(rng, {"concentrateur-5": 60, "obus": 15, "mural": 5, "non": 20})],
        "fg.ide.nuit": [one_of(rng, {"aucune": 60, "astreinte": 28, "presence": 12})],
        "fg.effectif": [one_of(rng, {"normal": 50, "tension": 40, "critique": 10})],
    }


def outbreaks(rng: random.Random, count: int) -> list[list[int]]:
    """So many past requests, by outbreak: how many days ago each was sent, two at least."""
    found: list[list[int]] = []
    left = count
    while left:
        size = min(left, rng.randint(*OUTBREAK))
        began = min(DAYS - 1, max(9, round(rng.gauss(WAVE, WIDTH))))
        found.append([began - rng.randrange(7) for _one in range(size)])
        left -= size
    return found


def residents(rng: random.Random, patients: list[Any], count: int, today: date) -> list[Any]:
    """So many of these people, as old as residents are, three women to a man: the nearest to what is drawn, each once."""
    known: dict[bool, list[tuple[int, Any]]] = {True: [], False: []}
    for one in sorted(patients, key=lambda one: (one.birth_date, one.pk)):
        known[one.sex == "F"].append(((today - one.birth_date).days, one))
    for people in known.values():
        people.reverse()  # the youngest first
    found: list[Any] = []
    while len(found) < min(count, len(patients)):
        woman = rng.random() < WOMEN
        people = known[woman] or known[not woman]
        at = min(bisect(people, rng.gauss(AGE, SPREAD) * 365.25, key=lambda one: one[0]), len(people) - 1)
        found.append(people.pop(at)[1])
    return found


def moment(rng: random.Random, now: datetime, days: int) -> datetime:
    """When a request of so many days ago was sent, mostly by day."""
    day = (now - timedelta(days=days)).astimezone(PARIS)
    hour = rng.randrange(8, 19) if rng.random() < BY_DAY else rng.choice([19, 20, 21, 22, 23, 0, 1, 2, 3, 4, 5, 6, 7])
    return day.replace(hour=hour, minute=rng.randrange(60), second=rng.randrange(60)).astimezone(now.tzinfo)


def build(region: Region, rng: random.Random) -> None:
    """A past of requests, all ended, and three that are going on in the nursing home of the personas."""
    Maker(region, rng).fill()


class Maker:
    """What one build knows of homes, on-calls and residents."""

    def __init__(self, region: Region, rng: random.Random) -> None:
        self.region, self.rng, self.rows = region, rng, Rows()
        self.form: Questionnaire = current("filgeria-demande")
        self.covers = {
            one.establishment_id: one.primary for one in Cover.objects.select_related("primary__establishment")
        }
        self.pools: dict[Any, list[Any]] = {}
        for member in PoolMember.objects.select_related("user").order_by("created_at", "id"):
            self.pools.setdefault(member.service_id, []).append(member.user)
        self.night = next(one for one in region.services if one.need == Need.NIGHT)
        old = [one for one in region.patients if one.birth_date and one.deceased_on is None]
        self.old = residents(rng, old, max(40, COUNT[region.size]), region.now.date())
        self.number = self.elsewhere = 0
        self.dead: list[Patient] = []

    def fill(self) -> None:
        count, here = COUNT[self.region.size], self.region.places["nursing_home"]
        others = [one for one in self.region.establishments if one.kind == Kind.EHPAD and one != here]
        ill = outbreaks(self.rng, count - 3)
        asking = self.rng.sample(others, min(len(others), len(ill) - 1))
        for number, days in enumerate(ill):
            home = asking[(number - 1) % len(asking)] if number and asking else here
            for ago in days:
                self._past(home, moment(self.rng, self.region.now, ago))
        self._now(here)
        made = dlu.build(self.region, self.rows.requests, self.rows.decisions)
        self.rows.responses += made.responses
        self.rows.dlus, self.rows.transfers = made.dlus, made.transfers
        self.rows.insert()
        Patient.objects.bulk_update(self.dead, ["deceased_on"], batch_size=500)

    def _death(self, home: Any, at: datetime) -> datetime | None:
        """When the resident of a request dies, more often soon than late; None for those who live, or do as yet. Nobody in the
        home of the personas: its residents are there to be asked for."""
        if home == self.region.places["nursing_home"]:
            return None
        self.elsewhere += 1
        dies = self.elsewhere * DIED[0] % DIED[1] < DIED[0]
        died = at + timedelta(days=MONTH * self.rng.random() ** 2)
        return died if dies and self.region.dying and died < self.region.now - timedelta(hours=8) else None

    def _begin(self, home: Any, at: datetime, service: Any, patient: Any = None, **changes: Any) -> Request:
        """Dossier, links, answers and the row of a request that was sent at this moment, of this patient or the next one."""
        rng, answers = self.rng, {**draw(self.rng, at), **changes}
        if patient is None:
            patient = self.old[self.number % len(self.old)]
            self.number += 1
        begun = at - timedelta(minutes=8)
        dossier = Dossier(
            id=new_id(rng), created_at=begun, kind="liaison", reference=self._reference(), patient=patient,
            establishment=home, phase="open",
        )  # fmt: skip
        self.rows.dossiers.append(dossier)
        common = {"patient": patient, "basis": "episode", "about": dossier.pk, "created_at": at}
        self.rows.links += [
            CareLink(id=new_id(rng), establishment_id=home.pk, **common),
            CareLink(id=new_id(rng), service_id=service.pk, **common),
        ]
        self.rows.participants.append(
            Participant(id=new_id(rng), created_at=at, dossier=dossier, service=service,
                        establishment=service.establishment, role="asked")
        )  # fmt: skip
        nurse = next(iter(self.region.members.get(home.pk, {}).get("caregiver", [])), None)
        response = Response(
            id=new_id(rng), created_at=at, questionnaire=self.form, about=dossier.pk, answers=answers, voice="patient",
            relation="professionnel", actor_kind="professional", user_id=nurse.pk if nurse else None,
            establishment_id=home.pk, started_at=at - timedelta(minutes=6), ended_at=at, received_at=at,
            request_key=new_id(rng),
        )  # fmt: skip
        self.rows.responses.append(response)
        found = scores.score(answers)
        request = Request(
            dossier=dossier, patient=patient, establishment=home, state=State.SUBMITTED, response=response,
            urgency=answers["fg.urgence"][0], motive=answers["fg.motif"][0], red=bool(found.red), news2=found.news2,
            qsofa=found.qsofa, submitted_at=at, service=service, line=service.phone, asked_at=at,
        )  # fmt: skip
        self.rows.requests.append(request)
        self._event(request, "created", begun, nurse)
        self._event(request, "submit", at, nurse)
        return request

    def _past(self, home: Any, at: datetime) -> None:
        """A request that was answered, looked at again, and ended; of those whose resident died meanwhile, by it."""
        rng = self.rng
        by_day = 8 <= at.astimezone(PARIS).hour < 19
        service = self.covers.get(home.pk, self.night) if by_day else self.night
        doctor = rng.choice(self.pools[service.pk])
        died = self._death(home, at)
        request = self._begin(home, at, service, self.region.dying.pop() if died else None)
        taken = at + timedelta(minutes=rng.lognormvariate(0, 0.6) * FIRST_RESPONSE)
        self._event(request, "take", taken, doctor)
        code = one_of(rng, DECISIONS)
        again = one_of(rng, REVIEWS)
        told = self._decide(
            request, doctor, code, taken + timedelta(minutes=max(4, rng.gauss(10, 3))), reviews=again > 0
        )
        if died:
            died = max(died, told + SOONEST)
            request.patient.deceased_on = died.astimezone(PARIS).date()
            self.dead.append(request.patient)
        for left in range(again - 1, -1, -1):
            later = min(told + timedelta(hours=rng.choice([4, 12, 24])), self.region.now - timedelta(hours=2))
            if died and later >= died:
                break
            told = self._decide(request, doctor, Code.STAY, later, reviews=left > 0)
        ended = min(told + timedelta(hours=rng.randrange(2, 30)), self.region.now - timedelta(hours=1))
        request.responsible, request.taken_at, request.advised_at = doctor, taken, taken
        request.closing = ENDS.get(code, rng.choice([Closing.BETTER, Closing.STABLE]))
        if died and died <= ended:
            self._died(request, doctor, died, in_hospital=code in TO_HOSPITAL)
            return
        self._set(request, State.CLOSED, "closed")
        request.closed_at = request.dossier.closed_at = ended
        self._event(request, "close", ended, doctor)

    def _died(self, request: Request, doctor: Any, at: datetime, *, in_hospital: bool) -> None:
        """As `actions.leaving.died` leaves it."""
        self.rows.departures.append(
            Departure(
                id=new_id(self.rng), created_at=at, demand=request, by=doctor, kind=Departure.Kind.DIED, at=at,
                why="Décès annoncé par l’EHPAD." if not in_hospital else "Décès annoncé par l’hôpital.",
                place="Hôpital" if in_hospital else request.establishment.name[:160],
            )
        )  # fmt: skip
        self._event(request, "died", at, doctor)
        self._event(request, "end", at, None)
        request.closing = Closing.DIED_IN_HOSPITAL if in_hospital else Closing.DIED_HERE
        self._set(request, State.CLOSED, "closed")
        request.closed_at = request.dossier.closed_at = at

    def _set(self, request: Request, state: State, phase: str) -> None:
        request.state = state
        request.dossier.phase = phase

    def _decide(self, request: Request, doctor: Any, code: str, at: datetime, *, reviews: bool) -> datetime:
        self.rows.decisions.append(
            Decision(
                id=new_id(self.rng), created_at=at, demand=request, by=doctor, responsible=doctor,
                service=request.service, code=code, care_level="pas-de-rea", justification=WHY,
                plan="Constantes toutes les quatre heures, rappeler sous 88 %.", family="oui",
                review_at=at + timedelta(hours=4) if reviews else None,
            )
        )  # fmt: skip
        self._event(request, "advise", at, doctor)
        return at

    def _now(self, home: Any) -> None:
        """In the home of the personas: one that waits, one in hand, one to look at again, each with whoever is on duty."""
        now = self.region.now
        duty = next(iter(route(home, now)))
        for minutes, state, changes in (
            (4, State.SUBMITTED, {"fg.urgence": ["urgente"], "fg.motif": ["dyspnee"], "fg.spo2": [87]}),
            (35, State.TAKEN, {"fg.urgence": ["rapide"], "fg.motif": ["fievre"], "fg.temp": [38.9]}),
            (180, State.REVIEW, {"fg.urgence": ["rapide"], "fg.motif": ["confusion"]}),
        ):
            request = self._begin(home, now - timedelta(minutes=minutes), duty.service, **changes)
            request.responsible, request.unowned_since = duty.user, None if duty.user else request.submitted_at
            request.asked = [duty.user.pk if duty.user else duty.service.pk]
            if state == State.SUBMITTED or not duty.user:
                continue
            self._set(request, state, "open")
            request.taken_at, request.asked = now - timedelta(minutes=minutes - 10), []
            self._event(request, "take", request.taken_at, duty.user)
            if state == State.REVIEW:
                told = self._decide(request, duty.user, Code.STAY, now - timedelta(minutes=160), reviews=True)
                request.advised_at, request.review_at = told, told + timedelta(hours=4)
                self._event(request, "plan", told, duty.user)

    def _event(self, request: Request, verb: str, at: datetime, user: Any) -> None:
        self.rows.events.append(
            Event(dossier=request.dossier, at=at, verb=verb, actor_kind="professional" if user else "system", user=user)
        )

    def _reference(self) -> str:
        text = "".join(self.rng.choice("23456789ABCDEFGHJKLMNPQRSTUVWXYZ") for _one in range(8))
        return f"FG-{text[:4]}-{text[4:]}"
