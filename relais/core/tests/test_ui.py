"""What every screen is made of: tags, forms, shells and error pages say what they must."""

import datetime
import json
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup
from django.contrib.staticfiles import finders
from django.template import Context, Template
from django.utils import timezone

from relais.core import times
from relais.core.templatetags import ui

NOON = datetime.datetime(2026, 11, 21, 11, 0, tzinfo=datetime.UTC)  # 12:00 in Paris


@pytest.fixture
def at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOON)


def soup(html: str) -> BeautifulSoup:
    return BeautifulSoup(html, "html.parser")


def draw(source: str, **context: object) -> str:
    return Template(source).render(Context(context))


def someone(**changes: object) -> SimpleNamespace:
    born = datetime.date(1941, 3, 12)
    return SimpleNamespace(
        **{"family_name": "Moreau", "given_name": "Jeanne", "birth_date": born, "sex": "F"} | changes
    )


# Icons and badges


def test_an_icon_is_inlined_and_silent() -> None:
    found = soup(draw('{% icon "video" %}')).svg
    assert (found["aria-hidden"], found["class"]) == ("true", ["icon"])


@pytest.mark.parametrize("name", ["videoo", "../../../package", ""])
def test_an_unknown_icon_fails_in_every_mode(name: str) -> None:
    with pytest.raises(ui.UnknownIcon):
        draw("{% icon name %}", name=name)


@pytest.mark.parametrize("state", ui.BADGE_ICONS)
def test_a_badge_says_its_state_by_icon_and_word_beside_colour(state: str) -> None:
    found = soup(draw("{% badge state label %}", state=state, label="<b>Mot</b>")).span
    assert found.svg
    assert found.get_text() == "<b>Mot</b>"


# Times


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (0, "aujourd’hui 12:00"),
        (150, "aujourd’hui 14:30"),
        (-11 * 60, "aujourd’hui 01:00"),
        (24 * 60, "demain 12:00"),
        (-13 * 60, "hier 23:00"),
        (3 * 24 * 60, "mardi 24 novembre 12:00"),
        (8 * 24 * 60, "29 novembre 12:00"),
        (60 * 24 * 60, "20 janvier 2027 12:00"),
    ],
)
def test_a_time_is_said_as_people_say_it(at_noon: None, minutes: int, words: str) -> None:
    assert times.near(NOON + datetime.timedelta(minutes=minutes)) == words


def test_a_time_carries_its_full_date_on_hover_and_for_screen_readers(at_noon: None) -> None:
    found = soup(draw("{% when moment %}", moment=NOON)).time
    assert found["title"] == "samedi 21 novembre 2026 à 12:00"
    assert found.find(class_="visually-hidden").get_text() == found["title"]
    assert found.find(attrs={"aria-hidden": "true"}).get_text() == "aujourd’hui 12:00"
    assert found["datetime"] == "2026-11-21T12:00:00+01:00"


def test_a_missing_time_says_so() -> None:
    assert "non renseigné" in draw("{% when None %}")


@pytest.mark.parametrize(
    ("number", "dialled", "beside"),
    [
        ("01 99 00 45 67", "0199004567", ""),
        ("01.99.00.45.67 poste 4521", "0199004567", " poste 4521"),
        ("Salle de soins, +33 1 99 00 45 67", "+33199004567", "Salle de soins, "),
        ("15", "15", ""),
    ],
)
def test_a_number_calls_without_its_spaces_and_the_extension_stays_words(
    number: str, dialled: str, beside: str
) -> None:
    found = soup(draw("{% phone number %}", number=number))
    assert found.a["href"] == f"tel:{dialled}"
    assert found.get_text() == number
    found.a.extract()
    assert found.get_text() == beside


@pytest.mark.parametrize("number", ["poste 4521", "4521", "", "<b>01"])
def test_an_extension_alone_calls_nobody(number: str) -> None:
    found = soup(draw("{% phone number %}", number=number))
    assert (found.a, found.get_text()) == (None, number)


CASES = [-1500, -1440, -1439, -61, -60, -59, -1, -0.99, -0.5, 0, 0.5, 1, 1.01, 59, 60, 61, 65, 119, 120, 1439, 1440]


def test_browser_and_server_count_down_in_the_same_words(at_noon: None) -> None:
    module = Path(finders.find("core/ui/countdown.js")).read_text()
    module = module.split("const meta")[1].split("function write")[0].replace("export ", "")
    script = (
        "const document = {querySelector: () => null}; const meta" + module + f"const cases = {CASES};"
        "console.log(JSON.stringify(cases.map((m) => [until(m * 60000, 0), since(0, m * 60000)])));"
    )
    answer = subprocess.run(["node", "-e", script], capture_output=True, text=True, check=True)
    for minutes, (until, since) in zip(CASES, json.loads(answer.stdout), strict=True):
        distance = datetime.timedelta(minutes=minutes)
        if until is not None:
            assert times.until(NOON + distance) == until, minutes
        if since is not None:
            assert times.ago(NOON - distance) == since, minutes


@pytest.mark.parametrize(
    ("born", "words"),
    [
        ("1954-11-21", "72\u00a0ans"),
        ("1954-11-22", "71\u00a0ans"),
        ("2024-12-21", "23\u00a0mois"),
        ("2026-11-20", "1\u00a0jour"),
    ],
)
def test_an_age_turns_on_the_birthday(at_noon: None, born: str, words: str) -> None:
    assert times.age(datetime.date.fromisoformat(born)) == words


# Patients


def test_a_patient_is_name_first_name_birth_date_age_and_sex(at_noon: None) -> None:
    words = " ".join(soup(draw("{% patient_identity patient %}", patient=someone())).get_text().split())
    assert words == "MOREAU Jeanne née le 12/03/1941 (85 ans), femme"


def test_what_is_not_known_of_a_patient_is_said(at_noon: None) -> None:
    words = draw("{% patient_identity patient %}", patient=someone(birth_date=None, sex=""))
    assert "date de naissance non renseignée" in words
    assert "sexe non renseigné" in words


def test_two_patients_alike_are_marked() -> None:
    assert "Homonyme proche" in draw("{% patient_identity patient twin=True %}", patient=someone())


# Verbs


def test_a_verb_is_a_form_with_its_token() -> None:
    form = soup(draw('{% post_button "/x/" "Rejoindre" "video" %}', csrf_token="jeton")).form
    assert (form["method"], form["action"], form.button.get_text(strip=True)) == ("post", "/x/", "Rejoindre")
    assert form.find("input", {"name": "csrfmiddlewaretoken"})["value"] == "jeton"


def test_a_question_before_a_loss_works_without_script() -> None:
    """<details> unfolds by itself; the button to keep appears only with the dialog that it closes."""
    source = '{% confirm url="/x/" label="Annuler" title="Annuler le rendez-vous ?" %}<p>Perdu.</p>{% endconfirm %}'
    details = soup(draw(source, csrf_token="jeton")).details
    assert details.summary.get_text(strip=True) == "Annuler"
    assert details.form["action"] == "/x/"
    assert details.find("button", {"data-confirm-keep": True}).has_attr("hidden")
    assert "Perdu." in details.get_text()


def test_the_end_of_a_list_has_no_next_link() -> None:
    page = SimpleNamespace(next_url="?after=1", first_url=None)
    assert soup(draw("{% next_page page %}", page=page)).a["href"] == "?after=1"
    assert draw("{% next_page page %}", page=SimpleNamespace(next_url=None, first_url=None)).strip() == ""
