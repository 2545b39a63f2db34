"""The rules of a prescription: what the law refuses, what deserves a warning. Pure functions.

Sources: CSP R5132-3 (content), R5132-21 and R5132-22 (durations), arrêté of 7 October 1991 (12 and 4 weeks), as
domain.md §2.4 gives them. Warnings and the lists of substances are ours, to be approved by clinicians.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _

REFUSE, WARN = "refuse", "warn"
REASONS = {
    "MTE": "marge thérapeutique étroite",
    "EFG": "enfant : forme galénique adaptée",
    "CIF": "contre-indication formelle",
}
ANXIOLYTIC, HYPNOTIC, NARCOTIC = "anxiolytic", "hypnotic", "narcotic"
LONGEST = {"": 365, ANXIOLYTIC: 12 * 7, HYPNOTIC: 4 * 7, NARCOTIC: 28}  # days, renewals included
SUBSTANCES = {
    ANXIOLYTIC: "alprazolam bromazepam buspirone clobazam clorazepate clotiazepam diazepam etifoxine hydroxyzine "
    "loflazepate lorazepam nordazepam oxazepam prazepam",
    HYPNOTIC: "estazolam loprazolam lormetazepam nitrazepam temazepam zolpidem zopiclone",
    NARCOTIC: "fentanyl hydromorphone methadone methylphenidate morphine oxycodone sufentanil tapentadol",
}
CLASS_OF = {name: kind for kind, names in SUBSTANCES.items() for name in names.split()}
CHILD = 15  # years: below, a dose is reckoned by weight
GRAM = 1000
PARACETAMOL_ADULT, PARACETAMOL_FRAIL = 4 * GRAM, 3 * GRAM  # mg a day
FRAIL_AGE, FRAIL_WEIGHT = 75, 50  # years and more; kg, below
PARACETAMOL_CHILD = 60  # mg a day for each kg


@dataclass(frozen=True)
class Line:
    """One drug. `dose` counts `unit` (the form when empty) at each of `per_day` intakes; `posology` says what they cannot.

    `as_needed` wants `max_per_day` (units in 24 h) and `interval_hours`. `category` forces a class of LONGEST when the
    substance is not in our lists. `ald`: belongs to the first part of a two-part (bizone) prescription.
    """

    dci: str
    dosage: str = ""  # strength of one unit: "500 mg"
    form: str = ""
    route: str = ""
    brand: str = ""
    dose: Decimal | None = None
    unit: str = ""
    per_day: Decimal | None = None
    moments: str = ""
    posology: str = ""
    days: int | None = None
    quantity: str = ""
    as_needed: bool = False
    max_per_day: Decimal | None = None
    interval_hours: Decimal | None = None
    renewals: int = 0
    category: str = ""
    fraction_days: int | None = None  # narcotics: delivered by 7 or 14 days
    not_substitutable: str = ""  # a key of REASONS
    off_label: bool = False
    hospital_initiated: bool = False
    ald: bool = False
    cis: str = ""
    cip13: str = ""
    atc: str = ""

    @property
    def kind(self) -> str:
        """Class that bounds the duration: the one given, else that of the substance; "" for most."""
        return self.category or next((CLASS_OF[word] for word in substances(self.dci) if word in CLASS_OF), "")

    @property
    def has_posology(self) -> bool:
        counted = self.dose is not None and (self.per_day is not None or bool(self.moments) or self.as_needed)
        return counted or bool(self.posology.strip())


@dataclass(frozen=True)
class Patient:
    """What the checks need of the patient; None or empty for what is not known."""

    named: bool
    sex: str = ""
    birth_date: date | None = None
    weight_kg: Decimal | None = None
    liver_failure: bool = False
    allergies: str = ""


@dataclass(frozen=True)
class Finding:
    """One sentence about line `line` (from 0), or about the whole (None). A `refuse` stops the signature.

    `identity`: it is mended in the patient's identity, not here.
    """

    level: str
    message: str
    line: int | None = None
    identity: bool = False


def check(
    lines: Sequence[Line], *, patient: Patient, on: date | None, prescriber_rpps: str, signed: bool = True
) -> list[Finding]:
    """Everything that is wrong or deserves a second look, refusals first, in the order of the lines.

    `on` is the date of the prescription; `signed` whether a signature will be laid. The law's refusals: no
    identity, date, prescriber, signature, substance, posology, duration or quantity; a duration beyond its class.
    """
    found = _whole(lines, patient, on, prescriber_rpps, signed)
    for index, line in enumerate(lines):
        found += [Finding(level, message, index) for level, message in (*_line(line), *_duration(line))]
        found += [Finding(WARN, message, index) for message in _allergy(line, patient)]
    found += _duplicates(lines)
    if on:
        found += _paediatric(lines, patient, on) + _paracetamol(lines, patient, on)
    return sorted(found, key=lambda finding: finding.level != REFUSE)


def _whole(
    lines: Sequence[Line],
    patient: Patient,
    on: date | None,
    rpps: str,
    signed: bool,  # noqa: FBT001
) -> list[Finding]:
    traits = [
        (not patient.named, _("Le nom et le prénom du patient manquent : complétez son identité.")),
        (not patient.birth_date, _("La date de naissance du patient manque : complétez son identité.")),
        (not patient.sex, _("Le sexe du patient manque : complétez son identité.")),
    ]
    sentences = [
        (not lines, _("Ajoutez au moins un médicament.")),
        (on is None, _("La date de l’ordonnance manque.")),
        (not rpps, _("Votre numéro RPPS manque : complétez votre profil.")),
        (not signed, _("La signature du prescripteur manque.")),
    ]
    incomplete = [Finding(REFUSE, message, identity=True) for wrong, message in traits if wrong]
    return incomplete + [Finding(REFUSE, message) for wrong, message in sentences if wrong]


def _line(line: Line) -> list[tuple[str, str]]:
    numbers = (line.dose, line.per_day, line.max_per_day, line.interval_hours)
    negative = any(number is not None and number <= 0 for number in numbers)
    days_wrong = line.days is not None and line.days <= 0
    sentences = [
        (not line.dci.strip(), _("Indiquez la dénomination commune (DCI).")),
        (not (line.dosage.strip() and line.form.strip()), _("Indiquez le dosage et la forme.")),
        (not line.route.strip(), _("Indiquez la voie d’administration.")),
        (not line.has_posology, _("Indiquez la posologie : dose et fréquence.")),
        (
            line.days is None and not line.quantity.strip(),
            _("Indiquez la durée du traitement ou le nombre d’unités."),
        ),
        (negative or days_wrong or line.renewals < 0, _("Les doses et les durées sont des nombres positifs.")),
        (
            line.as_needed and (line.max_per_day is None or line.interval_hours is None),
            _("« Si besoin » : indiquez la dose maximale par 24 h et l’intervalle entre deux prises."),
        ),
        (
            bool(line.not_substitutable) and line.not_substitutable not in REASONS,
            _("« Non substituable » : choisissez le motif, MTE, EFG ou CIF."),
        ),
    ]
    return [(REFUSE, message) for wrong, message in sentences if wrong]


def _duration(line: Line) -> list[tuple[str, str]]:
    kind, found = line.kind, []
    if kind == NARCOTIC:
        found.append((WARN, _("Stupéfiant : une ordonnance sécurisée est nécessaire, celle-ci ne suffit pas.")))
        if line.renewals:
            found.append((REFUSE, _("Un stupéfiant ne se renouvelle pas : faites une nouvelle ordonnance.")))
    if line.days is None:
        if line.renewals or kind:
            found.append((REFUSE, _("Indiquez la durée du traitement en jours.")))
        return found
    longest = LONGEST.get(kind, LONGEST[""])
    if line.days * (1 + max(line.renewals, 0)) > longest:
        limits = {
            "": _("12 mois"),
            ANXIOLYTIC: _("12 semaines pour un anxiolytique"),
            HYPNOTIC: _("4 semaines pour un hypnotique"),
            NARCOTIC: _("28 jours pour un stupéfiant"),
        }
        found.append(
            (
                REFUSE,
                _("La durée totale, renouvellements compris, dépasse le maximum : %(limit)s.")
                % {"limit": limits.get(kind, limits[""])},
            )
        )
    return found


def _allergy(line: Line, patient: Patient) -> list[str]:
    if not set(_words(patient.allergies)).intersection(substances(line.dci)):
        return []
    return [_("Allergie notée : « %(substance)s ». Vérifiez avant de prescrire.") % {"substance": line.dci.strip()}]


def _duplicates(lines: Sequence[Line]) -> list[Finding]:
    seen: dict[str, int] = {}
    found = []
    for index, line in enumerate(lines):
        twice = next((seen[word] for word in substances(line.dci) if word in seen), None)
        if twice is not None:
            found.append(
                Finding(
                    WARN,
                    _("« %(substance)s » est déjà prescrit à la ligne %(line)d.")
                    % {"substance": line.dci.strip(), "line": twice + 1},
                    index,
                )
            )
        for word in substances(line.dci):
            seen.setdefault(word, index)
    return found


def _paediatric(lines: Sequence[Line], patient: Patient, on: date) -> list[Finding]:
    if lines and patient.birth_date and years(patient.birth_date, on) < CHILD and patient.weight_kg is None:
        return [Finding(WARN, _("Le poids de l’enfant manque : indiquez-le pour vérifier les doses."))]
    return []


def _paracetamol(lines: Sequence[Line], patient: Patient, on: date) -> list[Finding]:
    taken = [(index, line) for index, line in enumerate(lines) if "paracetamol" in substances(line.dci)]
    if not taken:
        return []
    daily = [daily_mg(line) for _index, line in taken]
    last = taken[-1][0]
    if any(each is None for each in daily):
        return [Finding(WARN, _("La dose quotidienne de paracétamol n’a pas pu être calculée : vérifiez-la."), last)]
    limit, why = _paracetamol_limit(patient, on)
    total = sum((each for each in daily if each is not None), Decimal(0))
    if total <= limit:
        return []
    told = {"total": grams(total), "limit": grams(limit), "why": why}
    return [Finding(WARN, _("Paracétamol : %(total)s g par jour, plus que %(limit)s g %(why)s.") % told, last)]


def _paracetamol_limit(patient: Patient, on: date) -> tuple[Decimal, str]:
    age = years(patient.birth_date, on) if patient.birth_date else None
    limits = [(Decimal(PARACETAMOL_ADULT), _("(adulte)"))]
    if age is not None and age >= FRAIL_AGE:
        limits.append((Decimal(PARACETAMOL_FRAIL), _("(75 ans et plus)")))
    if patient.liver_failure:
        limits.append((Decimal(PARACETAMOL_FRAIL), _("(insuffisance hépatique)")))
    if patient.weight_kg is not None and patient.weight_kg < FRAIL_WEIGHT:
        limits.append((Decimal(PARACETAMOL_FRAIL), _("(moins de 50 kg)")))
    if age is not None and age < CHILD and patient.weight_kg is not None:
        limits.append((PARACETAMOL_CHILD * patient.weight_kg, _("(60 mg par kg et par jour)")))
    return min(limits, key=lambda each: each[0])


def daily_mg(line: Line) -> Decimal | None:
    """The most that one takes in a day, in mg; None when dosage or posology do not tell."""
    found = re.fullmatch(r"\s*(\d[\d\s]*(?:[.,]\d+)?)\s*(g|mg|µg|mcg)\s*", line.dosage.lower())
    units = line.max_per_day if line.as_needed and line.max_per_day is not None else _units(line)
    if not found or units is None:
        return None
    scale = {"g": Decimal(GRAM), "mg": Decimal(1), "µg": Decimal("0.001"), "mcg": Decimal("0.001")}
    return Decimal(re.sub(r"\s", "", found.group(1)).replace(",", ".")) * scale[found.group(2)] * units


def _units(line: Line) -> Decimal | None:
    return line.dose * line.per_day if line.dose is not None and line.per_day is not None else None


def grams(mg: Decimal) -> str:
    return f"{(mg / GRAM).normalize():f}".replace(".", ",")


def years(born: date, on: date) -> int:
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def substances(dci: str) -> list[str]:
    """The words of a DCI without accents or salts: "Paracétamol / codéine" gives both."""
    salts = {"chlorhydrate", "sulfate", "sodique", "potassique", "calcique", "acide", "de", "d", "et", "sel"}
    return [word for word in _words(dci) if word not in salts]


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFD", text.lower()).encode("ascii", "ignore").decode()
    return re.findall(r"[a-z]{3,}", plain)
