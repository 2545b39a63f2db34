"""What a telephone keeps for the days without network, and that nothing of a patient is in it (EC-03)."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from relais.accounts.testing import actor_for, client_of
from relais.core import sealing
from relais.patients.models import Grant
from relais.patients.testing import let_in, make_patient
from relais.telemonitoring import checks
from relais.telemonitoring.actions import states
from relais.telemonitoring.testing import make_follow_up

pytestmark = pytest.mark.django_db
HOME, SHELL, WORKER, STATE = "/p/suivi/", "/p/suivi/hors-ligne/", "/p/suivi/hors-ligne.js", "/p/suivi/etat/"
FORM = "/p/suivi/hors-ligne/ecovid-suivi-adulte/1.0.0/patient/"


@pytest.fixture
def scene():
    return make_follow_up()


def card_of(page):
    found = re.search(r'data-card="([^"]*)"', page.content.decode())
    return json.loads(found[1].replace("&quot;", '"').replace("&#x27;", "'").replace("&amp;", "&"))


def is_there(url):
    return finders.find(url.removeprefix(settings.STATIC_URL)) is not None


def given_of(worker):
    return json.loads(re.search(r"self\.RELAIS = (.*);\n", worker.content.decode())[1])


@pytest.mark.req("EC-03")
@pytest.mark.parametrize("url", [SHELL, FORM, WORKER])
def test_what_is_kept_in_clear_is_the_same_for_everybody_and_names_nobody(scene, url):
    """The patient's browser and a stranger's get one page: no name, no id, no token, no cookie."""
    mine, nobody = let_in(Client(), scene.grant).get(url), Client().get(url)
    changing = r'name="(?:request_key|started_at)" value="[^"]*"|name="relais-now" content="[^"]*"'
    texts = [re.sub(changing, "", one.content.decode()) for one in (mine, nobody)]
    assert texts[0] == texts[1]
    for secret in (scene.patient.family_name, scene.patient.given_name, str(scene.grant.pk), str(scene.follow_up.pk)):
        assert secret not in texts[0]
    assert "csrfmiddlewaretoken" not in texts[0]
    assert 'name="csrf-token" content=""' in texts[0] or url == WORKER
    assert not mine.cookies


def test_the_worker_is_of_the_follow_up_alone_and_lists_files_that_are_there(scene):
    """Its address is its scope: /p/suivi/. Everything that the shell needs is in its list, scripts' imports too."""
    worker = Client().get(WORKER)
    assert worker["Content-Type"].startswith("text/javascript")
    given = given_of(worker)
    assert WORKER.rsplit("/", 1)[0] + "/" == HOME
    assert all(is_there(one) for one in given["files"])
    names = {one.rsplit("/", 1)[1] for one in given["files"]}
    assert {"shell.js", "seal.js", "store.js", "condition.js", "logic.js", "form.js", "ready.js", "space.css"} <= names
    assert any(one.endswith(".woff2") for one in names)
    page = Client().get(SHELL).content.decode()
    assert set(re.findall(r'(?:src|href)="(/static/[^"]+)"', page)) <= set(given["files"])


def test_only_pages_of_the_follow_up_prepare_the_telephone(scene):
    for client, urls in (
        (let_in(Client(), scene.grant), [HOME, HOME + "repondre/"]),
        (client_of(scene.member), ["/suivi/", f"/suivi/{scene.follow_up.pk}/"]),
    ):
        for url in urls:
            assert ("telemonitoring/offline.js" in client.get(url).content.decode()) is url.startswith("/p/")


def test_other_forms_are_not_for_everybody():
    for url in (
        FORM.replace("suivi-adulte", "inclusion"),
        FORM.replace("1.0.0", "9.9.9"),
        FORM.replace("/patient/", "/inconnu/"),
    ):
        assert Client().get(url).status_code == 404


@pytest.mark.req("EC-09")
def test_the_card_knows_the_forms_and_facts_of_the_days_to_come():
    """A child who becomes an adult in three days has two forms and two sets of rules."""
    today = timezone.localdate()
    adult = today + timedelta(days=3)
    born = adult.replace(year=adult.year - 18)
    scene = make_follow_up(patient=make_patient(birth_date=born), equipment=["oxymetre"], facts={"baseline": 92})
    card = card_of(let_in(Client(), scene.grant).get(HOME))
    days = {one["date"]: one for one in card["days"]}
    first, then = days[today.isoformat()], days[adult.isoformat()]
    assert (first["form"], then["form"]) == ("ecovid-suivi-enfant-d", "ecovid-suivi-adulte")
    assert set(card["rules"]) == {"adult", "child"}
    assert (first["context"]["ctx.oxymetre"], first["facts"]["baseline"]) == ([True], 92)
    assert then["facts"]["day"] == first["facts"]["day"] + 3
    assert card["server"] == sealing.public()
    assert card["grant"] == str(scene.grant.pk)


def test_a_closed_follow_up_makes_the_telephone_forget(scene):
    client = let_in(Client(), scene.grant)
    states.close(actor=actor_for(scene.member), follow_up=scene.follow_up, why="guerison")
    card = card_of(client.get(HOME))
    assert (card["over"], card["days"], card["rules"]) == (True, [], {})


def test_an_installation_without_a_key_offers_nothing_to_close(scene, settings, tmp_path):
    settings.ANSWERS_KEY_FILE = tmp_path / "none.key"
    settings.PRODUCTION = True
    card = card_of(let_in(Client(), scene.grant).get(HOME))
    assert (card["server"], card["days"]) == (None, [])


def test_a_telephone_learns_whether_its_way_in_is_open_or_over_for_good(scene):
    client = let_in(Client(), scene.grant)
    answer = client.get(STATE)
    assert (answer.status_code, answer.json()["grant"]) == (200, str(scene.grant.pk))
    assert answer.json()["csrf"]
    assert Client().get(STATE).status_code == 401
    Grant.objects.filter(pk=scene.grant.pk).update(revoked_at=timezone.now())
    ended = client.get(STATE)
    assert (ended.status_code, ended.json()) == (410, {"grant": str(scene.grant.pk)})


@pytest.mark.req("EC-03")
def test_the_space_can_be_installed(scene):
    """A name, a start within the worker's scope, and icons in the sizes that telephones ask for."""
    manifest = json.loads(Path(str(finders.find("telemonitoring/space.webmanifest"))).read_text())
    assert (manifest["start_url"], manifest["display"], manifest["lang"]) == (HOME, "standalone", "fr")
    assert {"192x192", "512x512"} <= {one["sizes"] for one in manifest["icons"]}
    assert all(is_there(one["src"]) for one in manifest["icons"])
    assert 'rel="manifest"' in let_in(Client(), scene.grant).get(HOME).content.decode()


def test_no_script_of_the_telephone_computes_text() -> None:
    folder = Path(settings.BASE_DIR) / "relais" / "telemonitoring" / "static" / "telemonitoring"
    for script in folder.glob("*.js"):
        assert not re.search(r"\beval\b|new Function|innerHTML|localStorage|sessionStorage", script.read_text()), script


def test_an_installation_is_told_that_its_key_is_missing(settings, tmp_path, capsys):
    settings.ANSWERS_KEY_FILE = tmp_path / "keys" / "answers.key"
    assert [one.id for one in checks.answers_key()] == ["telemonitoring.W001"]
    for said in ("made", "kept as it is"):
        call_command("answers_key")
        assert said in capsys.readouterr().out
    assert checks.answers_key() == []
    assert sealing.public() is not None
