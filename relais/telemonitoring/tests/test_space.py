"""The patient's pages of telemonitoring through HTTP (EC-03, EC-09, EC-10, EC-12)."""

import io
from datetime import date, timedelta
from unittest import mock
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from PIL import Image

from relais.accounts.testing import actor_for
from relais.audit.models import Entry
from relais.dossiers.models import Event
from relais.patients.models import Grant
from relais.patients.testing import let_in, make_grant, make_patient
from relais.questionnaires.models import Response
from relais.telemonitoring.actions import alerts, states
from relais.telemonitoring.models import Alert, FollowUp, Judgement
from relais.telemonitoring.testing import WELL, make_follow_up, reply
from relais.telemonitoring.tests.test_windows import at

pytestmark = pytest.mark.django_db
HOME, ANSWER, INSTRUCTION, STOP = "/p/suivi/", "/p/suivi/repondre/", "/p/suivi/consigne/", "/p/suivi/arreter/"
# A child of 2 to 11 years without a sign.
CHILD_WELL = {
    "en.general": "stable", "en.temp": "36,8", "en.frissons": "false", "en.resp": "normale", "en.parole": "aucun",
    "en.couleur": "rose", "en.boire": "normal", "en.couches": "normal", "en.vomi": "non", "en.diarrhee": "non",
    "en.vigilance": "normale", "en.toux": "non", "en.tete": "non", "en.ventre": "non", "en.peau": "non",
    "en.inquiet": "non", "en.hospit": "non",
}  # fmt: skip


@pytest.fixture
def scene():
    return make_follow_up()


def browser(scene, grant=None):
    """Let in with a link of a few days ago: the clock of these tests goes back to this morning."""
    grant = grant or scene.grant
    Grant.objects.filter(pk=grant.pk).update(valid_from=at(-3, 0))
    return let_in(Client(), grant)


def text_of(answer):
    return answer.content.decode()


def typed(changes=None, given=None, **more):
    """What the page of an adult who is well sends, but for `changes`."""
    answers = given or {
        name: ["true" if one is True else "false" if one is False else str(one) for one in values]
        for name, values in WELL.items()
        if name != "ad.saisie"
    }
    posted = {f"q-{name}": value for name, value in {**answers, **(changes or {})}.items()}
    return {"request_key": str(uuid4()), "started_at": timezone.now().isoformat(), **posted, **more}


def send(scene, changes=None, client=None, **more):
    return (client or browser(scene)).post(ANSWER, typed(changes, **more))


@pytest.mark.req("EC-03", "EC-12")
def test_the_link_of_a_follow_up_leads_to_its_space(scene):
    client = browser(scene)
    assert client.get("/p/").url == HOME
    assert client.get(f"/p/{scene.grant.pk}/").url == HOME
    page = text_of(client.get(HOME))
    assert "J3" in page
    assert 'rel="manifest"' in page


def test_another_way_in_of_the_same_patient_and_a_stranger_find_nothing(scene):
    other = make_follow_up()
    for client in (browser(scene, make_grant(scene.patient)[0]), browser(other, make_grant(other.patient)[0])):
        assert client.get(HOME).status_code == 404
        assert client.post(ANSWER, typed()).status_code == 404
        assert client.post(STOP).status_code == 404
    assert Client().get(HOME).status_code in (302, 404)
    assert not Response.objects.filter(about=scene.follow_up.pk).exists()


def test_each_look_leaves_its_trace(scene):
    browser(scene).get(HOME)
    entry = Entry.objects.get(action="dossier.read", about=scene.follow_up.pk)
    assert (entry.grant_id, entry.patient_id) == (scene.grant.pk, scene.patient.pk)


@pytest.mark.req("EC-03")
@pytest.mark.parametrize(
    ("day", "hour", "words"),
    [
        (3, 8, ["attendue jusqu’à 22:00"]),
        (9, 8, ["attendue jusqu’à 12:00", "attendue de 16:00 à 22:00"]),
        (9, 13, ["Une réponse manque (matin", "attendue de 16:00 à 22:00"]),
        (3, 23, ["Une réponse manque", "Prochaine réponse"]),
    ],
)
def test_the_space_says_what_is_awaited_and_until_when(day, hour, words):
    scene = make_follow_up(day=day)
    client = browser(scene)
    with mock.patch.object(timezone, "now", return_value=at(0, hour)):
        page = text_of(client.get(HOME))
    for sentence in words:
        assert sentence in page


def test_after_the_answer_it_says_so(scene):
    client = browser(scene)
    with mock.patch.object(timezone, "now", return_value=at(0, 9)):
        send(scene, client=client)
        page = text_of(client.get(HOME))
    assert "Réponse reçue à 09:00" in page
    assert "36,8" in page
    assert "Tout va bien" in page


