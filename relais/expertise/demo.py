"""This module's part of the demo region: requests to the pools of experts, in every state (domain.md §9.4).

12 % ask by the COVID form; urgencies 3/22/40/35 %; answered in 3.2 h at the median; 6 % refused. Each dossier has what its
pages show: participants, care links, the form as it was sent, the opinion, events.
"""

import hashlib
import io
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from relais.accounts.models import Role, User
from relais.core.actor import PROFESSIONAL
from relais.core.demo import Batch, Region, insert, new_id
from relais.directory.models import Establishment, Kind, Need, Service, Way
from relais.dossiers.actions import ALPHABET
from relais.dossiers.models import Document, DocumentKind, Dossier, Event, Note, Participant
from relais.expertise import delays
from relais.expertise.models import AskedAs, Expertise, Form, Opinion, Recourse, Refusal, Urgency, Wording
from relais.expertise.workflow import HELD, PHASES, State
from relais.files import content, vault
from relais.files.dicom import phantom
from relais.files.models import StoredFile
from relais.oncall.models import PoolMember
from relais.patients.models import Basis, CareLink, Patient
from relais.questionnaires.models import Questionnaire, Relation, Response, Voice
from relais.questionnaires.queries import current

COUNT = {"small": 40, "tenth": 15_000, "region": 150_000, "stress": 200}
PERSONA = {"small": 14, "tenth": 60, "region": 60, "stress": 14}  # asked of the expert's own service, whatever the size
DAYS, BATCH = 300, 2000
URGENCIES, WEIGHTS = list(Urgency), [3, 22, 40, 35]
COVID_SHARE, MEDIAN_HOURS, SPREAD = 0.12, 3.2, 0.9
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
ANSWERED = (State.ANSWERED, State.CLOSED, State.ADMISSION)
ORIENTATIONS = ["maintien", "consultation", "hospitalisation-programmee", "hospitalisation-urgente", "had", "palliatif"]
STORIES = [
    (
        "Chute hier soir, somnolente depuis ce matin. Pas de déficit.",
        "Faut-il un scanner cérébral chez cette patiente sous anticoagulant ?",
        "Le risque d’hématome sous-dural justifie une imagerie dans la journée.",
        "Scanner sans injection ce jour. Surveillance neurologique toutes les 4 h en attendant.",
    ),
    (
        "Œdèmes des membres inférieurs et dyspnée d’effort depuis une semaine, prise de 3 kg.",
        "Comment adapter le diurétique chez ce patient insuffisant rénal ?",
        "Décompensation cardiaque modérée, sans signe de gravité.",
        "Doubler le furosémide pendant 5 jours. Ionogramme et créatinine à J3. Poids chaque matin.",
    ),
    (
        "Plaie du talon qui ne cicatrise pas depuis deux mois, fibrineuse, peu exsudative.",
        "Quel pansement, et faut-il une exploration artérielle ?",
        "Escarre de stade 3, composante artérielle probable.",
        "Mise en décharge complète, détersion, hydrogel. Index de pression systolique avant tout geste.",
    ),
    (
        "Agitation la nuit, refus de soins depuis le changement de chambre.",
        "Peut-on éviter un neuroleptique ?",
        "Syndrome confusionnel à explorer avant tout traitement.",
        "Rechercher globe, fécalome, douleur, infection. Mesures d’environnement. Réévaluer à 48 h.",
    ),
    (
        "Glycémies entre 2 et 4 g/L depuis l’infection urinaire traitée la semaine dernière.",
        "Faut-il passer à l’insuline ?",
        "Déséquilibre transitoire lié à l’infection.",
        "Insuline lente 8 unités le soir, glycémies trois fois par jour, objectif 1,5 à 2 g/L.",
    ),
    (
        "Toux et fièvre à 38,5 depuis trois jours, SpO2 à 93 %, mange moins.",
        "Hospitaliser ou traiter sur place ?",
        "Pneumopathie sans critère d’hospitalisation immédiate.",
        "Amoxicilline 1 g trois fois par jour, 7 jours. Rappeler si SpO2 < 92 % ou FR > 24/min.",
    ),
]
SCANNED = (
    "Chute hier soir sous anticoagulant, céphalées depuis ce matin. Scanner fait aux urgences, joint.",
    "Ce scanner montre-t-il un hématome à opérer ?",
    "Collection extra-axiale droite, sans engagement.",
    "Avis neurochirurgical téléphonique fait. Surveillance neurologique toutes les 2 h.",
)  # the request that comes with a series of DICOM images
COVID: dict[str, list[Any]] = {
    "tc.statut": ["confirme"], "tc.j": [7], "tc.test": ["positif"], "tc.symptomes": ["toux", "fievre"],
    "tc.gravite": ["aucun"], "tc.spo2aa": [93], "tc.oxygene": ["concentrateur"], "tc.nts": ["limite-pas-rea"],
    "tc.da": ["non"], "tc.isolement": ["chambre"], "tc.attendu": ["maintien-avec-conseils"],
}  # fmt: skip


