"""What a call decides is done by Relais, or said to the caller with where to do it (domain.md §1.8)."""

import pytest
from django.utils import timezone

from relais.accounts.models import Role
from relais.accounts.testing import client_of, make_establishment, make_member, make_practitioner, make_user
from relais.dossiers.models import Event
from relais.questionnaires.queries import current
from relais.telemonitoring.actions import settings
from relais.telemonitoring.actions.answers import context_of
from relais.telemonitoring.models import Alert, Call, FollowUp
from relais.telemonitoring.queries import after_call
from relais.telemonitoring.testing import include, join, make_follow_up

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene():
    return make_follow_up()


def url(scene, end=""):
    return f"/suivi/{scene.follow_up.pk}/{end}"


def nurse_of(scene):
    member = make_member(scene.cell.establishment, Role.CAREGIVER)
    join(scene.cell, member)
    return client_of(member)


def noted(scene, *orientations, browser=None, level="orange"):
    """A call that reached the patient, noted on the page; where the page leads."""
    now = timezone.now()
    Alert.objects.create(follow_up=scene.follow_up, level=level, fired=["AO10"], since=now, opened_at=now)
    browser = browser or client_of(scene.member)
    for verb in ("take", "call"):
        browser.post(url(scene, f"alerte/{verb}/"))
    page = browser.get(url(scene, "appel/"))
    said = {
        "request_key": str(page.context["fill"].request_key), "q-ap.appele": "patient", "q-ap.issue": "joint",
        "q-ap.heure": "10:30",
        "q-ap.etat": "moyen", "q-ap.niveau": "requalifie-orange", "q-ap.orientation": list(orientations),
    }  # fmt: skip
    answer = browser.post(url(scene, "appel/"), said)
    assert answer.status_code == 302, answer.context["fill"].errors
    return answer["Location"]


def todos(browser, scene):
    shown = browser.get(url(scene)).context["after_call"]
    return {} if shown is None else {one.label: one for one in shown.todos}


def test_every_orientation_of_the_form_says_what_becomes_of_it():
    codes = {one.code for one in current("ecovid-appel").form.by_id["ap.orientation"].options}
    assert codes == set(after_call.DONE) | set(after_call.TO_DO) | {"consultation-mt"}


@pytest.mark.req("EC-06")
def test_what_is_left_to_the_caller_stands_on_the_follow_up_with_where_to_do_it(scene):
    browser = client_of(scene.member)
    assert noted(scene, "visite-domicile", "urgences", "conseils") == url(scene)
    found = todos(browser, scene)
    assert [one.done for one in found.values()] == [False, False, True]
    text = browser.get(url(scene)).content.decode()
    for words in (
        "SOS Médecins (36 24)",
        "pressez « Patient hospitalisé »",
        url(scene, "synthese.pdf"),
        "À faire",
        "Fait",
    ):
        assert words in text, words
    assert (
        "Après l’appel" not in client_of(make_practitioner(scene.cell.establishment)).get(url(scene)).content.decode()
    )
    Call.objects.update(created_at=timezone.now() - after_call.SHOWN * 1.1)
    assert todos(browser, scene) == {}


def test_an_oximeter_given_is_asked_about_from_the_next_answer_on(scene):
    assert context_of(scene.follow_up)["ctx.oxymetre"] == [False]
    noted(scene, "oxymetre-remis")
    assert context_of(FollowUp.objects.get())["ctx.oxymetre"] == [True]
    assert Event.objects.filter(verb="equipped").count() == 1
    browser = client_of(scene.member)
    assert next(iter(todos(browser, scene).values())).done
    assert "Oxymètre remis au patient" in browser.get(url(scene)).content.decode()


def test_the_treating_doctor_is_named_when_relais_knows_them(scene):
    noted(scene, "consultation-mt")
    browser = client_of(scene.member)
    assert "Demandez au patient qui est son médecin traitant" in browser.get(url(scene)).content.decode()
    include(scene, {"inc.medecin": ["89900000001"]})
    assert "Appelez le médecin traitant (RPPS 89900000001)" in browser.get(url(scene)).content.decode()
    make_user("Caron", "Louise", rpps="89900000001", title="Dr")
    assert "Appelez Dr Louise Caron, médecin traitant" in browser.get(url(scene)).content.decode()


@pytest.mark.req("EC-08")
def test_another_rhythm_or_threshold_leads_to_where_it_is_set(scene):
    browser = client_of(scene.member)
    assert noted(scene, "modif-rythme", "modif-seuil") == url(scene, "modifier/")
    page = browser.get(url(scene, "modifier/"))
    assert page.context["form"]["rhythm"].value() == "standard"
    said = {"rhythm": "renforce", "baseline": "91", "target": "86"}
    assert browser.post(url(scene, "modifier/"), said)["Location"] == url(scene)
    after = FollowUp.objects.get()
    assert (after.rhythm, after.facts) == ("renforce", {"baseline": 91, "target": 86})
    event = Event.objects.get(verb="adjusted")
    assert event.data == {"rhythm": "renforce", "thresholds": ["baseline", "target"]}
    assert 'value="91"' in browser.get(url(scene, "modifier/")).content.decode()
    browser.post(url(scene, "modifier/"), said)
    assert Event.objects.filter(verb="adjusted").count() == 1, "nothing changed the second time"
    browser.post(url(scene, "modifier/"), {**said, "baseline": "", "target": ""})
    assert FollowUp.objects.get().facts == {}


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"rhythm": "contact"}, "Sélectionnez un choix valide"),
        ({"rhythm": "renforce", "baseline": "60"}, "80"),
    ],
)
def test_what_cannot_be_is_refused_beside_the_field(scene, said, words):
    page = client_of(scene.member).post(url(scene, "modifier/"), said)
    assert page.status_code == 422
    assert words in page.content.decode()
    assert FollowUp.objects.get().rhythm == "standard"


@pytest.mark.req("EC-08")
def test_a_caregiver_asks_for_more_answers_and_changes_nothing_else(scene):
    nurse = nurse_of(scene)
    assert "SpO2 habituelle" not in nurse.get(url(scene, "modifier/")).content.decode()
    said = {"rhythm": "renforce", "baseline": "91", "target": "86"}
    assert nurse.post(url(scene, "modifier/"), said).status_code == 302
    assert (FollowUp.objects.get().rhythm, FollowUp.objects.get().facts) == ("renforce", {})
    refused = nurse.post(url(scene, "modifier/"), {"rhythm": "standard"})
    assert refused.status_code == 422
    assert "Seul un praticien de la cellule espace les réponses." in refused.content.decode()
    assert client_of(scene.member).post(url(scene, "modifier/"), {"rhythm": "standard"}).status_code == 302


def test_nobody_else_changes_them_and_nobody_once_it_is_closed(scene):
    stranger, colleague = (
        client_of(make_practitioner(place)) for place in (make_establishment("Ailleurs"), scene.cell.establishment)
    )
    for browser in (stranger, colleague):
        assert browser.get(url(scene, "modifier/")).status_code == 404
        assert browser.post(url(scene, "modifier/"), {"rhythm": "renforce"}).status_code == 404
    client_of(scene.member).post(url(scene, "close/"), {"why": "guerison"})
    assert client_of(scene.member).post(url(scene, "modifier/"), {"rhythm": "renforce"}).status_code == 404
    assert settings.choices(FollowUp.objects.get()) == ["standard", "renforce"]
