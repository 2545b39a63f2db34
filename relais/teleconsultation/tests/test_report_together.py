"""Two editors of one report see each other, and what each saves, at once (TC-46)."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from relais.accounts.models import Role
from relais.accounts.testing import client_of, make_establishment, make_member, make_practitioner
from relais.audit.models import Entry
from relais.dossiers.models import Document
from relais.patients.testing import make_patient
from relais.rooms.models import Presence
from relais.rooms.queries import presences
from relais.teleconsultation.models import ReportDraft, Teleconsultation
from relais.teleconsultation.testing import make_tele
from relais.teleconsultation.topics import report_about

pytestmark = [pytest.mark.django_db, pytest.mark.req("TC-46")]


@pytest.fixture
def scene():
    return make_tele(patient=make_patient("Zéphyrin"), state="in_call")


@pytest.fixture
def colleague(scene):
    return make_practitioner(scene.practitioner.establishment, family_name="Durand", given_name="Paul")


@pytest.fixture
def first(scene):
    return client_of(scene.practitioner)


@pytest.fixture
def second(colleague):
    return client_of(colleague)


def url(name, scene):
    return reverse(f"teleconsultation:{name}", args=[scene.tele.pk])


def stay(browser, scene, **said):
    """The heartbeat of an open page; what it pinged."""
    with CaptureQueriesContext(connection) as seen:
        assert browser.post(url("report_presence", scene), said).status_code == 204
    return " ".join(query["sql"] for query in seen if "pg_notify" in query["sql"])


def save(browser, scene, text, version=0, key="conclusion"):
    said = {"key": key, "text": text, "version": str(version)}
    return browser.post(url("save_section", scene), said)


def now(browser, scene):
    return browser.get(url("report_now", scene)).json()


def test_each_is_told_who_else_has_the_report_open_and_nobody_reads_their_own_name(scene, first, second, colleague):
    stay(first, scene)
    assert now(first, scene)["others"] == ""
    assert f"presence:{report_about(scene.tele)}" in stay(second, scene)
    name = colleague.user.full_name
    assert now(first, scene)["others"] == f"{name} écrit aussi dans ce compte-rendu."
    mine = scene.practitioner.user.full_name
    assert now(second, scene)["others"] == f"{mine} écrit aussi dans ce compte-rendu."
    assert f"{name} écrit aussi" in first.get(url("report", scene)).content.decode()


def test_three_are_named_in_the_order_in_which_they_came(scene, first, second, colleague):
    third = make_practitioner(scene.practitioner.establishment, family_name="Nguyen", given_name="Linh")
    for browser in (second, client_of(third), first):
        stay(browser, scene)
    names = f"{colleague.user.full_name} et {third.user.full_name}"
    assert now(first, scene)["others"] == f"{names} écrivent aussi dans ce compte-rendu."


def test_who_closes_the_page_is_gone_five_seconds_later_and_who_is_silent_after_thirty(scene, first, second):
    stay(second, scene)
    stay(second, scene, left="1")
    assert now(first, scene)["others"]
    Presence.objects.update(seen_at=timezone.now() - timedelta(seconds=31))
    assert now(first, scene)["others"] == ""


def test_the_next_heartbeats_ping_nobody(scene, first):
    assert stay(first, scene)
    assert stay(first, scene) == ""


def test_being_in_the_report_is_no_presence_in_the_call(scene, first):
    stay(first, scene)
    assert presences([scene.tele.pk]) == {}


def test_what_one_saves_the_other_is_given_with_its_author(scene, first, second):
    save(first, scene, "Surveillance.")
    given = now(second, scene)["sections"]
    assert given["conclusion"] == {"text": "Surveillance.", "version": 1, "by": scene.practitioner.user.full_name}
    assert given["findings"] == {"text": "", "version": 0, "by": ""}


def test_a_report_added_is_told_with_the_way_to_it(scene, first, second):
    assert now(second, scene)["filed"]["id"] == ""
    first.post(url("add_report", scene), {"text-conclusion": "Rassurant", "version-conclusion": "0"})
    filed = now(second, scene)["filed"]
    assert filed["words"].startswith(f"{scene.practitioner.user.full_name} a ajouté le compte-rendu à ")
    assert second.get(filed["url"]).status_code == 200


def added_by_the_other(first, scene):
    first.post(url("add_report", scene), {"text-conclusion": "Rassurant", "version-conclusion": "0"})
    return Document.objects.get()


@pytest.mark.parametrize("version", [0, 1, 3])
def test_a_page_from_before_the_report_was_added_is_told_who_added_it_whatever_its_version(
    scene, first, second, version
):
    report = added_by_the_other(first, scene)
    said = {"key": "conclusion", "text": "Et aussi", "version": str(version), "filed": ""}
    answer = second.post(url("save_section", scene), said)
    assert answer.status_code == 409
    assert answer.json()["filed"]["id"] == str(report.pk)
    assert answer.json()["filed"]["words"].startswith(f"{scene.practitioner.user.full_name} a ajouté")
    assert not ReportDraft.objects.exists()
    again = second.post(url("save_section", scene), {**said, "version": "0", "filed": str(report.pk)})
    assert (again.status_code, again.json()) == (200, {"version": 1}), "it goes on as a new version"


def test_who_adds_from_a_page_from_before_keeps_the_text_and_makes_a_new_version_at_the_second_press(
    scene, first, second
):
    report = added_by_the_other(first, scene)
    written = {"text-conclusion": "Et aussi", "version-conclusion": "3", "filed": ""}
    page = second.post(url("add_report", scene), written)
    text = page.content.decode()
    assert page.status_code == 409
    assert f"{scene.practitioner.user.full_name} a ajouté le compte-rendu à " in text
    assert "Et aussi" in text
    assert "Deux personnes ont écrit" not in text
    assert Document.objects.count() == 1
    known = {"text-conclusion": "Et aussi", "version-conclusion": "0", "filed": str(report.pk)}
    assert f'name="filed" value="{report.pk}"' in text
    assert 'name="version-conclusion" value="0"' in text
    assert second.post(url("add_report", scene), known).status_code == 302
    assert Document.objects.filter(replaces=report).count() == 1


def test_who_still_types_once_the_dossier_is_closed_is_told_that_it_is_over(scene, first, second):
    added_by_the_other(first, scene)
    Teleconsultation.objects.update(state="closed")
    answer = second.post(url("save_section", scene), {"key": "conclusion", "text": "x", "version": "0", "filed": ""})
    assert (answer.status_code, answer.json()["over"]) == (409, True)
    assert "complément daté" in answer.json()["error"]


def test_a_report_withdrawn_since_is_told_without_a_way_to_it(scene, first, second):
    Document.objects.filter(pk=added_by_the_other(first, scene).pk).update(
        withdrawn_at=timezone.now(), withdrawn_why="Erreur"
    )
    filed = now(second, scene)["filed"]
    assert (filed["url"], "a ajouté le compte-rendu" in filed["words"]) == ("", True)


def test_a_text_that_could_not_be_saved_is_marked_so_that_nothing_replaces_it(scene, first):
    save(first, scene, "Enregistré.")
    assert "data-unsaved" not in first.get(url("report", scene)).content.decode()
    refused = first.post(url("add_report", scene), {"text-conclusion": "x" * 8001, "version-conclusion": "1"})
    assert refused.status_code == 422
    assert refused.content.decode().count("data-unsaved") == 1


@pytest.mark.parametrize("role", [Role.CAREGIVER, Role.SECRETARY, Role.MANAGER])
def test_who_may_not_write_the_report_is_neither_told_nor_seen(scene, first, role):
    stay(first, scene)
    save(first, scene, "Secret.")
    browser = client_of(make_member(scene.practitioner.establishment, role))
    for answer in (browser.get(url("report_now", scene)), browser.post(url("report_presence", scene))):
        assert answer.status_code in (403, 404)
        assert "Secret" not in answer.content.decode()
    assert Presence.objects.count() == 1


def test_a_practitioner_of_elsewhere_gets_the_same_404_as_for_what_does_not_exist(scene, first):
    stay(first, scene)
    stranger = client_of(make_practitioner(make_establishment("Ailleurs")))
    nowhere = reverse("teleconsultation:report_now", args=[uuid.uuid4()])
    answers = [stranger.get(one) for one in (url("report_now", scene), nowhere)]
    assert [one.status_code for one in answers] == [404, 404]
    assert stranger.post(url("report_presence", scene)).status_code == 404
    assert stranger.post(url("report_presence", scene), {"left": "1"}).status_code == 404
    assert Presence.objects.count() == 1


def test_refetching_leaves_one_trace(scene, first):
    for _again in range(3):
        now(first, scene)
    assert Entry.objects.filter(action="report.read", ids=[scene.tele.pk]).count() == 1


def test_the_page_asks_as_much_for_three_others_as_for_one(scene, first, second):
    stay(second, scene)
    now(first, scene)

    def queries():
        with CaptureQueriesContext(connection) as seen:
            now(first, scene)
        return len(seen)

    with_one = queries()
    for name in ("Bernard", "Leroy"):
        stay(client_of(make_practitioner(scene.practitioner.establishment, family_name=name)), scene)
    assert queries() == with_one