@dataclass
class Rows(Batch):
    """What one batch inserts, in the order of the foreign keys."""

    dossiers: list[Dossier] = field(default_factory=list)
    responses: list[Response] = field(default_factory=list)
    asked: list[Expertise] = field(default_factory=list)
    opinions: list[Opinion] = field(default_factory=list)
    links: list[CareLink] = field(default_factory=list)
    participants: list[Participant] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    files: list[StoredFile] = field(default_factory=list)
    documents: list[Document] = field(default_factory=list)

    def insert(self) -> None:
        """What happened in the order in which it did."""
        self.events.sort(key=lambda one: one.at)
        super().insert()


@dataclass(frozen=True)
class Plan:
    """One request: who asks whom about whom, when, and what became of it."""

    asker: User
    place: Establishment
    service: Service
    expert: User
    patient: Patient
    state: State
    urgency: str
    sent_at: datetime
    covid: bool
    scanned: bool = False


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
    total, own = COUNT[region.size], PERSONA[region.size]
    states = [state for state in State if state != State.DRAFT]
    doctor, hospital = region.personas["doctor"], region.places["hospital"]
    for number in range(own):
        shown = states[number % len(states)]
        asker = (doctor, hospital) if number % 3 == 0 else askers[number % len(askers)]
        service, experts = pools[0] if number % 3 else pools[-1]
        urgency = URGENCIES[number % 4]
        ago = delays.DELAYS[urgency] * (1.2 if number % 9 == 4 else 0.4)
        expert = region.personas["expert"] if region.personas.get("expert") in experts else experts[0]
        yield Plan(
            *asker, service, expert, patients[number % len(patients)], shown, urgency, region.now - ago, number % 5 == 0,
            scanned=number == states.index(State.TAKEN),
        )  # fmt: skip
    yield Plan(
        doctor, hospital, pools[0][0], pools[0][1][0], patients[0], State.DRAFT, "", region.now, covid=False
    )  # fmt: skip
    for _index in range(total - own - 1):
        service, experts = rng.choice(pools[1:] or pools)
        urgency = rng.choices(URGENCIES, WEIGHTS)[0]
        state: State
        if rng.random() < OPEN_SHARE:
            state = State(rng.choice(LIVE))
            sent = region.now - delays.DELAYS[urgency] * rng.uniform(0.1, 1.05)
        else:
            state = State(rng.choices(list(PAST), list(PAST.values()))[0])
            sent = region.now - timedelta(days=rng.uniform(3, DAYS))
        asker = rng.choice(askers)
        yield Plan(
            *asker, service, rng.choice(experts), rng.choice(patients), state, urgency, sent, rng.random() < COVID_SHARE
        )


