"""Answers given without network: closed on the telephone, sent once the network is back (EC-03, issue 3 §3 and §4)."""

import base64
import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone
from hypothesis import Phase, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from relais.accounts.testing import actor_for, client_of
from relais.core import keys, sealing
from relais.patients.testing import let_in, make_grant, make_patient
from relais.questionnaires.models import Response
from relais.telemonitoring.actions import offline, states
from relais.telemonitoring.models import Alert, FollowUp, Judgement
from relais.telemonitoring.testing import WELL, make_follow_up, reply, seal

pytestmark = pytest.mark.django_db
SEND = "/p/suivi/envoyer/"


@pytest.fixture
def scene():
    return make_follow_up()


def send(scene, envelope, client=None):
    return (client or let_in(Client(), scene.grant)).post(SEND, json.dumps(envelope), "application/json")


def kept(scene):
    return Response.objects.filter(about=scene.follow_up.pk)


@pytest.mark.req("EC-03", "EC-06")
def test_answers_closed_on_a_telephone_are_kept_and_judged_with_both_times(scene):
    given_at = timezone.now() - timedelta(hours=1)
    envelope = seal(scene, content={"ended_at": given_at.isoformat()}, levres=True)
    answer = send(scene, envelope)
    assert (answer.status_code, answer.json()["level"]) == (200, "rouge")
    response = kept(scene).get()
    assert (response.ended_at, response.device_at.isoformat()) == (given_at, envelope["device_at"])
    assert response.received_at > response.device_at
    assert (response.grant_id, response.relation) == (scene.grant.pk, "patient")
    assert Alert.objects.get().fired == ["AR11"]


def test_five_sendings_are_one_answer(scene):
    envelope = seal(scene, levres=True)
    assert {send(scene, envelope).status_code for _time in range(5)} == {200}
    assert (kept(scene).count(), Judgement.objects.count(), Alert.objects.get().fired) == (1, 1, ["AR11"])


def test_sent_online_and_again_from_the_telephone_it_is_one_answer(scene):
    """The network was cut after the answers had arrived, before the page that said so."""
    key = uuid4()
    reply(scene, key=key, levres=True)
    assert send(scene, seal(scene, key=key, levres=True)).status_code == 200
    assert kept(scene).count() == 1


def test_red_answers_of_yesterday_count_for_yesterday_and_alert_at_once(scene):
    yesterday, before = timezone.now() - timedelta(days=1), timezone.now()
    answer = send(scene, seal(scene, content={"ended_at": yesterday.isoformat()}, levres=True))
    assert answer.json()["late"] is True
    judged = Judgement.objects.get()
    assert (judged.day < timezone.localdate(), judged.late, judged.level) == (True, True, "rouge")
    assert Alert.objects.get().since >= before


def test_a_telephone_whose_clock_is_wrong_is_put_right(scene):
    """Its clock is two days ahead: what it calls the day after tomorrow is an hour ago."""
    ahead = timedelta(days=2)
    envelope = seal(scene, content={"ended_at": (timezone.now() + ahead - timedelta(hours=1)).isoformat()})
    envelope["device_at"] = (timezone.now() + ahead).isoformat()
    send(scene, envelope)
    assert abs(kept(scene).get().ended_at - (timezone.now() - timedelta(hours=1))) < timedelta(minutes=1)


def test_a_clock_put_right_before_sending_gives_no_answers_older_than_their_questions(scene):
    """The telephone began anew in 1970 without network, and got the hour with it."""
    token = offline.context_token(scene.follow_up, timezone.localdate())
    known = timezone.now() - timedelta(seconds=2)
    send(scene, seal(scene, content={"ended_at": "1970-01-01T00:03:00+00:00", "token": token}))
    response = kept(scene).get()
    assert known < response.started_at <= response.ended_at <= response.received_at


STORY = (
    {"dyspnee": "0"},
    {"dyspnee": "2", "dyspnee__evol": "stable", "dyspnee__habit": True},
    {"frissons": "intenses"},
    {"levres": True},
)


