"""Finding an establishment as one types."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from relais.core.actor import PATIENT, PROFESSIONAL, Actor
from relais.directory.models import Establishment
from relais.directory.queries import search
from relais.directory.tests.test_identifiers import with_key

pytestmark = pytest.mark.django_db
DOCTOR = Actor(kind=PROFESSIONAL)


def make(number: int, name: str, **fields) -> Establishment:
    values = {"kind": "ehpad", "department": "75", "city": "Paris", **fields}
    return Establishment.objects.create(finess=with_key(f"99{number:06d}"), name=name, **values)


@pytest.fixture(autouse=True)
def region() -> None:
    make(1, "EHPAD L’Orée-du-Bois")
    make(2, "Hôpital Européen", kind="hospital", department="92", city="Saint-Cloud")
    make(3, "Résidence des Érables", department="92", city="Sèvres")
    make(4, "Résidence fermée", active=False)


def names(*args, **filters) -> list[str]:
    return [each.name for each in search(*args, **filters)]


@pytest.mark.parametrize("text", ["oree du bois", "OREE DU BOIS", "l'orée", "l orée bois", "bois  ehpad"])
def test_accents_case_hyphens_and_apostrophes_are_forgiven(text: str) -> None:
    assert names(DOCTOR, text) == ["EHPAD L’Orée-du-Bois"]


@pytest.mark.parametrize(
    ("text", "found"),
    [("saint cloud", ["Hôpital Européen"]), ("erables sevres", ["Résidence des Érables"]), ("absent", [])],
)
def test_the_town_counts_too_and_every_word_must_be_found(text: str, found: list[str]) -> None:
    assert names(DOCTOR, text) == found


def test_filters_and_order() -> None:
    assert names(DOCTOR) == ["EHPAD L’Orée-du-Bois", "Hôpital Européen", "Résidence des Érables"]
    assert names(DOCTOR, departments=["92"]) == ["Hôpital Européen", "Résidence des Érables"]
    assert names(DOCTOR, departments=["92"], kinds=["ehpad"]) == ["Résidence des Érables"]
    assert names(DOCTOR, departments=[]) == []


def test_a_finess_number_finds_its_establishment() -> None:
    assert names(DOCTOR, with_key("99000002")) == ["Hôpital Européen"]


def test_signs_of_the_database_s_patterns_are_plain_text() -> None:
    assert names(DOCTOR, "%") == names(DOCTOR)  # folded to nothing
    assert names(DOCTOR, "o_ee") == []


def test_a_patient_sees_no_directory() -> None:
    assert names(Actor(kind=PATIENT), "oree") == []


def test_one_query_whatever_the_number() -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        names(DOCTOR)
    assert len(queries) == 1


def test_the_name_search_has_its_index() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        plan = search(DOCTOR, "residence").explain()
        cursor.execute("SELECT count(*) FROM pg_indexes WHERE indexname = 'establishment_name_search'")
        assert cursor.fetchone() == (1,)
    assert plan
