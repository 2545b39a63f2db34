"""A vital request leaves with what the nurse has at 4 a.m.; the rest is asked for afterwards (FG-04, issue 4 §5)."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from relais.accounts.testing import client_of, make_practitioner
from relais.liaison.models import Note, Request
from relais.liaison.testing import CALM, make_home, posted
from relais.questionnaires.models import Response

pytestmark = pytest.mark.django_db
LEFT_OUT = ("urgence", "motif", "fr", "tel")
NOTHING = {name.removeprefix("fg."): None for name in CALM if name.removeprefix("fg.") not in LEFT_OUT} | {
    "debut": None
}


def vital(**changes):
    """What a browser sends of a vital request: urgency, motive, telephone and what `changes` says."""
    given = {name.replace(".", "__"): value for name, value in NOTHING.items()}
    return posted(**{**given, "urgence": "vitale", "motif": "dyspnee", "fr": None, **changes})


def begun(scene):
    browser = client_of(scene.nurse)
    return browser, browser.post(f"/liaison/residents/{scene.resident.pk}/demander/").url


@pytest.mark.req("FG-04", "FG-08")
def test_a_vital_request_leaves_with_what_the_nurse_has_and_is_completed_afterwards():
    scene = make_home()
    browser, fill = begun(scene)
    assert browser.post(fill, vital(spo2=82)).status_code == 302
    demand = Request.objects.get()
    first = demand.response
    assert (demand.state, demand.responsible, demand.red) == ("soumise", scene.doctor.user, True)
    assert client_of(scene.regulator).get(f"/liaison/{demand.pk}/").status_code == 200
    page = browser.get(f"/liaison/{demand.pk}/").content.decode()
    for words in ("réponses à compléter", "Fréquence respiratoire", "Allergies", f"/liaison/{demand.pk}/completer/"):
        assert words in page
    doctor = client_of(scene.doctor)
    assert "À compléter" in doctor.get("/liaison/astreinte/").content.decode()
    assert f"/liaison/{demand.pk}/completer/" not in doctor.get(f"/liaison/{demand.pk}/").content.decode()
    url = f"/liaison/{demand.pk}/completer/"
    form = browser.get(url).content.decode()
    assert ('name="q-fg.fr"' in form, 'name="q-fg.spo2"' in form) == (True, False)
    said = posted()
    some = {"q-fg.fr": "34", "q-fg.allergies": "Pénicilline", "q-fg.spo2": "99", "request_key": said["request_key"]}
    browser.post(url, some)
    browser.post(url, some)
    found = Request.objects.get()
    assert (found.response.answers["fg.fr"], found.response.answers["fg.spo2"]) == ([34], [82]), "what left stays"
    assert (found.response.replaces, found.news2 > demand.news2, Response.objects.count()) == (first, True, 2)
    assert browser.post(url, {**said, "request_key": str(first.pk)}).status_code == 302
    assert "Demande vitale," not in browser.get(f"/liaison/{demand.pk}/").content.decode()


@pytest.mark.req("FG-04")
def test_an_impossible_sign_or_a_file_that_cannot_be_read_is_a_sentence_beside_the_vital_request():
    """What was typed stands in a note, and the sign is asked for again."""
    scene = make_home()
    browser, fill = begun(scene)
    wrong = SimpleUploadedFile("photo.jpg", b"not a picture")
    assert browser.post(fill, {**vital(spo2=999), "q-fg.pieces": wrong}).status_code == 302
    demand, note = Request.objects.get(), Note.objects.get()
    assert (demand.state, "fg.spo2" in demand.response.answers) == ("soumise", False)
    assert "SpO2 : « 999 »." in note.text
    assert len(note.text.splitlines()) == 3
    completing = f"/liaison/{demand.pk}/completer/"
    again = browser.post(completing, {"q-fg.spo2": "-4", "request_key": str(note.pk)})
    assert (again.status_code, 'value="-4"' in again.content.decode()) == (422, True)
    assert 'name="q-fg.o2debit"' in again.content.decode(), "NEWS2 needs it with the SpO2"


def test_without_a_motive_nothing_leaves_and_the_other_urgencies_need_their_answers():
    scene = make_home()
    browser, fill = begun(scene)
    page = browser.post(fill, vital(motif=None))
    assert page.status_code == 422
    assert set(page.context["fill"].errors) == {"fg.motif"}
    assert browser.post(fill, vital(urgence="urgente")).status_code == 422
    assert Request.objects.get().state == "brouillon"


@pytest.mark.req("FG-04", "FG-08")
def test_signs_for_which_one_calls_15_leave_without_a_motive_and_the_list_asks_for_it():
    """FG-R1 comes before anything else: the signs say why. The page proposes it whatever urgency was chosen."""
    scene = make_home()
    browser, fill = begun(scene)
    assert browser.post(fill, vital(motif=None, spo2=85)).status_code == 422
    page = browser.post(fill, vital(urgence="urgente", motif=None, spo2=84)).content.decode()
    assert "Envoyer maintenant en urgence vitale" in page
    assert Request.objects.get().state == "brouillon", "nothing leaves before the nurse says so"
    assert browser.post(fill, vital(motif=None, spo2=84)).status_code == 302
    demand = Request.objects.get()
    assert (demand.state, demand.urgency, demand.red, demand.motive) == ("soumise", "vitale", True, "")
    for member, url in (
        (scene.regulator, f"/liaison/{demand.pk}/"), (scene.doctor, "/liaison/astreinte/"), (scene.nurse, "/liaison/residents/"),
    ):  # fmt: skip
        assert client_of(member).get(url).status_code == 200, url
    assert "Motif principal" in browser.get(f"/liaison/{demand.pk}/").content.decode()
    browser.post(f"/liaison/{demand.pk}/completer/", {"q-fg.motif": "dyspnee", "request_key": str(demand.pk)})
    assert Request.objects.get().motive == "dyspnee"
    assert "Dyspnée" in client_of(scene.doctor).get("/liaison/astreinte/").content.decode()


def test_only_the_home_completes_and_a_whole_request_owes_nothing():
    scene = make_home()
    browser, fill = begun(scene)
    browser.post(fill, vital())
    url = f"/liaison/{Request.objects.get().pk}/completer/"
    for other in (scene.doctor, make_practitioner()):
        assert client_of(other).get(url).status_code == 404
    assert browser.post(url, {"request_key": str(scene.resident.pk)}).status_code == 422
    Request.objects.update(state="cloturee", closing="stabilise", closed_at="2026-11-22T04:00Z")
    assert browser.get(url).status_code == 302