@pytest.mark.req("EC-03", "EC-06")
@pytest.mark.parametrize(
    ("changes", "level", "words", "link"),
    [
        ({}, "vert", "Tout va bien pour aujourd’hui", None),
        ({"ad.frissons": "intenses"}, "orange", "Un professionnel vous rappelle", None),
        ({"ad.levres": "true"}, "rouge", "Appelez le 15 immédiatement", 'btn-block" href="tel:15"'),
        ({"ad.moral": "critique", "ad.idees": "oui"}, "rouge-psy", "3114", 'btn-block" href="tel:3114"'),
    ],
)
def test_the_instruction_comes_at_once(scene, changes, level, words, link):
    client = browser(scene)
    answer = send(scene, changes, client)
    assert answer.url == INSTRUCTION
    page = text_of(client.get(INSTRUCTION))
    assert Judgement.objects.get().level == level
    assert words in page
    assert "Ne remplace pas un avis médical" in page
    if link:
        assert link in page


def test_the_end_tells_when_somebody_has_the_alert(scene):
    client = browser(scene)
    send(scene, {"ad.levres": "true"}, client)
    assert "Personne n’a encore pris votre alerte en charge" in text_of(client.get(INSTRUCTION))
    me = actor_for(scene.member)
    alert = alerts.take(actor=me, alert=Alert.objects.get())
    assert "Un professionnel s’occupe de vous" in text_of(client.get(INSTRUCTION))
    alerts.call(actor=me, alert=alert)
    assert "L’équipe vous appelle" in text_of(client.get(INSTRUCTION))


@pytest.mark.parametrize(("hour", "closed"), [(7, True), (8, False), (19, False), (20, True)])
def test_by_night_the_patient_does_not_wait_for_a_team_that_is_closed(scene, hour, closed):
    client = browser(scene)
    send(scene, {"ad.frissons": "intenses"}, client)
    with mock.patch.object(timezone, "now", return_value=at(0, hour)):
        page = text_of(client.get(INSTRUCTION))
    assert ("L’équipe est fermée jusqu’à 08:00" in page) is closed


def test_a_green_answer_while_the_team_still_calls_says_that_it_will(scene):
    client = browser(scene)
    send(scene, {"ad.levres": "true"}, client)
    send(scene, client=client)
    page = text_of(client.get(INSTRUCTION))
    assert "Un professionnel vous rappelle" in page
    assert "Tout va bien pour aujourd’hui" not in page


def test_an_older_answer_that_comes_late_does_not_take_the_instruction_back(scene):
    client = browser(scene)
    send(scene, {"ad.levres": "true"}, client)
    reply(scene, at=timezone.now() - timedelta(hours=20))
    assert "Appelez le 15 immédiatement" in text_of(client.get(INSTRUCTION))


def test_without_an_answer_there_is_no_instruction(scene):
    assert browser(scene).get(INSTRUCTION).url == HOME


def test_an_impossible_value_is_said_beside_its_question_and_nothing_is_lost(scene):
    answer = send(scene, {"ad.temp": "385"})
    assert answer.status_code == 422
    page = text_of(answer)
    assert "34 à 42,5" in page
    assert 'value="385"' in page
    assert page.count(" checked") > 15
    assert not Response.objects.filter(about=scene.follow_up.pk).exists()


@pytest.mark.parametrize("temperature", ["38,5", "38.5"])
def test_both_decimal_signs_are_read(scene, temperature):
    send(scene, {"ad.temp": temperature, "ad.paracetamol": "false"})
    assert Response.objects.get(about=scene.follow_up.pk).answers["ad.temp"] == [38.5]


def test_a_photo_comes_with_the_answers(scene):
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(out, "PNG")
    send(scene, {"ad.photo": SimpleUploadedFile("photo.png", out.getvalue(), "image/png")})
    assert len(Response.objects.get(about=scene.follow_up.pk).answers["ad.photo"]) == 1


@pytest.mark.parametrize("changes", [{"version": "9.9.9"}, {"version": "x\x00"}, {"form": "ecovid-inclusion"}])
def test_a_form_that_was_not_put_is_not_answered(scene, changes):
    answer = send(scene, **changes)
    assert answer.status_code in (302, 400, 404)
    assert not Response.objects.filter(questionnaire__name="ecovid-inclusion").exists()


def test_the_same_page_sent_five_times_is_one_answer(scene):
    client, page = browser(scene), typed({"ad.levres": "true"})
    assert {client.post(ANSWER, page).url for _time in range(5)} == {INSTRUCTION}
    assert Response.objects.filter(about=scene.follow_up.pk).count() == 1


@pytest.mark.req("EC-10")
def test_somebody_else_answers_one_tap_away_and_is_marked(scene):
    client = browser(scene)
    assert "?pour=proche" in text_of(client.get(HOME))
    assert "Qui répond" in text_of(client.get(ANSWER, {"pour": "proche"}))
    who = {"relation": "proche-aidant", "reason": "non-autonome"}
    page = text_of(client.post(ANSWER, who))
    assert "votre proche" in page
    send(scene, {"ad.confusion": "non"}, client, **who)
    kept = Response.objects.get(about=scene.follow_up.pk)
    assert (kept.relation, kept.reason, kept.voice) == ("proche-aidant", "non-autonome", "proxy")
    assert kept.answers["ad.saisie"] == ["proche-aidant"]
    assert "Un proche aidant" in text_of(client.get(HOME))