class Story:
    """The rows of one request."""

    def __init__(
        self, plan: Plan, rng: random.Random, rows: Rows, forms: dict[str, Questionnaire], now: datetime
    ) -> None:
        self.plan, self.rng, self.rows, self.forms, self.now = plan, rng, rows, forms, now
        self.text = rng.choice(STORIES)
        if plan.scanned:
            self.text = SCANNED
        self.began = plan.sent_at - timedelta(minutes=rng.uniform(4, 25))
        hours = rng.lognormvariate(math.log(MEDIAN_HOURS), SPREAD)
        self.answered = min(plan.sent_at + timedelta(hours=hours), now)
        self.taken = plan.sent_at + (self.answered - plan.sent_at) * 0.4
        self.closed = min(self.answered + timedelta(hours=rng.uniform(1, 72)), now)

    def tell(self) -> None:
        """Everything that hangs from it, with the times at which it happened."""
        plan, rng, state = self.plan, self.rng, self.plan.state
        reference = "".join(rng.choices(ALPHABET, k=8))
        phase, done = PHASES[state], state in (*ANSWERED, State.REFUSED)
        self.dossier = Dossier(
            id=new_id(rng), kind="expertise", reference=f"TE-{reference[:4]}-{reference[4:]}", patient=plan.patient,
            establishment=plan.place, phase=phase, opened_by=plan.asker.pk, created_at=self.began,
            done_at=self.answered if done else None, closed_at=self.closed if phase == "closed" else None,
        )  # fmt: skip
        self.rows.dossiers.append(self.dossier)
        self._link(establishment_id=plan.place.pk)
        self._event(self.began, "created", plan.asker)
        self.asked = Expertise(
            dossier=self.dossier, establishment=plan.place, requester=plan.asker, state=state, request_key=new_id(rng),
            form=Form.COVID if plan.covid else Form.GENERAL,
        )  # fmt: skip
        if state == State.DRAFT:
            self.asked.draft = {"tg.histoire": [self.text[0]]}
        else:
            self._sent()
            self._what_followed()
        self.rows.asked.append(self.asked)
        if plan.scanned:
            self._scan()

    def _scan(self) -> None:
        """The images of a head that nobody has, under the patient's name."""
        patient, rng = self.plan.patient, self.rng
        said: dict[str, Any] = {
            "name": f"{patient.family_name}^{patient.given_name}".upper(),
            "born": patient.birth_date,
        }
        data = phantom.series(of=12, day=self.began.date(), **said)
        file = StoredFile(
            id=new_id(rng), created_at=self.began, name="scanner.zip", content_type=content.SERIES.content_type,
            size=len(data), sha256=hashlib.sha256(data).hexdigest(), created_by=self.plan.asker.pk,
        )  # fmt: skip
        vault.write(io.BytesIO(data), vault.path_of(file.pk))
        document = Document(
            id=new_id(rng), created_at=self.began, dossier=self.dossier, file=file, kind=DocumentKind.OTHER,
            title="Scanner cérébral", author=self.plan.asker,
        )  # fmt: skip
        self.rows.files.append(file)
        self.rows.documents.append(document)
        self._event(self.began, "document_added", self.plan.asker, document=str(document.pk), kind=document.kind)

    def _sent(self) -> None:
        plan, asked = self.plan, self.asked
        due = plan.sent_at + delays.DELAYS[plan.urgency]
        asked.service, asked.urgency, asked.motive = plan.service, plan.urgency, "conduite-a-tenir"
        asked.sent_at, asked.due_at, asked.rank = plan.sent_at, due, delays.rank(plan.urgency, due)
        asked.asked_as = self.rng.choice(AskedAs.values)
        asked.response = self._response(asked.form, plan.asker, plan.place, plan.sent_at, self._answers())
        self._link(service_id=plan.service.pk)
        self.rows.participants.append(
            Participant(
                id=new_id(self.rng), dossier=self.dossier, service=plan.service,
                establishment_id=plan.service.establishment_id, role="expert", created_at=plan.sent_at,
            )
        )  # fmt: skip
        self._event(plan.sent_at, "send", plan.asker, source="brouillon", state="envoyee")

    def _what_followed(self) -> None:
        plan, asked, state = self.plan, self.asked, self.plan.state
        if state in (*HELD, *ANSWERED):
            asked.expert, asked.taken_at = plan.expert, self.taken
            self._event(self.taken, "take", plan.expert, source="envoyee", state="prise-en-charge")
        if state == State.COMPLEMENT_ASKED and asked.due_at:
            asked.left = max(asked.due_at - self.now, timedelta(0))
        if state in ANSWERED:
            self._answer()
        if state == State.REFUSED:
            asked.refusal = self.rng.choice(Refusal.values)
            self._event(self.answered, "refuse", plan.expert, source="envoyee", state="refusee")
        if state == State.CANCELLED:
            asked.cancel_reason = "La situation s’est réglée sur place."
            self._event(self.answered, "cancel", plan.asker, source="envoyee", state="annulee")
        if state in (State.COMPLEMENT_ASKED, State.COMPLEMENT_GIVEN):
            self._note("Pouvez-vous joindre la dernière biologie ?", plan.expert)
        if asked.due_at and state in (*HELD, State.SENT, State.REDIRECTED) and state != State.COMPLEMENT_ASKED:
            asked.level = delays.level_at(plan.urgency, asked.due_at, self.now)

    def _answer(self) -> None:
        plan, asked, rng = self.plan, self.asked, self.rng
        asked.answered_at = self.answered
        asked.orientation = "admission" if plan.state == State.ADMISSION else rng.choice(ORIENTATIONS)
        said: dict[str, list[Any]] = {"tr.conclusion": [self.text[2]], "tr.cat": [self.text[3]]}
        if asked.orientation != "admission":
            said["tr.orientation"] = [asked.orientation]
        if rng.random() < 0.2:
            asked.review_on = (self.answered + timedelta(days=rng.randrange(7, 45))).date()
            said["tr.suivi"] = [asked.review_on.isoformat()]
            asked.reviewed_at = self.closed if plan.state == State.CLOSED and rng.random() < 0.98 else None
        response = self._response("tle-reponse", plan.expert, plan.place, self.answered, said)
        self.rows.opinions.append(
            Opinion(
                id=new_id(rng), created_at=self.answered, expertise_id=self.dossier.pk, number=1, service=plan.service,
                expert=plan.expert, response=response, document=None, rpps=plan.expert.rpps or "",
                digest=hashlib.sha256(f"{self.dossier.reference} {said}".encode()).hexdigest(), signed_at=self.answered,
            )
        )  # fmt: skip
        self._event(self.answered, "answer", plan.expert, source="prise-en-charge", state="repondue")
        if plan.state == State.CLOSED:
            urgent = asked.orientation.startswith("hospitalisation")
            drawn = rng.choices(Recourse.values, [55, 10, 35])[0]
            asked.recourse = Recourse.MADE if urgent else drawn
            self._event(self.closed, "close", plan.asker, source="repondue", state="cloturee")

    def _answers(self) -> dict[str, list[Any]]:
        given: dict[str, list[Any]] = {
            "tg.urgence": [self.plan.urgency], "tg.specialite": [self.plan.service.name], "tg.lieu": ["ehpad"],
            "tg.motif": ["conduite-a-tenir"], "tg.question": [self.text[1]], "tg.histoire": [self.text[0]],
            "tg.allergies": ["aucune connue"], "tg.spo2": [self.rng.randrange(91, 99)],
            "tg.fc": [self.rng.randrange(62, 110)], "tg.consentement": ["oui"], "tg.rappel": ["+33199000012"],
        }  # fmt: skip
        if self.plan.covid:
            given |= COVID | {"tc.test.date": [(self.plan.sent_at - timedelta(days=2)).date().isoformat()]}
        return given

    def _response(self, form: str, user: User, place: Establishment, at: datetime, answers: dict[str, Any]) -> Response:
        made = Response(
            id=new_id(self.rng), created_at=at, questionnaire=self.forms[form], about=self.dossier.pk, answers=answers,
            voice=Voice.PATIENT, relation=Relation.PROFESSIONAL, actor_kind=PROFESSIONAL, user_id=user.pk,
            establishment_id=place.pk, started_at=at, ended_at=at, received_at=at, request_key=new_id(self.rng),
        )  # fmt: skip
        self.rows.responses.append(made)
        return made

    def _link(self, **holder: Any) -> None:
        at = self.began if "establishment_id" in holder else self.plan.sent_at
        self.rows.links.append(
            CareLink(
                id=new_id(self.rng), patient=self.plan.patient, basis=Basis.EPISODE, about=self.dossier.pk,
                created_at=at, **holder,
            )
        )  # fmt: skip

    def _note(self, text: str, author: User) -> None:
        self.rows.notes.append(
            Note(id=new_id(self.rng), created_at=self.taken, dossier=self.dossier, text=text, author=author)
        )
        self.asked.noted_at, self.asked.noted_by = self.taken, author.pk

    def _event(self, at: datetime, verb: str, user: User, **data: str) -> None:
        self.rows.events.append(
            Event(dossier=self.dossier, at=at, verb=verb, actor_kind=PROFESSIONAL, user=user, data=data)
        )
