"""What the patient answers before the appointment, and who reads it (TC-25)."""

import re
from datetime import timedelta
from typing import Any
from unittest import mock
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from relais.accounts.models import Role
from relais.accounts.testing import actor_for, client_of, make_member, make_practitioner
from relais.dossiers.models import Event
from relais.patients.testing import let_in, make_grant, make_patient
from relais.questionnaires.models import Response
from relais.rooms import actions as rooms
from relais.rooms.models import Part, Room
from relais.teleconsultation.actions import call
from relais.teleconsultation.testing import Scene, make_tele, photograph

pytestmark = [pytest.mark.django_db, pytest.mark.req("TC-25")]
HOME, URL = "/p/rendez-vous/", "/p/rendez-vous/preparation/"
WORD = "Vertiges du matin"


def soon() -> Scene:
    return make_tele(starts_at=timezone.now() + timedelta(hours=3))


def answers(**changes: Any) -> dict[str, Any]:
    """What a page sends, by key; `tp__temp="38,5"` changes one answer."""
    given: dict[str, Any] = {
        "request_key": str(uuid4()),
        "q-tp.saisie": "patient",
        "q-tp.motif": WORD,
        "q-tp.symptomes": ["toux", "fievre"],
        "q-tp.depuis": "jours",
        "q-tp.souffle": "non",
    }
    return given | {
        (f"q-{name.replace('__', '.')}" if name.startswith("tp") else name): value for name, value in changes.items()
    }


def space(scene: Scene) -> Client:
    return let_in(Client(), scene.grant)


def prepared(scene: Scene, **changes: Any) -> Response:
    """The patient's answers, sent through the page."""
    assert space(scene).post(URL, answers(**changes)).status_code == 302
    return Response.objects.get(about=scene.tele.pk, replaced_by=None)