@pytest.mark.parametrize(
    "who",
    [
        {"relation": "proche-aidant", "reason": ""},
        {"relation": "", "reason": "non-autonome"},
        {"relation": "professionnel-cellule", "reason": "non-autonome"},
    ],
)
def test_who_answers_in_the_place_of_a_patient_says_who_and_why(scene, who):
    client = browser(scene)
    answer = client.post(ANSWER, who)
    assert answer.status_code == 422
    assert "Indiquez qui vous êtes" in text_of(answer)
    assert send(scene, client=client, **who).status_code == 422
    assert not Response.objects.filter(about=scene.follow_up.pk).exists()


def born(**age):
    today = timezone.localdate()
    if "years" in age:
        return date(today.year - age["years"], 1, 1)
    return today - timedelta(**age)


@pytest.mark.req("EC-09")
@pytest.mark.parametrize(
    ("birth", "form"),
    [
        (born(days=40), "ecovid-suivi-enfant-a"),
        (born(days=300), "ecovid-suivi-enfant-b"),
        (born(years=6), "ecovid-suivi-enfant-c"),
        (born(years=14), "ecovid-suivi-enfant-d"),
        (born(years=40), "ecovid-suivi-adulte"),
    ],
)
def test_the_questions_follow_the_age(birth, form):
    scene = make_follow_up(patient=make_patient(birth_date=birth))
    assert f'name="form" value="{form}"' in text_of(browser(scene).get(ANSWER))


@pytest.mark.req("EC-11")
def test_a_contact_has_their_own_questions():
    scene = make_follow_up(status="contact", rhythm="contact")
    assert 'value="ecovid-suivi-contact"' in text_of(browser(scene).get(ANSWER))


@pytest.mark.req("EC-09", "EC-10")
def test_a_parent_answers_for_a_child_and_reads_what_to_do():
    scene = make_follow_up(patient=make_patient(given="Léo", birth_date=born(years=6)))
    grant, _ = make_grant(scene.patient, about=scene.follow_up.pk, holder="parent", holder_name="Anne Petit")
    client = browser(scene, grant)
    assert "Répondre pour Léo" in text_of(client.get(ANSWER))
    said = {"relation": "parent", "reason": "enfant", "form": "ecovid-suivi-enfant-c"}
    assert send(scene, {"en.couleur": "bleu"}, client, given=CHILD_WELL, **said).url == INSTRUCTION
    kept = Response.objects.get(about=scene.follow_up.pk)
    assert (kept.relation, kept.reason, kept.grant_id) == ("parent", "enfant", grant.pk)
    assert "Appelez le 15 immédiatement" in text_of(client.get(INSTRUCTION))


def test_who_holds_the_link_for_an_adult_says_why_once_for_each_answer(scene):
    grant, _ = make_grant(scene.patient, about=scene.follow_up.pk, holder="family", holder_name="Anne Petit")
    page = text_of(browser(scene, grant).get(ANSWER))
    assert "Qui répond" in page
    assert 'value="proche-aidant" checked' in page


def test_a_closed_follow_up_explains_and_takes_nothing(scene):
    states.close(actor=actor_for(scene.member), follow_up=scene.follow_up, why="guerison")
    client = browser(scene)
    page = text_of(client.get(HOME))
    assert "Ce suivi est terminé" in page
    assert "Guérison" in page
    assert ANSWER not in page
    assert client.get(ANSWER).url == HOME
    assert send(scene, client=client).url == HOME
    assert not Judgement.objects.exists()


def test_in_hospital_nothing_is_asked(scene):
    states.pause(actor=actor_for(scene.member), follow_up=scene.follow_up)
    client = browser(scene)
    assert "en pause" in text_of(client.get(HOME))
    assert client.get(ANSWER).url == HOME


def test_the_patient_asks_to_stop_and_the_team_calls(scene):
    client = browser(scene)
    for _twice in range(2):
        assert client.post(STOP).url == HOME
    assert FollowUp.objects.get().state == "active"
    assert (Alert.objects.get().level, Alert.objects.get().fired) == ("gris", ["ARRET"])
    assert Event.objects.filter(verb="stop_asked").count() == 1
    assert "l’équipe vous appelle" in text_of(client.get(HOME))
    alerts.mistake(actor=actor_for(scene.member), alert=Alert.objects.get())
    assert "l’équipe vous appelle" not in text_of(client.get(HOME)), "who stayed after all may ask again"
    client.post(STOP)
    assert Alert.objects.get(state="new").fired == ["ARRET"]


def test_the_patient_reads_who_has_seen_the_file(scene):
    client = browser(scene)
    client.get(HOME)
    assert "Espace du suivi à domicile" in text_of(client.get("/p/suivi/acces/"))


@pytest.mark.parametrize("url", [HOME, INSTRUCTION])
def test_the_same_number_of_queries_with_one_answer_as_with_three(scene, url):
    client, counts = browser(scene), []
    for hours in (9, 6, 3):
        reply(scene, at=timezone.now() - timedelta(hours=hours))
        client.get(url)
        with CaptureQueriesContext(connection) as caught:
            client.get(url)
        counts.append(len(caught))
    assert counts[0] == counts[2]
