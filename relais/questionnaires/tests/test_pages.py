"""Pages without scripts: the server decides what is asked, and nothing typed is lost."""

import re
from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag
from django.test import Client

pytestmark = pytest.mark.urls("relais.questionnaires.tests.kit_urls")
WHOLE = {"q-mesuree": "true", "q-temp": "38,5", "q-toux": "non", "q-consigne": "true"}


def page(response: Any) -> BeautifulSoup:
    assert response.status_code == 200
    return BeautifulSoup(response.content, "html.parser")


def posted(first: BeautifulSoup, **typed: Any) -> dict[str, Any]:
    """What a browser would send: the page's hidden inputs, and what was typed."""
    hidden = {str(each["name"]): each["value"] for each in first.select("form [type=hidden]") if each.get("name")}
    return hidden | typed


def is_asked(soup: BeautifulSoup, key: str) -> bool:
    found = soup.select_one(f'[data-item="{key}"]')
    assert isinstance(found, Tag)
    return not found.has_attr("hidden")


def error(soup: BeautifulSoup, key: str) -> str:
    found = soup.select_one(f'[data-item="{key}"] [data-error]')
    assert isinstance(found, Tag)
    return "" if found.has_attr("hidden") else re.sub(r"\s+", " ", found.get_text()).strip()


def test_what_is_not_asked_yet_is_hidden(client: Client) -> None:
    soup = page(client.get("/"))
    assert [is_asked(soup, key) for key in ("mesuree", "temp", "toux")] == [True, False, True]


def test_an_answer_that_brings_a_question_up_brings_the_page_back_with_it(client: Client) -> None:
    soup = page(
        client.post("/", posted(page(client.get("/")), **{"q-mesuree": "true", "q-toux": "non", "q-consigne": "true"}))
    )
    assert is_asked(soup, "temp")
    assert soup.select_one(".error-summary") is None
    assert "Il reste des questions" in soup.get_text()
    done = page(client.post("/", posted(soup, **WHOLE)))
    assert "38,5 °C" in done.get_text()


def test_errors_stand_beside_their_question_and_on_top_and_what_was_typed_stays(client: Client) -> None:
    typed = WHOLE | {"q-temp": "385", "q-note": "Il fait chaud", "q-aidant/0/aidant.lien": "voisin"}
    soup = page(client.post("/", typed))
    assert "34 à 42,5 °C" in error(soup, "temp")
    assert error(soup, "aidant/0/aidant.nom") == "Erreur : Répondez à cette question."
    assert [link["href"] for link in soup.select(".error-summary a")] == ["#q-temp", "#q-aidant-0-aidant.nom"]
    for target in soup.select(".error-summary a"):
        assert soup.find(id=str(target["href"])[1:]) is not None
    kept = {str(each["name"]): each["value"] for each in soup.select("input[type=text]") if each.get("value")}
    assert kept["q-temp"] == "385"
    assert soup.find("textarea", {"name": "q-note"}).get_text() == "Il fait chaud"  # type: ignore[union-attr]
    assert soup.select_one('[name="q-aidant/0/aidant.lien"][value=voisin]').has_attr("checked")  # type: ignore[union-attr]


def test_an_error_is_tied_to_its_input(client: Client) -> None:
    soup = page(client.post("/", WHOLE | {"q-temp": "385"}))
    field = soup.find(id="q-temp")
    assert isinstance(field, Tag)
    assert (field["aria-invalid"], field["aria-describedby"]) == ("true", "q-temp-error")


def test_a_row_is_added_without_judging_the_rest(client: Client) -> None:
    soup = page(client.post("/", {"q-aidant/0/aidant.nom": "Ana", "add_row": "aidant"}))
    assert [each.get("value") for each in soup.select('input[name$="aidant.nom"]')][:2] == ["Ana", ""]
    assert soup.select_one(".error-summary") is None


def test_the_same_page_sent_again_bears_the_same_key(client: Client) -> None:
    first = page(client.get("/"))
    again = page(client.post("/", posted(first, **{"q-temp": "385"})))
    keys = [soup.select_one("[name=request_key]")["value"] for soup in (first, again)]  # type: ignore[index]
    assert keys[0] == keys[1]


def test_the_other_voice_puts_the_question_otherwise(client: Client) -> None:
    assert "Votre proche tousse-t-il ?" in page(client.get("/?voice=proxy")).get_text()
    assert "Votre proche tousse-t-il ?" not in page(client.get("/")).get_text()


def test_what_was_answered_reads_in_the_order_of_the_form(client: Client) -> None:
    typed = WHOLE | {"q-langue~other": "breton", "q-allergies": "pollen\r\n\r\nlatex", "q-digestif": ["dia", "nausees"]}
    soup = page(client.post("/", typed))
    read = [(line.dt.get_text(), line.dd.get_text(" ")) for line in soup.select(".answers-line")]  # type: ignore[union-attr]
    assert read == [
        ("Avez-vous pu mesurer votre température ?", "Oui"),
        ("Température", "38,5 °C"),
        ("Toux", "Non"),
        ("Troubles digestifs", "Nausées Diarrhée"),
        ("Langue parlée", "breton"),
        ("Allergies", "pollen latex"),
        ("J’ai lu les consignes", "Oui"),
    ]


@pytest.mark.parametrize(
    "typed", [{"q-temp": "\x00"}, {"q-aidant/999/aidant.nom": "x"}, {"started_at": "hier"}, {"shown": "é"}]
)
def test_nonsense_is_no_failure(client: Client, typed: dict[str, str]) -> None:
    assert client.post("/", WHOLE | typed).status_code in (200, 400)
