"""Dashboard, agenda and Historique through HTTP (TC-05 … TC-10, TC-44)."""

import re
from datetime import timedelta
from unittest import mock

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from relais.accounts.models import Role
from relais.accounts.testing import actor_for, client_of, make_establishment, make_member, make_practitioner, sign_in
from relais.core.actor import Actor
from relais.notifications.models import Message
from relais.patients.testing import make_patient
from relais.rooms import actions as rooms
from relais.rooms.models import DeviceTest
from relais.teleconsultation.actions import call
from relais.teleconsultation.templatetags import tele
from relais.teleconsultation.testing import make_tele
from relais.teleconsultation.views import dashboard
from relais.teleconsultation.workflow import State

URL = "/teleconsultation/"
TOKEN = r'csrfmiddlewaretoken" value="(\w+)"'
pytestmark = pytest.mark.django_db


@pytest.fixture
def doctor():
    return make_practitioner()


@pytest.fixture
def seen(doctor, client):
    return sign_in(client, doctor)


def at(minutes):
    return timezone.now() + timedelta(minutes=minutes)


def names(answer):
    return [row.patient.family_name for row in answer.context["rows"]]


def planned(doctor, name, minutes, **fields):
    return make_tele(practitioner=doctor, patient=make_patient(name), starts_at=at(minutes), **fields)


@pytest.mark.req("TC-05", "TC-06")
def test_one_row_each_in_the_order_of_time(doctor, seen):
    for name, minutes in (("Trois", 300), ("Un", 30), ("Deux", 120)):
        planned(doctor, name, minutes)
    assert names(seen.get(URL)) == ["Un", "Deux", "Trois"]


@pytest.mark.req("TC-07", "TC-44")
@pytest.mark.parametrize("state", [state for state in State.values if state not in ("planned", "in_call")])
def test_what_was_held_leaves_the_dashboard_for_the_history(doctor, seen, state):
    planned(doctor, "Fini", -60, state=state)
    assert names(seen.get(URL)) == []
    history = seen.get("/teleconsultation/historique/")
    assert [tele.state for tele in history.context["page_of_rows"].rows] == [state]


@pytest.mark.req("TC-08")
def test_a_late_one_stays_whatever_the_clock_says(doctor, seen):
    planned(doctor, "Retard", -20)
    planned(doctor, "Oublié", -60 * 24 * 40)
    answer = seen.get(URL)
    assert names(answer) == ["Oublié", "Retard"]
    assert all(row.late for row in answer.context["rows"])
    assert answer.content.decode().count("En retard") == 2


@pytest.mark.req("TC-09")
@pytest.mark.parametrize(
    ("place", "words"), [("space", "Connecté"), ("waiting", "En salle d’attente"), ("call", "En vidéo")]
)
def test_the_patients_connection_stands_under_the_identity(doctor, seen, place, words):
    scene = planned(doctor, "Présent", 5)
    assert "Non connecté" in seen.get(URL).content.decode()
    patient = Actor(kind="patient", grant_id=scene.grant.pk, patient_id=scene.patient.pk, about=scene.tele.pk)
    rooms.beat(actor=patient, about=scene.tele.pk, place=place)
    assert words in seen.get(URL).content.decode()


@pytest.mark.req("TC-09")
def test_once_the_room_has_ended_nobody_is_shown_in_it(doctor, seen):
    scene = planned(doctor, "Parti", 5)
    patient = Actor(kind="patient", grant_id=scene.grant.pk, patient_id=scene.patient.pk, about=scene.tele.pk)
    call.join(actor=actor_for(doctor), tele=scene.tele)
    rooms.beat(actor=patient, about=scene.tele.pk, place="call")
    record = reverse("teleconsultation:dossier", args=[scene.tele.pk])
    assert [("En vidéo" in seen.get(page).content.decode()) for page in (URL, record)] == [True, True]
    rooms.end_room(actor=actor_for(doctor), about=scene.tele.pk)
    assert [("En vidéo" in seen.get(page).content.decode()) for page in (URL, record)] == [False, False]


def test_the_doctor_in_the_room_does_not_count_as_the_patient(doctor, seen):
    scene = planned(doctor, "Seul", 5)
    call.join(actor=actor_for(doctor), tele=scene.tele)
    rooms.beat(actor=actor_for(doctor), about=scene.tele.pk, place="call")
    assert "Non connecté" in seen.get(URL).content.decode()