def test_whatever_the_order_and_however_often_the_result_is_one(scene):
    """Any order, any repetition: the same answer sets, the same level of the patient, and no alert less."""
    keys_of = [uuid4() for _one in STORY]
    began = timezone.now() - timedelta(hours=len(STORY))
    envelopes = [
        seal(scene, key=key, content={"ended_at": (began + timedelta(hours=n)).isoformat()}, **changes)
        for n, (key, changes) in enumerate(zip(keys_of, STORY, strict=True))
    ]

    def result(order):
        with transaction.atomic():
            for place in order:
                offline.receive(actor=scene.holder, follow_up=scene.follow_up, sent=envelopes[place])
            responses = [(one.request_key, one.answers, one.ended_at) for one in kept(scene).order_by("ended_at")]
            level = FollowUp.objects.get(pk=scene.follow_up.pk).level
            alert = set(Alert.objects.get().fired) if Alert.objects.exists() else set()
            transaction.set_rollback(True)
        return responses, level, alert

    awaited = {several: result(range(several)) for several in (2, 3, 4)}

    @given(st.data())
    @hypothesis(max_examples=5, phases=[Phase.generate])
    def check(data):
        several = data.draw(st.sampled_from([3, 4, 2]))
        again = data.draw(st.lists(st.integers(0, several - 1), max_size=3))
        order = data.draw(st.permutations([*range(several), *again]))
        responses, level, alert = result(order)
        assert (responses, level) == awaited[several][:2]
        assert alert >= awaited[several][2]

    check()


def test_what_fires_only_with_answers_that_came_late_is_an_alert(scene):
    """Breathlessness that rose by two degrees: the answers before came after."""
    now = timezone.now()
    reply(scene, at=now - timedelta(hours=1), dyspnee="2", dyspnee__habit=True, dyspnee__evol="stable")
    assert "AC03-rouge" not in Alert.objects.get().fired
    assert Alert.objects.get().level == "orange"
    send(scene, seal(scene, content={"ended_at": (now - timedelta(hours=9)).isoformat()}, dyspnee="0"))
    assert "AC03-rouge" in Alert.objects.get().fired
    assert (Alert.objects.get().level, FollowUp.objects.get().level) == ("rouge", "rouge")


# What is refused, with a sentence, and changes nothing


def _changed(name):
    def change(envelope):
        data = bytearray(base64.urlsafe_b64decode(envelope[name] + "=="))
        data[-1] ^= 1
        return {**envelope, name: sealing.text_of(bytes(data))}

    return change


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        (_changed("box"), 422, "abîmées"),
        (_changed("iv"), 422, "abîmées"),
        (_changed("point"), 422, "abîmées"),
        (lambda one: {**one, "request": str(uuid4())}, 422, "abîmées"),
        (lambda one: {**one, "box": "%%%"}, 422, "abîmées"),
        (lambda one: {}, 422, "abîmées"),
        (lambda one: [one], 422, "abîmées"),
        (lambda one: {**one, "box": "A" * 300_000}, 422, "abîmées"),
        (lambda one: {**one, "key": "0123456789abcdef"}, 409, "une clé que le serveur n’a plus"),
        (lambda one: {**one, "grant": str(uuid4())}, 409, "l’espace d’une autre personne"),
    ],
)
def test_what_cannot_be_opened_is_refused_with_a_sentence(scene, change, status, words):
    answer = send(scene, change(seal(scene, levres=True)))
    assert answer.status_code == status
    assert words in answer.json()["error"]
    assert not kept(scene).exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"ended_at": "hier"}, "abîmées"),
        ({"answers": [1]}, "abîmées"),
        ({"relation": "medecin-traitant"}, "abîmées"),
        ({"form": "ecovid-suivi-enfant-a"}, "ne vont pas avec ce suivi"),
        ({"version": "9.9.9"}, "ne vont pas avec ce suivi"),
        ({"version": "1.0.0\x00"}, "ne vont pas avec ce suivi"),
        ({"answers": {**WELL, "ad.temp": [385]}}, "corriger"),
        ({"answers": {**WELL, "ad.temp": [10**400]}}, "corriger"),
        ({"answers": {**WELL, "ad.temp": [float("nan")]}}, "corriger"),
    ],
)
def test_what_makes_no_answers_is_refused_with_a_sentence(scene, content, words):
    answer = send(scene, seal(scene, content=content))
    assert answer.status_code in (409, 422)
    assert words in answer.json()["error"]
    assert not kept(scene).exists()


def test_a_stranger_another_patient_and_a_closed_follow_up_get_nothing_in(scene):
    other = make_follow_up()
    envelope = seal(scene)
    assert "autre personne" in send(other, envelope).json()["error"]
    mother = let_in(
        Client(), make_grant(scene.patient, about=scene.follow_up.pk, holder="parent", holder_name="Anne")[0]
    )
    assert "autre personne" in send(scene, envelope, mother).json()["error"]
    assert send(scene, envelope, Client()).status_code == 302
    states.close(actor=actor_for(scene.member), follow_up=scene.follow_up, why="guerison")
    refused = send(scene, envelope)
    assert (refused.status_code, "Ce suivi est terminé" in refused.json()["error"]) == (409, True)
    assert not Response.objects.filter(about__in=[scene.follow_up.pk, other.follow_up.pk]).exists()


