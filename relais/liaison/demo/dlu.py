"""The DLU of the demo's residents, some of them stale, and a few ways to the hospital and back; all invented."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from relais.core.demo import Region, landline, new_id
from relais.core.paris import PARIS
from relais.liaison.models import TO_HOSPITAL, Decision, Dlu, HospitalTransfer, Request
from relais.liaison.queries.dlu import SHARED
from relais.liaison.queries.transfers import SAME
from relais.questionnaires.models import Questionnaire, Response
from relais.questionnaires.queries import current

HAVE = 0.85  # of the residents about whom somebody asked
OLD = 0.15  # of those, older than six months
TWICE = 0.4  # written more than once
LEFT = 0.7  # of the decisions that send to a hospital, with a sheet
LINES = {
    "dlu.problemes": (
        "Insuffisance cardiaque, FEVG 40 %.",
        "Démence de type Alzheimer.",
        "BPCO stade 2.",
        "HTA équilibrée.",
    ),
    "dlu.antecedents": (
        "Prothèse de hanche droite.",
        "Cholécystectomie.",
        "AVC ischémique sans séquelle.",
        "Aucun notable.",
    ),
    "dlu.allergies": ("Aucune connue", "Aucune connue", "Pénicilline : éruption", "Iode"),
    "dlu.ttt": (
        "Bisoprolol 2,5 mg le matin, furosémide 40 mg le matin.",
        "Paracétamol 1 g si douleur.",
        "Voir l’ordonnance.",
    ),
    "dlu.bio": ("Créatinine 92 µmol/L, Hb 11,8 g/dL, CRP 6 mg/L.", "Ionogramme normal, albumine 34 g/L."),
}
CHOICES = {
    "dlu.continence": ("continent", "urinaire", "double"), "dlu.nutrition": ("normale", "hachee", "mixee"),
    "dlu.communication": ("facile", "surdite", "vue"), "dlu.comportement": ("calme", "deambulation", "apathie"),
    "dlu.dispositifs": ("aucun", "aucun", "aucun", "pacemaker", "oxygene"), "dlu.protheses": ("lunettes", "dentaire-haut"),
    "dlu.peau": ("intacte", "intacte", "fragile", "escarre"), "dlu.vaccins": ("grippe", "covid"),
}  # fmt: skip


@dataclass(frozen=True)
class Made:
    """What is added to the batch."""

    responses: list[Response]
    dlus: list[Dlu]
    transfers: list[HospitalTransfer]


def draw(rng: random.Random, known: dict[str, list[Any]], phone: str) -> dict[str, list[Any]]:
    """A whole DLU that agrees with what a request said of the resident."""
    drawn: dict[str, list[Any]] = {name: [rng.choice(texts)] for name, texts in LINES.items()}
    drawn |= {name: [rng.choice(codes)] for name, codes in CHOICES.items()}
    return drawn | {ours: known[name] for name, ours in SHARED.items() if known.get(name) and name != "fg.tel"} | {
        "dlu.tel": [phone or landline(rng)],
        "dlu.mt": [f"Dr Tilleul, {landline(rng)}"],
        "dlu.medco": [f"Dr Sureau, {landline(rng)}"],
        "dlu.pconf": [f"Sa fille, {landline(rng)}"],
        "dlu.proches": [f"Sa fille, {landline(rng)}", f"Son neveu, {landline(rng)}"],
        "dlu.prevenir": [rng.choice(["toujours", "jour"])],
        "dlu.protection": [rng.choice(["aucune", "aucune", "tutelle", "habilitation"])],
        "dlu.palliatif": [rng.random() < 0.08],
        "dlu.isolement": ["contact" if rng.random() < 0.08 else "aucune"],
        "dlu.bmr": ["portage" if rng.random() < 0.06 else "non"],
        "dlu.pieces": ["ordonnance", "vitale", "bio"],
        "dlu.fr": [rng.randrange(14, 21)], "dlu.spo2": [rng.randrange(91, 99)], "dlu.fc": [rng.randrange(58, 92)],
        "dlu.pas": [rng.randrange(105, 150)], "dlu.pad": [rng.randrange(58, 88)],
        "dlu.temp": [round(rng.uniform(36.3, 37.1), 1)], "dlu.poids": [round(rng.uniform(42, 84), 1)],
    }  # fmt: skip


def build(region: Region, requests: list[Request], decisions: list[Decision]) -> Made:
    """A DLU for most residents about whom somebody asked. In the nursing home of the personas the first has one that is up
    to date, the second one of seven months, the third came back from a hospital since."""
    rng = random.Random(f"dlu {region.size}")  # noqa: S311  invented; its own: what the others draw stays
    maker = Maker(region, rng)
    here = region.places["nursing_home"]
    last = {one.demand_id: one for one in sorted(decisions, key=lambda one: one.created_at)}
    mine, seen = 0, set()
    for request in requests:
        author = maker.author_of(request.establishment_id)
        if author is None or request.patient_id in seen:
            continue
        seen.add(request.patient_id)
        days, left = rng.randrange(5, 150), last.get(request.pk)
        if rng.random() < OLD:
            days = rng.randrange(190, 320)
        if request.establishment_id == here.pk:
            mine += 1
            days = {1: 20, 2: 213, 3: 40}.get(mine, days)
            if mine == 3:
                maker.leave(request, author, region.now - timedelta(days=12), demand=None)
        elif rng.random() > HAVE:
            continue
        at = region.now - timedelta(days=days, minutes=rng.randrange(600))
        if request.patient.deceased_on and request.submitted_at:
            at = min(at, request.submitted_at)
        maker.write(request, author, at)
        if left and left.code in TO_HOSPITAL and request.closed_at and rng.random() < LEFT:
            maker.leave(request, author, left.created_at + timedelta(minutes=rng.randrange(20, 90)), demand=request)
    return maker.made


class Maker:
    """What one build knows of forms and authors."""

    def __init__(self, region: Region, rng: random.Random) -> None:
        self.region, self.rng, self.made = region, rng, Made([], [], [])
        self.dlu, self.front, self.back = (
            current(name) for name in ("filgeria-dlu", "filgeria-transfert", "filgeria-retour")
        )

    def author_of(self, establishment_id: Any) -> Any:
        """A nurse or a doctor of this nursing home; None where nobody works in the demo."""
        members = self.region.members.get(establishment_id, {})
        return next((one for role in ("caregiver", "practitioner") for one in members.get(role, [])), None)

    def write(self, request: Request, author: Any, at: datetime) -> None:
        """The DLU of the request's resident, in one or two versions, the last at this moment."""
        rng, home = self.rng, request.establishment
        pk, known = new_id(rng), request.response.answers if request.response else {}
        answers = draw(rng, known, home.phone)
        before = None
        if rng.random() < TWICE:
            older = answers | {"dlu.bio": ["Pas de biologie récente."], "dlu.poids": [answers["dlu.poids"][0] + 1.5]}
            before = self._response(self.dlu, pk, older, author, home, at - timedelta(days=rng.randrange(60, 150)))
        kept = self._response(self.dlu, pk, answers, author, home, at, replaces=before)
        self.made.dlus.append(
            Dlu(id=pk, created_at=(before or kept).received_at, patient=request.patient, response=kept,
                establishment=home, by=author, updated_at=at)
        )  # fmt: skip

    def leave(self, request: Request, author: Any, at: datetime, *, demand: Request | None) -> None:
        """A way to the hospital, and back some days later if that day is past."""
        rng, home, pk = self.rng, request.establishment, new_id(self.rng)
        known = request.response.answers if request.response else {}
        front = self._response(self.front, pk, self._front(known, author, at), author, home, at)
        returned = at + timedelta(days=rng.randrange(1, 6), hours=rng.randrange(8))
        back = None
        died = request.patient.deceased_on
        if returned < self.region.now and (died is None or returned.astimezone(PARIS).date() < died):
            back = self._response(self.back, pk, self._back(returned), author, home, returned)
        self.made.transfers.append(
            HospitalTransfer(
                id=pk, created_at=at, patient=request.patient, establishment=home, demand=demand, by=author, front=front,
                back=back, departed_at=at, returned_at=returned if back else None,
            )
        )  # fmt: skip

    def _front(self, known: dict[str, list[Any]], author: Any, at: datetime) -> dict[str, list[Any]]:
        local = at.astimezone(PARIS)
        return {ours: known[name] for name, ours in SAME.items() if known.get(name)} | {
            "ft.jour": [local.date().isoformat()], "ft.heure": [f"{local:%H:%M}"], "ft.transport": ["ambulance"],
            "ft.destination": ["Hôpital du Noyer, urgences"], "ft.appelant": [f"{author.full_name}, infirmerie"],
            "ft.tel": [landline(self.rng)], "ft.repas": ["Déjeuner à 12 h, la moitié"],
            "ft.medicaments": ["Paracétamol 1 g à 8 h"], "ft.prevenus": ["famille", "mt"],
            "ft.documents": ["dlu", "ordonnance", "vitale"], "ft.protheses": ["lunettes"],
        }  # fmt: skip

    def _back(self, at: datetime) -> dict[str, list[Any]]:
        local = at.astimezone(PARIS)
        return {
            "rt.jour": [local.date().isoformat()], "rt.heure": [f"{local:%H:%M}"],
            "rt.service": ["Hôpital du Noyer, médecine gériatrique"], "rt.diagnostic": ["Pneumopathie basale droite."],
            "rt.actes": ["Radiographie du thorax, biologie, oxygène 2 L/min pendant deux jours."],
            "rt.ttt": ["modifie"], "rt.ttt.txt": ["Antibiotique par la bouche pendant cinq jours."],
            "rt.suivi": ["Température et SpO2 deux fois par jour, revoir le médecin traitant dans la semaine."],
            "rt.prevenus": ["famille", "mt"],
        }  # fmt: skip

    def _response(
        self, form: Questionnaire, about: Any, answers: dict[str, list[Any]], author: Any, home: Any, at: datetime,
        *, replaces: Response | None = None,
    ) -> Response:  # fmt: skip
        made = Response(
            id=new_id(self.rng), created_at=at, questionnaire=form, about=about, answers=answers, voice="patient",
            relation="professionnel", actor_kind="professional", user_id=author.pk, establishment_id=home.pk,
            started_at=at - timedelta(minutes=15), ended_at=at, received_at=at, request_key=new_id(self.rng),
            replaces=replaces,
        )  # fmt: skip
        self.made.responses.append(made)
        return made