def text_of(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def dossier_of(scene: Scene, browser: Client) -> str:
    return text_of(browser.get(reverse("teleconsultation:dossier", args=[scene.tele.pk])))


# Sending


def test_the_space_offers_it_from_the_booking_and_then_says_that_it_was_sent() -> None:
    scene = soon()
    browser = space(scene)
    assert "Préparer la consultation" in text_of(browser.get(HOME))
    assert "Que ressentez-vous ?" in text_of(browser.get(URL))
    assert browser.post(URL, answers()).url == URL
    page = text_of(browser.get(URL))
    assert "Vos réponses sont envoyées." in page
    assert WORD in page
    home = text_of(browser.get(HOME))
    assert "Relire mes réponses" in home
    assert "Préparer la consultation" not in home


def test_it_is_kept_with_who_answered_and_leaves_an_event_without_content() -> None:
    scene = soon()
    response = prepared(scene, tp__temp="38,5")
    assert response.answers["tp.temp"] == [38.5]
    assert (response.relation, response.voice, response.grant_id) == ("patient", "patient", scene.grant.pk)
    event = Event.objects.get(dossier=scene.tele.dossier, verb="prepared")
    assert event.data == {"response": str(response.pk)}


def test_a_wrong_answer_is_said_beside_its_question_and_the_rest_stays() -> None:
    scene = soon()
    answer = space(scene).post(URL, answers(tp__temp="385"))
    assert answer.status_code == 422
    assert "42,5" in text_of(answer)
    assert WORD in answer.content.decode()
    assert not Response.objects.exists()


def test_the_same_page_sent_twice_makes_one() -> None:
    scene = soon()
    browser, said = space(scene), answers()
    assert [browser.post(URL, said).status_code for _time in range(2)] == [302, 302]
    assert Response.objects.count() == 1
    assert Event.objects.filter(verb="prepared").count() == 1


def test_another_page_is_refused_once_it_was_sent() -> None:
    scene = soon()
    prepared(scene)
    answer = space(scene).post(URL, answers(tp__motif="Autre chose"))
    assert answer.status_code == 422
    assert "Ce questionnaire a déjà été envoyé." in text_of(answer)
    assert Response.objects.count() == 1


@pytest.mark.parametrize(("seconds", "may"), [(0, True), (1, False)])
def test_it_is_taken_until_the_hour_is_over_exactly(seconds: int, *, may: bool) -> None:
    scene = soon()
    browser = space(scene)
    with mock.patch.object(timezone, "now", return_value=scene.tele.ends_at + timedelta(seconds=seconds)):
        page, answer = browser.get(URL), browser.post(URL, answers())
    assert ("Que ressentez-vous ?" in text_of(page)) is may
    assert (answer.status_code == 302) is may
    assert ("L’heure de ce rendez-vous est passée" in text_of(page)) is not may


@pytest.mark.parametrize(
    ("state", "words"),
    [("cancelled", "Ce rendez-vous est annulé"), ("done", "est passée"), ("closed", "est passée")],
)
def test_afterwards_or_cancelled_a_sentence_says_so(state: str, words: str) -> None:
    scene = make_tele(state=state)
    browser = space(scene)
    assert words in text_of(browser.get(URL))
    refused = browser.post(URL, answers())
    assert refused.status_code == 422
    assert words in text_of(refused)
    assert not Response.objects.exists()
    assert "Préparer la consultation" not in text_of(browser.get(HOME))


# Correcting


def test_it_is_corrected_by_an_answer_that_replaces_it() -> None:
    scene = soon()
    first = prepared(scene)
    browser = space(scene)
    assert WORD in browser.get(f"{URL}?corriger").content.decode()
    sent = browser.post(URL, answers(tp__motif="Migraine", replaces=str(first.pk)))
    assert sent.status_code == 302
    page = text_of(browser.get(URL))
    assert "Migraine" in page
    assert WORD not in page
    assert Event.objects.filter(verb="preparation_corrected").count() == 1


def test_once_the_doctor_has_joined_nothing_changes_any_more() -> None:
    scene = make_tele(starts_at=timezone.now() + timedelta(minutes=10))
    first = prepared(scene)
    call.join(actor=actor_for(scene.practitioner), tele=scene.tele)
    browser = space(scene)
    page = text_of(browser.get(f"{URL}?corriger"))
    assert "elles ne changent plus" in page
    assert "Le professionnel vous attend" in page
    refused = browser.post(URL, answers(replaces=str(first.pk)))
    assert refused.status_code == 422
    assert Response.objects.count() == 1


def test_two_corrections_of_one_answer_make_one() -> None:
    scene = soon()
    first = prepared(scene)
    browser = space(scene)
    browser.post(URL, answers(tp__motif="Première", replaces=str(first.pk)))
    second = browser.post(URL, answers(tp__motif="Seconde", replaces=str(first.pk)))
    assert second.status_code == 422
    assert "déjà été corrigées" in text_of(second)


# Voices


def test_the_other_voice_is_one_tap_away_and_keeps_what_was_typed() -> None:
    scene = soon()
    browser = space(scene)
    other = browser.post(URL, answers(voice="patient", switch="1"))
    assert other.status_code == 200
    assert "Que ressent votre proche" in text_of(other)
    assert WORD in other.content.decode()
    assert not Response.objects.exists()
    response = prepared(scene, voice="proxy", tp__saisie="proche-aidant")
    assert (response.voice, response.relation, response.reason) == ("proxy", "proche-aidant", "non-autonome")


def test_a_parent_who_holds_the_key_is_spoken_to_as_a_parent() -> None:
    scene = make_tele(
        starts_at=timezone.now() + timedelta(hours=3), grant_fields={"holder": "parent", "holder_name": "Anne Petit"}
    )
    page = space(scene).get(URL).content.decode()
    assert "Que ressent votre proche" in page
    assert re.search(r'value="parent" checked', page)


# Reading


def test_the_dashboard_says_that_it_is_filled_in_to_everybody_without_its_content() -> None:
    scene = soon()
    secretary = client_of(make_member(scene.tele.establishment, Role.SECRETARY))
    assert "Questionnaire rempli" not in text_of(secretary.get("/teleconsultation/"))
    prepared(scene)
    page = text_of(secretary.get("/teleconsultation/"))
    assert "Questionnaire rempli" in page
    assert WORD not in page


@pytest.mark.parametrize(("role", "reads"), [("practitioner", True), ("caregiver", True), ("secretary", False)])
def test_clinical_roles_alone_read_it_in_the_dossier(role: str, *, reads: bool) -> None:
    scene = soon()
    prepared(scene)
    page = dossier_of(scene, client_of(make_member(scene.tele.establishment, Role(role))))
    assert (WORD in page) is reads


def test_it_is_read_beside_the_video_and_comes_by_itself() -> None:
    scene = make_tele(starts_at=timezone.now() + timedelta(minutes=10))
    call.join(actor=actor_for(scene.practitioner), tele=scene.tele)
    browser, url = client_of(scene.practitioner), reverse("teleconsultation:call", args=[scene.tele.pk])
    assert WORD not in text_of(browser.get(url))
    prepared(scene)  # late, and still taken: nothing was sent before
    part = browser.get(url, headers={"HX-Request": "true", "HX-Target": "call-documents"})
    assert WORD in text_of(part)


def test_the_photograph_is_served_to_its_patient_and_to_those_who_read_clinical_content() -> None:
    scene = soon()
    response = prepared(scene, tp__photo=photograph())
    (file_id,) = response.answers["tp.photo"]
    theirs = reverse("space:preparation_file", args=[file_id])
    ours = reverse("teleconsultation:preparation_file", args=[scene.tele.pk, file_id])
    doctor, secretary = client_of(scene.practitioner), make_member(scene.tele.establishment, Role.SECRETARY)
    assert ours in doctor.get(reverse("teleconsultation:dossier", args=[scene.tele.pk])).content.decode()
    assert space(scene).get(theirs).status_code == 200
    assert doctor.get(ours).status_code == 200
    assert space(soon()).get(theirs).status_code == 404
    assert client_of(secretary).get(ours).status_code in (403, 404)
    assert client_of(make_practitioner()).get(ours).status_code == 404


def test_another_patient_reads_and_corrects_only_their_own() -> None:
    scene, other = soon(), soon()
    first = prepared(scene)
    browser = space(other)
    assert WORD not in text_of(browser.get(URL))
    assert browser.post(URL, answers(replaces=str(first.pk))).status_code == 404
    assert Response.objects.count() == 1


def test_a_stranger_and_a_guest_reach_nothing() -> None:
    scene = soon()
    prepared(scene)
    assert Client().get(URL).status_code in (302, 401, 403, 404)
    guest, _secrets = make_grant(scene.patient, about=scene.tele.pk, holder="guest", holder_name="Mme Interprète")
    rooms.invite(
        actor=actor_for(scene.practitioner), room=Room.objects.get(about=scene.tele.pk), holder_id=guest.pk,
        part=Part.GUEST, name="Mme Interprète", authenticated=False, admitted=True,
    )  # fmt: skip
    assert let_in(Client(), guest).get(URL).status_code == 404
    stranger = client_of(make_practitioner())
    assert stranger.get(reverse("teleconsultation:dossier", args=[scene.tele.pk])).status_code == 404


def test_the_dashboard_takes_as_many_queries_for_one_that_is_filled_in_as_for_three() -> None:
    scene = soon()
    prepared(scene)
    browser = client_of(scene.practitioner)
    browser.get("/teleconsultation/")
    one = queries_of(browser)
    for hours in (5, 7):
        start = timezone.now() + timedelta(hours=hours)
        prepared(make_tele(practitioner=scene.practitioner, patient=make_patient(), starts_at=start))
    browser.get("/teleconsultation/")
    three = queries_of(browser)
    assert (one[0], three[0]) == (1, 3)
    assert one[1] == three[1]


def queries_of(browser: Client) -> tuple[int, int]:
    """How many lines of the dashboard are filled in, and how many queries it takes."""
    with CaptureQueriesContext(connection) as caught:
        page = text_of(browser.get("/teleconsultation/"))
    return page.count("Questionnaire rempli"), len(caught)
