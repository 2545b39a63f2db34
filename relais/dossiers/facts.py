"""What a dossier says already, by what it means: the form of another that is opened from it asks nothing twice. Each higher
module registers how its kind says it in its AppConfig.ready(); each form takes what it asks for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from relais.audit import actions as audit
from relais.core.actor import Actor
from relais.dossiers import permissions as may
from relais.dossiers.models import Dossier

SIGNS = (
    "systolic",
    "diastolic",
    "pulse",
    "breaths",
    "spo2",
    "oxygen",
    "temperature",
    "pain",
)  # mmHg, /min, %, L/min, °C, 0–10


@dataclass(frozen=True)
class Facts:
    """What is known, and since when; texts in French, codes as said. What is not known is empty.

    `source` follows *Repris*: « de la demande de l’EHPAD ». `gir`: 1 to 6. `covid`: confirme, suspect, contact, negatif, gueri.
    `symptoms`: codes of `tc.symptomes`. `factors`: codes of severity factors (rf.*). `care_level`: codes of `tc.nts`.
    `directives`: codes of `tc.da`. `oxygen_supply`: codes of `tc.oxygene`. `place`: codes of `tg.lieu`.
    """

    source: str
    at: datetime
    place: str = ""
    question: str = ""
    history: str = ""
    background: str = ""
    treatments: str = ""
    allergies: str = ""
    examination: str = ""
    gir: str = ""
    phone: str = ""  # of the reader's own side
    signs: Mapping[str, float] = field(default_factory=dict)  # of SIGNS
    covid: str = ""
    onset: date | None = None
    symptoms: tuple[str, ...] = ()
    factors: tuple[str, ...] = ()
    care_level: str = ""
    directives: str = ""
    oxygen_supply: str = ""


Say = Callable[[Actor, Dossier], Facts | None]

_say: dict[str, Say] = {}


def register(kind: str, say: Say) -> None:
    _say[kind] = say


def of(actor: Actor, dossier: Dossier | None, why: str) -> Facts | None:
    """What a dossier says to whoever reads its clinical content, with the trace; None for anybody else, and when it says
    nothing."""
    if dossier is None or dossier.kind not in _say or not may.can_read_clinical(actor, dossier):
        return None
    audit.record(actor=actor, action="dossier.read", about=dossier.pk, patient_id=dossier.patient_id, why=why)
    return _say[dossier.kind](actor, dossier)