def test_no_date_that_a_telephone_says_is_too_far(scene):
    envelope = seal(scene, content={"ended_at": "9999-12-31T23:59:59+00:00", "started_at": "0001-01-01T00:00:00+00:00"})
    for device_at in ("0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59+00:00", "demain", None):
        assert send(scene, {**envelope, "device_at": device_at}).status_code in (200, 422)


def test_whatever_offset_a_telephone_says_its_answers_can_be_read_again(scene):
    for clock in ("9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00"):
        ends = ({"started_at": clock, "ended_at": clock}, {})
        said = [send(scene, {**seal(scene, content=times), "device_at": clock}).status_code for times in ends]
        assert said[1] == 200
    assert all(one.received_at for one in kept(scene)), "each row is read"
    assert client_of(scene.member).get(f"/suivi/{scene.follow_up.pk}/").status_code == 200


NO_SENDINGS = {"nested": "[" * 100_000, "cut": "{", "no JSON": "\xff", "long": json.dumps("a" * sealing.MOST)}


@pytest.mark.parametrize("body", NO_SENDINGS.values(), ids=NO_SENDINGS)
def test_what_is_no_sending_or_too_long_to_be_one_is_refused_with_a_sentence(scene, body):
    answer = let_in(Client(), scene.grant).post(SEND, body, "application/json")
    assert (answer.status_code, "abîmées" in answer.json()["error"]) == (422, True)


def test_a_key_that_is_added_while_the_site_runs_is_known_to_each_of_its_processes(scene, settings, tmp_path):
    """Another process began with the new key and handed it out already."""
    settings.ANSWERS_KEY_FILE = tmp_path / "answers.key"
    before = seal(scene)
    added = sealing.new_key() + settings.ANSWERS_KEY_FILE.read_text()
    settings.ANSWERS_KEY_FILE.unlink()
    keys.write_private(settings.ANSWERS_KEY_FILE, added)
    assert before["key"] != sealing.public()["id"]
    assert [send(scene, one).status_code for one in (before, seal(scene))] == [200, 200]


def test_a_new_key_leaves_the_old_ones_readable(scene, settings, tmp_path):
    old, new = tmp_path / "old.key", tmp_path / "new.key"
    settings.ANSWERS_KEY_FILE = old
    before, closed = sealing.public(), seal(scene)
    keys.write_private(new, sealing.new_key() + old.read_text())
    settings.ANSWERS_KEY_FILE = new
    assert sealing.public() != before
    assert send(scene, closed).status_code == 200
    assert send(scene, seal(scene)).status_code == 200
    assert old.stat().st_mode & 0o777 == 0o600


def test_somebody_answers_in_the_place_of_the_patient_without_network(scene):
    send(scene, seal(scene, content={"relation": "proche-aidant", "reason": "non-autonome"}))
    response = kept(scene).get()
    assert (response.relation, response.reason, response.voice) == ("proche-aidant", "non-autonome", "proxy")
    assert response.answers["ad.saisie"] == ["proche-aidant"]


def test_what_the_site_said_when_the_questions_were_put_comes_back_with_the_answers(scene):
    """The oximeter arrived meanwhile: the answers are read as they were put. What was said of others is not listened to."""
    token = offline.context_token(scene.follow_up, timezone.localdate())
    FollowUp.objects.filter(pk=scene.follow_up.pk).update(equipment=["oxymetre"])
    other = offline.context_token(make_follow_up().follow_up, timezone.localdate())
    said = []
    for content in ({"token": token}, {"token": other}, {"token": token + "x"}, {}):
        key = uuid4()
        send(scene, seal(scene, key, content))
        said.append(kept(scene).get(request_key=key).answers["ctx.oxymetre"])
    assert said == [[False], [True], [True], [True]]


def test_a_contact_who_became_a_case_meanwhile_is_judged_as_the_contact_who_answered():
    scene = make_follow_up(status="contact", patient=make_patient())
    scene.follow_up.status = "possible"
    scene.follow_up.save(update_fields=["status"])
    onset = scene.follow_up.onset
    given_answers = {
        "ct.sympt": [True], "ct.liste": ["toux"], "ct.temp": [37.2], "ct.dyspnee": ["0"], "ct.isolement": ["oui"],
        "ct.test": ["non"], "ct.besoin": ["non"],
    }  # fmt: skip
    answer = send(scene, seal(scene, content={"form": "ecovid-suivi-contact", "answers": given_answers}))
    assert answer.status_code == 200, answer.json()
    assert "CT01" in Judgement.objects.get().fired
    assert FollowUp.objects.get(pk=scene.follow_up.pk).onset == onset
