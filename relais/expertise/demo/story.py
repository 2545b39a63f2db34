"""One request of the demo region, from its form to the day on which it is closed."""

import hashlib
import io
import math
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from relais.accounts.models import User
from relais.core.actor import PROFESSIONAL
from relais.core.demo import Batch, new_id
from relais.directory.models import Establishment, Service
from relais.dossiers.actions import ALPHABET
from relais.dossiers.models import Document, DocumentKind, Dossier, Event, Note, Participant
from relais.expertise import delays, printing
from relais.expertise.models import AskedAs, Expertise, Form, Opinion, Recourse, Refusal
from relais.expertise.workflow import HELD, PHASES, State
from relais.files import content, vault
from relais.files.dicom import phantom
from relais.files.models import StoredFile
from relais.patients.models import Basis, CareLink, Patient
from relais.questionnaires.models import Questionnaire, Relation, Response, Voice

MEDIAN_HOURS, SPREAD = 3.2, 0.9
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
    links: list[CareLink] = field(default_factory=list)
    participants: list[Participant] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    files: list[StoredFile] = field(default_factory=list)
    documents: list[Document] = field(default_factory=list)
    opinions: list[Opinion] = field(default_factory=list)


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
    printed: bool = False  # what the expert signs is made as PDF


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
        plan, patient = self.plan, self.plan.patient
        said: dict[str, Any] = {
            "name": f"{patient.family_name}^{patient.given_name}".upper(),
            "born": patient.birth_date,
        }
        data = phantom.series(of=12, day=self.began.date(), **said)
        self._document(
            data, content.SERIES.content_type, self.began, plan.asker,
            name="scanner.zip", kind=DocumentKind.OTHER, title="Scanner cérébral",
        )  # fmt: skip

    def _document(
        self, data: bytes, content_type: str, at: datetime, author: User, *, name: str, kind: DocumentKind, title: str
    ) -> Document:
        """A file of the dossier, written where files lie."""
        file = StoredFile(
            id=new_id(self.rng), created_at=at, name=name, content_type=content_type, size=len(data),
            sha256=hashlib.sha256(data).hexdigest(), created_by=author.pk,
        )  # fmt: skip
        vault.write(io.BytesIO(data), vault.path_of(file.pk))
        document = Document(
            id=new_id(self.rng), created_at=at, dossier=self.dossier, file=file, kind=kind, title=title, author=author
        )
        self.rows.files.append(file)
        self.rows.documents.append(document)
        self._event(at, "document_added", author, document=str(document.pk), kind=kind)
        return document

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
            asked.level = delays.silence_at(plan.urgency, asked.due_at - asked.left, self.now)
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
        opinion = Opinion(
            id=new_id(rng), created_at=self.answered, expertise_id=self.dossier.pk, number=1, service=plan.service,
            expert=plan.expert, response=response, rpps=plan.expert.rpps or "", asked_at=plan.sent_at,
            signed_at=self.answered,
            digest=hashlib.sha256(f"{self.dossier.reference} {said}".encode()).hexdigest(),
        )  # fmt: skip
        if plan.printed:
            self._print(opinion)
        self.rows.opinions.append(opinion)
        self._event(self.answered, "answer", plan.expert, source="prise-en-charge", state="repondue")
        if plan.state == State.CLOSED:
            urgent = asked.orientation.startswith("hospitalisation")
            drawn = rng.choices(Recourse.values, [55, 10, 35])[0]
            asked.recourse = Recourse.MADE if urgent else drawn
            self._event(self.closed, "close", plan.asker, source="repondue", state="cloturee")

    def _print(self, opinion: Opinion) -> None:
        """The PDF that its expert signed."""
        at = opinion.signed_at
        report = printing.report(self.asked, opinion, taken_at=self.asked.taken_at)
        opinion.digest = report.digest
        opinion.document = self._document(
            printing.report_pdf(report), "application/pdf", at, opinion.expert,
            name=f"avis-{self.dossier.reference}.pdf", kind=DocumentKind.REPORT, title="Avis de l’expert",
        )  # fmt: skip

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