@pytest.mark.req("TC-10", "TC-11")
def test_the_result_of_the_self_test_is_on_the_dashboard_and_in_the_record(doctor, seen):
    scene = planned(doctor, "Testé", 60)
    for outcome, words in (("ko", "Échec du test"), ("ok", "Test réussi")):
        DeviceTest.objects.create(about=scene.tele.pk, holder_id=scene.grant.pk, outcome=outcome)
        assert words in seen.get(URL).content.decode()
        assert words in seen.get(reverse("teleconsultation:dossier", args=[scene.tele.pk])).content.decode()


def test_a_refused_message_is_flagged_with_the_way_to_correct_it(doctor, seen):
    scene = planned(doctor, "Injoignable", 600)
    Message.objects.create(
        type="tele.booked", about=scene.tele.pk, holder_id=scene.grant.pk, channel="sms", address="+33639980000",
        state="refused", error="Numéro non attribué",
    )  # fmt: skip
    page = seen.get(URL).content.decode()
    assert reverse("teleconsultation:contact", args=[scene.tele.pk]) in page


def test_filters_by_practitioner_day_and_reason(doctor, seen):
    other = make_practitioner(doctor.establishment)
    planned(doctor, "Après-demain", 60 * 48)
    planned(doctor, "Covid", 60, reason="COVID_19")
    planned(other, "Autre", 70)
    assert names(seen.get(URL, {"praticien": str(other.user_id)})) == ["Autre"]
    assert names(seen.get(URL, {"motif": "COVID_19"})) == ["Covid"]
    day = timezone.localdate(at(60 * 48)).isoformat()
    assert names(seen.get(URL, {"jour": day})) == ["Après-demain"]
    assert len(names(seen.get(URL, {"jour": "pas un jour", "motif": "?", "praticien": "x"}))) == 3


def test_another_establishment_shows_nothing_of_it(doctor):
    planned(doctor, "Secret", 60)
    answer = client_of(make_practitioner(make_establishment("Ailleurs"))).get(URL)
    assert names(answer) == []
    assert "Secret" not in answer.content.decode()


def test_a_secretary_sees_the_rows_but_no_way_into_the_call(doctor):
    planned(doctor, "Visible", 5)
    page = client_of(make_member(doctor.establishment, Role.SECRETARY)).get(URL).content.decode()
    assert "VISIBLE" in page
    assert "/rejoindre/" not in page


@pytest.mark.req("TC-12")
def test_reserver_is_the_one_primary_action(doctor, seen):
    planned(doctor, "Un", 60)
    page = seen.get(URL).content.decode()
    assert f'class="btn btn-primary" href="{reverse("teleconsultation:book")}"' in page


def test_as_many_queries_for_one_row_as_for_three(doctor, seen):

    planned(doctor, "Un", 30)
    seen.get(URL)
    counts = []
    for extra in range(2):
        with CaptureQueriesContext(connection) as caught:
            seen.get(URL, headers={"HX-Request": "true", "HX-Target": "dashboard-rows"})
        counts.append(len(caught))
        for number in range(2):
            planned(doctor, f"Autre{extra}{number}", 60 + 30 * number + 300 * extra)
        seen.get(URL)
    assert counts[0] == counts[1]


def test_what_has_not_changed_is_drawn_once_for_all_who_watch(doctor, seen):
    """And what has changed is drawn anew within the same minute; each page keeps a token of its own."""
    other = client_of(make_practitioner(doctor.establishment))
    with mock.patch.object(timezone, "now", return_value=timezone.now()):
        scene = planned(doctor, "Un", 30)
        planned(doctor, "Deux", 60)
        mine, before = seen.get(URL).content.decode(), tele._cells.cache_info().misses
        theirs = other.get(URL).content.decode()
        assert tele._cells.cache_info().misses == before
        assert [
            page.count("table-cards") + page.count("UN</b>") + page.count("DEUX</b>") for page in (mine, theirs)
        ] == [3, 3]
        assert re.findall(TOKEN, mine)
        assert not set(re.findall(TOKEN, mine)) & set(re.findall(TOKEN, theirs))
        scene.patient.used_family_name = "Nouveau"
        scene.patient.save()
        assert "NOUVEAU</b>" in other.get(URL).content.decode()
        assert tele._cells.cache_info().misses == before + 1


