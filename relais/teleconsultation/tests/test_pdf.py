"""What the printed report and prescription hold, and what they leave out."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from relais.core import times
from relais.core.errors import Refused
from relais.core.testing.pdfs import letters_of, text_of
from relais.teleconsultation import printing
from relais.teleconsultation.papers import PatientBlock, Prescription, ProfessionalBlock, Report, Signature
from relais.teleconsultation.pdf import content_digest, prescription_pdf, report_pdf
from relais.teleconsultation.prescribing import Line

AT = datetime(2026, 11, 21, 13, 30, tzinfo=UTC)
PATIENT = PatientBlock(
    birth_family_name="Durand",
    birth_given_names="Élise Marie",
    used_family_name="d’Arc",
    birth_date=date(1985, 5, 12),
    sex="F",
    birth_place="78006",
    identity_status="QUAL",
    ins="285057800608491",
    ins_oid="1.2.250.1.213.1.4.10",
)
DOCTOR = ProfessionalBlock(
    "Dr Claire Martin", "89900000012", "Médecin", "Médecine générale", "Hôpital des Tilleuls", "990000012",
    "12 rue des Tilleuls, 75013 Paris", "01 99 00 12 34",
)  # fmt: skip
REPORT = Report(
    patient=PATIENT,
    professional=DOCTOR,
    reference="TC-7KQ4-M2XD",
    started_at=AT,
    ended_at=datetime(2026, 11, 21, 13, 47, tzinfo=UTC),
    written_at=datetime(2026, 11, 21, 13, 55, tzinfo=UTC),
    reason="Toux depuis trois jours",
    conclusion="Infection haute sans gravité",
    participants=["Mme Anne Petit, fille (non authentifiée)"],
    patient_location="À son domicile",
    consent="Donné oralement le 20/11/2026",
    history="Allergie : amoxicilline",
    findings="FR 18/min",
    actions="Test antigénique",
    follow_up="Revoir dans 48 h",
    incident="Son coupé deux minutes",
    copies_to=["Dr Jean Dupont, médecin traitant"],
    version=2,
    replaces="version 1 du 21/11/2026 à 14:52",
)
LINE = Line("Paracétamol", "500 mg", "comprimé", "orale", dose=Decimal(2), per_day=Decimal(3), days=5)
PRESCRIPTION = Prescription(PATIENT, DOCTOR, "TC-7KQ4-M2XD", date(2026, 11, 21), "Paris", [LINE])
SIGNATURE = Signature("Dr Claire Martin", "89900000012", AT, "ab" * 32, AT, "SMS")


def has(document: bytes, *texts: str) -> bool:
    """Whether each text is printed; titles in capitals count."""
    printed = letters_of(text_of(document))
    missing = [text for text in texts if letters_of(text) not in printed and letters_of(text).upper() not in printed]
    assert not missing, printed
    return True


def test_a_report_holds_all_that_the_law_asks() -> None:
    assert has(
        report_pdf(REPORT),
        "Compte-rendu de téléconsultation", "Samedi 21 novembre 2026, de 14:30 à 14:47",
        "DURAND", "Élise Marie", "12/05/1985", "78006", "Féminin", "2 85 05 78 006 084 91", "NIR de test", "qualifiée",
        "Dr Claire Martin", "Médecin · Médecine générale", "89900000012", "Hôpital des Tilleuls", "FINESS 990000012",
        "01 99 00 12 34", "Mme Anne Petit, fille (non authentifiée)", "Visioconférence", "À son domicile",
        "Donné oralement le 20/11/2026", "Toux depuis trois jours", "Allergie : amoxicilline", "FR 18/min",
        "Infection haute sans gravité", "Test antigénique", "Revoir dans 48 h", "Son coupé deux minutes",
        "Dr Jean Dupont, médecin traitant", "Version 2 du 21/11/2026 à 14:55",
        "remplace la version 1 du 21/11/2026 à 14:52", "Validé le 21/11/2026 à 14:55", "TC-7KQ4-M2XD",
    )  # fmt: skip


@pytest.mark.parametrize("status", ["PROV", "VALI", "RECUP"])
def test_the_matricule_is_printed_for_a_qualified_identity_alone(status: str) -> None:
    patient = replace(PATIENT, identity_status=status)
    for document in (
        report_pdf(replace(REPORT, patient=patient)),
        prescription_pdf(replace(PRESCRIPTION, patient=patient), SIGNATURE),
    ):
        assert "285057800608491" not in letters_of(text_of(document))
        assert has(document, {"PROV": "provisoire", "VALI": "validée", "RECUP": "récupérée"}[status])


def test_the_name_of_a_guest_that_cannot_be_printed_keeps_no_report_from_being_made() -> None:
    assert has(report_pdf(replace(REPORT, participants=["Anne 😀"])), "Anne □")
    with pytest.raises(Refused, match="😀"):
        report_pdf(replace(REPORT, follow_up="Revoir 😀"))


def test_a_short_report_leaves_out_what_is_empty() -> None:
    short = Report(PATIENT, DOCTOR, "TC-1", AT, AT, "Toux", "")
    text = text_of(report_pdf(short)).upper()
    assert "NON RENSEIGNÉE" in text
    for title in ("INCIDENT", "COPIES", "SUITE À DONNER", "REMPLACE", "AUTRES PARTICIPANTS"):
        assert title not in text


def test_a_long_report_goes_on_over_pages_that_each_name_the_patient() -> None:
    document = report_pdf(replace(REPORT, findings="\n\n".join(f"Constatation {index}." for index in range(200))))
    pages = text_of(document).split("Page ")
    assert len(pages) > 4
    assert all("née le 12/05/1985" in page for page in pages[:-1])


@pytest.mark.req("TC-53")
def test_a_prescription_holds_all_that_the_law_asks() -> None:
    full = replace(PRESCRIPTION, weight_kg=Decimal("61.5"), height_cm=165)
    assert has(
        prescription_pdf(full, SIGNATURE),
        "Dr Claire Martin", "Médecin · Médecine générale", "N° RPPS 89900000012", "FINESS 990000012",
        "12 rue des Tilleuls, 75013 Paris", "Tél. 01 99 00 12 34", "Hôpital des Tilleuls",
        "DURAND", "Élise Marie", "12/05/1985 (41 ans)", "Féminin", "61,5 kg · 165 cm", "2 85 05 78 006 084 91",
        "Fait à Paris, le 21 novembre 2026", "téléconsultation", "Paracétamol 500 mg", "comprimé, voie orale",
        "2 comprimés, 3 fois par jour.", "Pendant 5 jours.", "1 médicament prescrit.",
        "Contrôle d’interactions non réalisé", "Le 21/11/2026 à 14:30", "ab" * 32,
        "Identité confirmée par un code reçu par SMS, le 21/11/2026 à 14:30",
    )  # fmt: skip


def test_marks_of_a_line_are_printed() -> None:
    line = replace(
        LINE, brand="Doliprane", not_substitutable="CIF", off_label=True, hospital_initiated=True, renewals=2,
        as_needed=True, max_per_day=Decimal(6), interval_hours=Decimal("4.5"), quantity="2 boîtes", fraction_days=7,
    )  # fmt: skip
    assert has(
        prescription_pdf(replace(PRESCRIPTION, lines=[line]), SIGNATURE),
        "(Doliprane)", "Non substituable (CIF) : contre-indication formelle", "Hors AMM, le patient en est informé",
        "Prescription initiale hospitalière", "À renouveler 2 fois", "si besoin",
        "Au maximum 6 comprimés par 24 h, au moins 4,5 h entre deux prises.", "Quantité : 2 boîtes",
        "par fractions de 7 jours",
    )  # fmt: skip


def test_two_parts_are_printed_as_soon_as_one_line_belongs_to_a_long_illness() -> None:
    other = replace(LINE, dci="Metformine", ald=True)
    text = letters_of(text_of(prescription_pdf(replace(PRESCRIPTION, lines=[LINE, other]), SIGNATURE)))
    first, second = text.index("AFFECTIONDELONGUEDURÉE(ALD)"), text.index("SANSRAPPORT")
    assert first < text.index("1.Metformine") < second < text.index("2.Paracétamol")
    assert "ALD" not in text_of(prescription_pdf(PRESCRIPTION, SIGNATURE))


def test_a_narcotic_says_that_a_secured_form_is_needed() -> None:
    lines = [replace(LINE, dci="Morphine")]
    assert has(prescription_pdf(replace(PRESCRIPTION, lines=lines), SIGNATURE), "ordonnance sécurisée")
    secured = prescription_pdf(replace(PRESCRIPTION, lines=lines, secured=True), SIGNATURE)
    assert "sécurisée" not in text_of(secured)


@pytest.mark.parametrize(
    ("count", "unit", "text"),
    [
        (Decimal("1.5"), "comprimé sécable", "1,5 comprimé sécable"),
        (Decimal(2), "comprimé pelliculé", "2 comprimés pelliculés"),
        (Decimal(2), "comprimé à croquer", "2 comprimés à croquer"),
        (Decimal(10), "ml", "10 ml"),
        (Decimal("2.0"), "dose", "2 doses"),
        (Decimal(3), "patchs", "3 patchs"),
    ],
)
def test_units_are_counted_in_french(count: Decimal, unit: str, text: str) -> None:
    assert printing.counted(count, unit) == text


def test_the_digest_changes_with_the_content_and_with_nothing_else() -> None:
    assert content_digest(PRESCRIPTION) == content_digest(replace(PRESCRIPTION))
    assert content_digest(PRESCRIPTION) != content_digest(replace(PRESCRIPTION, lines=[replace(LINE, days=6)]))


def test_times_are_those_of_paris_on_both_sides_of_the_change_of_hour() -> None:
    summer = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    winter = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert [times.stamp(moment) for moment in (summer, winter)] == ["25/10/2026 à 02:30", "25/10/2026 à 02:30"]


def test_typst_signs_in_a_line_are_printed_as_typed() -> None:
    line = replace(LINE, posology="#panic() $x$ *1* cp @matin")
    assert has(prescription_pdf(replace(PRESCRIPTION, lines=[line]), SIGNATURE), "#panic() $x$ *1* cp @matin.")
