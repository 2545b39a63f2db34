"""What the law refuses in a prescription, and what deserves a second look: at, under and over each threshold."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from relais.teleconsultation.prescribing import REFUSE, WARN, Finding, Line, Patient, check, daily_mg

DAY = date(2026, 11, 21)
ADULT = Patient(named=True, sex="F", birth_date=date(1985, 5, 12))
LINE = Line("Amoxicilline", "1 g", "comprimé", "orale", dose=Decimal(1), per_day=Decimal(3), days=6)


def findings(*lines: Line, patient: Patient = ADULT, **changes) -> list[Finding]:
    return check(lines, patient=patient, **{"on": DAY, "prescriber_rpps": "89900000012", **changes})


def refusals(*lines: Line, **changes) -> list[str]:
    return [finding.message for finding in findings(*lines, **changes) if finding.level == REFUSE]


def warnings(*lines: Line, **changes) -> list[str]:
    return [finding.message for finding in findings(*lines, **changes) if finding.level == WARN]


def test_a_complete_line_passes() -> None:
    assert findings(LINE) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dci": " "}, "dénomination commune"),
        ({"dosage": ""}, "dosage"),
        ({"form": ""}, "forme"),
        ({"route": ""}, "voie"),
        ({"dose": None}, "posologie"),
        ({"per_day": None}, "posologie"),
        ({"days": None}, "durée du traitement"),
        ({"days": 0}, "nombres positifs"),
        ({"dose": Decimal(0)}, "nombres positifs"),
        ({"per_day": Decimal(-1)}, "nombres positifs"),
        ({"renewals": -1}, "nombres positifs"),
        ({"as_needed": True}, "Si besoin"),
        ({"as_needed": True, "max_per_day": Decimal(3)}, "Si besoin"),
        ({"not_substitutable": "AUTRE"}, "MTE, EFG ou CIF"),
    ],
)
def test_a_line_without_what_the_law_asks_is_refused(changes: dict, message: str) -> None:
    (found,) = findings(replace(LINE, **changes))
    assert (found.level, found.line) == (REFUSE, 0)
    assert message in found.message


@pytest.mark.parametrize(
    "changes",
    [
        {"dose": None, "per_day": None, "posology": "Une application matin et soir"},
        {"per_day": None, "moments": "le matin à jeun"},
        {"days": None, "quantity": "1 boîte"},
        {"as_needed": True, "per_day": None, "max_per_day": Decimal(3), "interval_hours": Decimal(6)},
        {"not_substitutable": "EFG"},
    ],
)
def test_each_way_of_saying_it_passes(changes: dict) -> None:
    assert findings(replace(LINE, **changes)) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"patient": replace(ADULT, named=False)}, "nom et le prénom"),
        ({"patient": replace(ADULT, birth_date=None)}, "date de naissance"),
        ({"patient": replace(ADULT, sex="")}, "sexe"),
        ({"on": None}, "date de l’ordonnance"),
        ({"prescriber_rpps": ""}, "RPPS"),
        ({"signed": False}, "signature"),
    ],
)
def test_a_prescription_without_identity_date_prescriber_or_signature_is_refused(changes: dict, message: str) -> None:
    (found,) = refusals(LINE, **changes)
    assert message in found


def test_an_empty_prescription_is_refused() -> None:
    assert refusals() == ["Ajoutez au moins un médicament."]


@pytest.mark.parametrize(
    ("dci", "longest"), [("Lévothyroxine", 365), ("Alprazolam", 84), ("Zolpidem", 28), ("Morphine (sulfate)", 28)]
)
def test_a_treatment_lasts_no_longer_than_its_class_allows(dci: str, longest: int) -> None:
    line = replace(LINE, dci=dci)
    assert refusals(replace(line, days=longest - 1)) == []
    assert refusals(replace(line, days=longest)) == []
    (found,) = refusals(replace(line, days=longest + 1))
    assert "dépasse le maximum" in found


@pytest.mark.parametrize(
    ("days", "renewals", "passes"), [(73, 4, True), (74, 4, False), (365, 0, True), (365, 1, False)]
)
def test_renewals_count_in_the_twelve_months(days: int, renewals: int, passes) -> None:
    assert (refusals(replace(LINE, days=days, renewals=renewals)) == []) is passes


def test_the_class_can_be_given_for_a_substance_that_our_lists_do_not_know() -> None:
    assert refusals(replace(LINE, category="hypnotic", days=28)) == []
    assert refusals(replace(LINE, category="hypnotic", days=29)) != []


def test_a_renewal_without_a_number_of_days_is_refused() -> None:
    assert refusals(replace(LINE, days=None, quantity="1 boîte", renewals=1)) == [
        "Indiquez la durée du traitement en jours."
    ]


def test_a_narcotic_is_not_renewed_and_needs_a_secured_form() -> None:
    line = replace(LINE, dci="Morphine", days=14)
    assert any("ordonnance sécurisée" in message for message in warnings(line))
    assert refusals(line) == []
    assert any("ne se renouvelle pas" in message for message in refusals(replace(line, renewals=1)))


def paracetamol(per_day: Decimal, **changes) -> Line:
    return replace(LINE, dci="Paracétamol", dosage="500 mg", dose=Decimal(1), per_day=per_day, **changes)


@pytest.mark.parametrize(
    ("patient", "most"),
    [
        (ADULT, 8),
        (replace(ADULT, birth_date=date(1951, 11, 22)), 8),  # 74 years, the day before
        (replace(ADULT, birth_date=date(1951, 11, 21)), 6),  # 75 years today
        (replace(ADULT, weight_kg=Decimal(50)), 8),
        (replace(ADULT, weight_kg=Decimal("49.9")), 6),
        (replace(ADULT, liver_failure=True), 6),
        (replace(ADULT, birth_date=date(2016, 1, 1), weight_kg=Decimal(25)), 3),
    ],
)
def test_paracetamol_warns_over_the_daily_limit_of_the_patient(patient: Patient, most: int) -> None:
    assert warnings(paracetamol(Decimal(most)), patient=patient) == []
    (found,) = warnings(paracetamol(Decimal(most) + Decimal("0.5")), patient=patient)
    assert "Paracétamol" in found


def test_paracetamol_adds_up_over_all_lines_and_as_needed_counts_its_maximum() -> None:
    needed = replace(
        LINE,
        dci="Paracétamol / codéine",
        dosage="500 mg/30 mg",
        as_needed=True,
        max_per_day=Decimal(4),
        interval_hours=Decimal(6),
    )
    assert daily_mg(needed) is None  # two strengths: not ours to tell which
    plain = replace(needed, dosage="500 mg")
    assert daily_mg(plain) == 2000
    told = warnings(paracetamol(Decimal(5)), plain)
    assert any("4,5 g par jour, plus que 4 g (adulte)" in message for message in told)


def test_paracetamol_whose_dose_cannot_be_reckoned_says_so() -> None:
    line = replace(paracetamol(Decimal(3)), dose=None, per_day=None, posology="Dose-poids toutes les 6 h")
    assert warnings(line) == ["La dose quotidienne de paracétamol n’a pas pu être calculée : vérifiez-la."]


def test_the_same_substance_twice_is_told_with_the_first_line() -> None:
    (found,) = findings(LINE, replace(LINE, dci="AMOXICILLINE / acide clavulanique"))
    assert (found.level, found.line) == (WARN, 1)
    assert "ligne 1" in found.message


@pytest.mark.parametrize(
    ("birth", "weight", "told"),
    [
        (date(2011, 11, 22), None, True),  # 14 years
        (date(2011, 11, 21), None, False),  # 15 years today
        (date(2020, 1, 1), Decimal(18), False),
    ],
)
def test_a_child_without_a_weight_is_told(birth: date, weight: Decimal | None, told) -> None:
    patient = replace(ADULT, birth_date=birth, weight_kg=weight)
    assert (warnings(LINE, patient=patient) != []) is told


def test_an_allergy_that_was_noted_is_told_whatever_its_accents() -> None:
    assert "Allergie" in warnings(LINE, patient=replace(ADULT, allergies="AMOXICILLINE (urticaire)"))[0]
    assert warnings(LINE, patient=replace(ADULT, allergies="pollen")) == []


def test_refusals_come_before_warnings() -> None:
    levels = [finding.level for finding in findings(paracetamol(Decimal(9)), replace(LINE, dci=""))]
    assert levels == [REFUSE, WARN]
