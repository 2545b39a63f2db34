"""Establishments in the directory: by name and place, beside the services of the same words (TE-02)."""

from datetime import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from relais.accounts.testing import client_of, make_establishment, make_practitioner
from relais.directory.testing import make_service

pytestmark = pytest.mark.django_db
URL = "/annuaire/"
PLACES = {"voir": "etablissements"}


@pytest.fixture
def place():
    return make_establishment("Hôpital du Saule", kind="hospital", department="94", city="Créteil")


@pytest.fixture
def home():
    return make_establishment(
        "EHPAD Les Érables", kind="ehpad", department="93", city="Saint-Denis", postal_code="93200",
        address="3 rue des Jardins", phone="01 99 00 45 67",
    )  # fmt: skip


def names(response):
    return [one.name for one in response.context["places"]]


@pytest.mark.req("TE-02")
@pytest.mark.parametrize("typed", ["erables", "EHPAD saint denis", "les érables"])
def test_an_establishment_is_found_by_its_name_or_its_town_with_kind_address_and_telephone(place, home, typed):
    seen = client_of(make_practitioner(place))
    for asked in ({"q": typed, "departement": ""}, {"q": typed, "departement": "93", **PLACES}):
        answer = seen.get(URL, asked)
        page = answer.content.decode()
        assert names(answer) == ["EHPAD Les Érables"]
        for words in ("EHPAD</div>", "3 rue des Jardins", "93200 Saint-Denis", "tel:0199004567"):
            assert words in page, words
    assert names(seen.get(URL, {"q": typed, "departement": "75"})) == []
    assert names(seen.get(URL, {"q": "introuvable", "departement": "", **PLACES})) == []


@pytest.mark.req("TE-02")
def test_establishments_are_listed_by_department_and_kind_one_s_own_department_first(place, home):
    seen = client_of(make_practitioner(place))
    assert names(seen.get(URL, PLACES)) == ["Hôpital du Saule"]
    assert names(seen.get(URL, {"departement": "", **PLACES})) == ["EHPAD Les Érables", "Hôpital du Saule"]
    assert names(seen.get(URL, {"departement": "", "type": "ehpad", **PLACES})) == ["EHPAD Les Érables"]
    assert names(seen.get(URL, {"departement": "00", "type": "?", "apres": "x", **PLACES})) == names(
        seen.get(URL, {"departement": "", **PLACES})
    )


@pytest.mark.req("TE-02")
def test_an_establishment_shows_what_it_offers_those_that_answer_now_first_and_never_what_was_closed(place):
    make_service(place, name="A de nuit jamais", opens=time(0), closes=time(0), active=False)
    for number in range(6):
        make_service(place, name=f"Service {number}", opens=time(0), closes=time(0))
    answer = client_of(make_practitioner(place)).get(URL, PLACES)
    (shown,) = answer.context["places"]
    assert [one.name for one in shown.offer] == [f"Service {number}" for number in range(4)]
    assert "et 2 autres services" in answer.content.decode()


def test_services_come_first_and_establishments_of_the_same_words_beside_them(place):
    make_service(place, name="Astreinte du Saule")
    seen = client_of(make_practitioner(place))
    answer = seen.get(URL, {"q": "saule"})
    assert [one.name for one in answer.context["page_of_rows"].rows] == ["Astreinte du Saule"]
    assert names(answer) == ["Hôpital du Saule"]
    for other in ({}, {"q": "saule", "besoin": "geriatric"}, {"q": "saule", "ouvert": "1"}):
        assert names(seen.get(URL, other)) == [], other


def test_many_establishments_are_shown_by_five_beside_services_and_each_once_over_the_pages_of_their_list(place):
    for number in range(22):
        make_establishment(f"Foyer ~ {number:02}", department="94")
    seen = client_of(make_practitioner(place))
    beside = seen.get(URL, {"q": "foyer"})
    assert names(beside) == [f"Foyer ~ {number:02}" for number in range(5)]
    assert "?q=foyer&amp;departement=94&amp;voir=etablissements" in beside.content.decode()
    first = seen.get(URL, {"q": "foyer", **PLACES})
    second = seen.get(URL + first.context["page_of_rows"].next_url)
    assert names(first) + names(second) == [f"Foyer ~ {number:02}" for number in range(22)]


def test_as_many_queries_for_three_establishments_as_for_one(place):
    seen = client_of(make_practitioner(place))
    for asked in ({"q": "maison"}, {"q": "maison", **PLACES}):
        counts = []
        for _more in range(3):
            make_service(make_establishment("Maison des Ormes", kind="ehpad", department="94"))
            with CaptureQueriesContext(connection) as caught:
                seen.get(URL, asked)
            counts.append(len(caught))
        assert counts[0] == counts[2]