def test_a_long_list_is_paged_by_key(doctor, seen):
    for index in range(25):
        planned(doctor, f"Patient{index:02d}", 30 * (index + 1))
    first = seen.get(URL)
    assert len(first.context["rows"]) == 20
    rest = seen.get(URL + first.context["page_of_rows"].next_url)
    assert names(rest) == [f"Patient{index}" for index in range(20, 25)]
    assert rest.context["page_of_rows"].next_url is None


@pytest.mark.req("TC-09")
def test_a_patient_who_waits_is_on_every_page_of_a_long_list(doctor, seen):
    scenes = [planned(doctor, f"Patient{index:02d}", 30 * (index + 1)) for index in range(25)]
    for scene in (scenes[0], scenes[24]):
        patient = Actor(kind="patient", grant_id=scene.grant.pk, patient_id=scene.patient.pk, about=scene.tele.pk)
        rooms.beat(actor=patient, about=scene.tele.pk, place="waiting")
    first = seen.get(URL)
    assert names(first) == [f"Patient{index:02d}" for index in [*range(20), 24]]
    rest = seen.get(URL + first.context["page_of_rows"].next_url)
    assert names(rest) == [f"Patient{index:02d}" for index in [0, *range(20, 25)]]
    other = make_practitioner(doctor.establishment)
    assert names(seen.get(URL, {"praticien": str(other.user_id)})) == []


@pytest.mark.parametrize("key", ["x", "2026~", "~", "2026-11-21T10:00:00+00:00~pas-un-id"])
def test_a_broken_page_key_gives_the_first_page(doctor, seen, key):
    planned(doctor, "Un", 30)
    assert names(seen.get(URL, {"apres": key})) == ["Un"]


@pytest.mark.req("TC-44")
def test_the_history_is_searched_without_accents_or_case(doctor, seen):
    planned(doctor, "Lefèvre", -60, state="done")
    planned(doctor, "Durand", -120, state="done")
    found = seen.get("/teleconsultation/historique/", {"q": "lefevre"}).context["page_of_rows"].rows
    assert [tele.dossier.patient.family_name for tele in found] == ["Lefèvre"]


def test_the_agenda_shows_the_week(doctor, seen):
    scene = make_tele(practitioner=doctor, patient=make_patient("Semaine"), starts_at=at(1))
    page = seen.get("/teleconsultation/agenda/").content.decode()
    assert "SEMAINE" in page
    assert reverse("teleconsultation:dossier", args=[scene.tele.pk]) in page


def test_hours_and_days_off_are_kept_by_the_members(doctor, seen):
    url = reverse("teleconsultation:add_hours", args=[doctor.user_id])
    seen.post(url, {"o-weekday": "0", "o-starts": "09:00", "o-ends": "12:00", "o-minutes": "20"})
    seen.post(url, {"o-weekday": "0", "o-starts": "11:00", "o-ends": "13:00", "o-minutes": "20"})
    assert doctor.user.openings.count() == 1
    seen.post(url, {"a-first": "2026-12-24", "a-last": "2026-12-26", "a-label": "Congés"})
    absence = doctor.user.absences.get()
    assert absence.ends_at - absence.starts_at == timedelta(days=3)
    stranger = client_of(make_practitioner(make_establishment("Ailleurs")))
    away = reverse("teleconsultation:remove_hours", args=["heures", doctor.user.openings.get().pk])
    assert stranger.post(away).status_code == 404
    seen.post(away)
    assert doctor.user.openings.count() == 0


@pytest.mark.req("TC-05")
def test_rows_are_shared_by_those_alone_who_may_see_the_same(monkeypatch):
    """Two doctors of a place ask one question; a secretary, another place and another filter each ask their own."""
    scene = make_tele()
    place = scene.tele.establishment
    asked = []
    real = dashboard.shared.ask
    monkeypatch.setattr(dashboard.shared, "ask", lambda question, read: asked.append(question) or real(question, read))
    elsewhere = make_practitioner()
    people = [scene.practitioner, make_practitioner(place), make_member(place, Role.SECRETARY), elsewhere]
    for who in people:
        assert client_of(who).get("/teleconsultation/").status_code == 200
    client_of(scene.practitioner).get("/teleconsultation/?motif=COVID_19")
    doctor, colleague, secretary, other, filtered = asked
    assert doctor == colleague
    assert len({doctor, secretary, other, filtered}) == 4
