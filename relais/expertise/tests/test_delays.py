"""Overdue requests climb, each level once; the lists; the figures; dates to look again."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from relais.accounts.actions import members
from relais.accounts.models import Role
from relais.accounts.testing import actor_for, client_of, make_establishment, make_member, make_practitioner
from relais.core.errors import NotFound
from relais.dossiers.models import Participant
from relais.expertise import delays, messages
from relais.expertise.actions import answering, keeping
from relais.expertise.actions.watch import follow_pool, watch
from relais.expertise.models import Expertise
from relais.expertise.queries import pool
from relais.expertise.testing import ASKED, make_asked, make_opinion, make_pool, opinion_page, posted
from relais.notifications.models import Message
from relais.oncall.testing import join, make_slot
from relais.patients.testing import make_patient

pytestmark = pytest.mark.django_db


@pytest.mark.req("TE-05")
@pytest.mark.parametrize(
    ("urgency", "delay", "step"),
    [
        ("immediate", timedelta(minutes=15), timedelta(minutes=5)),
        ("urgente", timedelta(hours=2), timedelta(minutes=30)),
        ("semi-urgente", timedelta(hours=24), timedelta(hours=6)),
        ("programmee", timedelta(days=7), timedelta(hours=42)),
    ],
)
def test_each_urgency_has_its_delay_and_climbs_by_quarters(urgency, delay, step):
    assert delays.DELAYS[urgency] == delay
    due = timezone.now()
    second = timedelta(seconds=1)
    levels = [delays.level_at(urgency, due, due + after) for after in (-second, second * 0, step, step * 2, step * 9)]
    assert levels == [0, 1, 2, 3, 3]


@pytest.mark.req("TE-05")
def test_an_overdue_request_is_told_again_then_to_the_next_expert_then_to_the_manager_each_once():
    at = timezone.now()
    scene = make_asked(state="prise-en-charge", sent_at=at - timedelta(hours=2))
    chu = scene.expert.establishment
    other, manager = make_practitioner(chu, family_name="Suivant"), make_member(chu, Role.MANAGER)
    join(scene.service, other)
    assert watch(now=at - timedelta(minutes=1)) == 0
    for minutes in (0, 1, 30, 31, 60, 61, 600):
        watch(now=at + timedelta(minutes=minutes))
    told = list(
        Message.objects.filter(about=scene.asked.pk).order_by("created_at", "id").values_list("type", "holder_id")
    )
    assert told == [
        ("expertise.overdue", scene.expert.user_id), ("expertise.overdue", other.user_id),
        ("expertise.supervisor", manager.user_id),
    ]  # fmt: skip
    traced = scene.again().dossier.events.filter(verb="overdue").order_by("at", "id").values_list("data", flat=True)
    assert [one["level"] for one in traced] == [1, 2, 3]
    assert scene.patient.family_name.upper() in client_of(other).get("/expertise/?liste=moi").content.decode()
    answering.take_over(actor=actor_for(other), asked=scene.again())
    assert scene.again().expert_id == other.user_id


def test_a_scheduler_that_was_late_climbs_all_levels_at_once_and_a_free_request_is_told_to_all():
    at = timezone.now()
    scene = make_asked(sent_at=at - timedelta(hours=9))
    assert watch(now=at) == 1
    assert watch(now=at) == 0
    assert scene.again().level == 3
    assert Message.objects.filter(about=scene.asked.pk, holder_id=scene.expert.user_id).count() == 2


@pytest.mark.req("TE-05")
def test_an_immediate_request_that_runs_late_is_told_at_once_however_many_planned_ones_are_late_before_it():
    at = timezone.now()

    def queries():
        immediate = make_asked(urgency="immediate", sent_at=at - timedelta(minutes=15))
        with CaptureQueriesContext(connection) as found:
            assert watch(now=at) == 1
        assert immediate.again().level == delays.AGAIN
        return len(found)

    alone = queries()
    for days in range(3):
        make_asked(urgency="programmee", sent_at=at - timedelta(days=7 + days))
    assert watch(now=at) == 3
    assert queries() == alone, "those that were told wait for their next level and hold back nobody"
    planned, urgent = (
        make_asked(urgency="programmee", sent_at=at - timedelta(days=99)),
        make_asked(urgency="urgente", sent_at=at - timedelta(hours=2)),
    )
    watch(now=at)
    both = Message.objects.filter(about__in=[planned.asked.pk, urgent.asked.pk], type="expertise.overdue")
    assert both.order_by("created_at", "id").values_list("about", flat=True)[0] == urgent.asked.pk


def test_a_request_that_cannot_be_watched_holds_back_no_other(monkeypatch, caplog):
    at = timezone.now()
    bad, good = (make_asked(urgency=urgency, sent_at=at - timedelta(days=9)) for urgency in ("immediate", "urgente"))
    plain = messages.tell_pool

    def broken(asked, *rest):
        if asked.pk == bad.asked.pk:
            raise ZeroDivisionError
        plain(asked, *rest)

    monkeypatch.setattr(messages, "tell_pool", broken)
    with pytest.raises(ExceptionGroup, match="could not be watched"):
        watch(now=at)
    assert (bad.again().level, good.again().level) == (0, delays.SUPERVISOR)
    assert str(bad.asked.pk) in caplog.text


def test_an_expert_takes_over_only_what_is_late_or_has_lost_its_expert():
    scene = make_asked(state="prise-en-charge")
    other = make_practitioner(scene.expert.establishment)
    join(scene.service, other)
    with pytest.raises(NotFound):
        answering.take_over(actor=actor_for(other), asked=scene.asked)
    scene.service.pool.filter(user=scene.expert.user).update(until=timezone.now())
    answering.take_over(actor=actor_for(other), asked=scene.again())
    assert scene.again().expert_id == other.user_id, "nobody is without an owner"


@pytest.mark.req("TE-05")
@pytest.mark.parametrize("how", ["removed", "departed", "caregiver"])
def test_when_the_expert_who_has_a_request_leaves_the_pool_the_others_are_told_at_once_and_of_the_complement(how):
    scene = make_asked(state="complement-demande", urgency="semi-urgente")
    held, others = make_asked(expert=scene.expert, service=scene.service, state="prise-en-charge"), []
    chu = scene.expert.establishment
    for name in ("Aubin", "Suivant"):
        others.append(make_practitioner(chu, family_name=name))
        join(scene.service, others[-1])
    theirs = make_asked(expert=others[0], service=scene.service, state="prise-en-charge")
    manager = make_member(chu, Role.MANAGER)
    if how == "removed":
        member = scene.service.pool.get(user=scene.expert.user)
        url = f"/astreintes/{scene.service.pk}/equipe/{member.pk}/retirer/"
        assert client_of(manager).post(url).status_code == 302
    elif how == "departed":
        members.remove_member(actor=actor_for(manager), membership_id=scene.expert.pk)
    else:
        members.change_role(actor=actor_for(manager), membership_id=scene.expert.pk, role=Role.CAREGIVER)

    def told():
        found = Message.objects.filter(type="expertise.gone").exclude(holder_id=scene.expert.user_id)
        return sorted(found.order_by("id").values_list("about", "holder_id"))

    of_scene = [(scene.asked.pk, one.user_id) for one in others]
    once = sorted([*of_scene, *((held.asked.pk, one.user_id) for one in others)])
    assert told() == once
    follow_pool(scene.service.pk)
    assert told() == once, "each is told once"
    answering.give_complement(actor=scene.asker, asked=scene.again(), text="94 % en air ambiant")
    assert told() == sorted([*once, *of_scene])
    assert not Message.objects.filter(type="expertise.given").exists()
    assert not Message.objects.filter(about=theirs.asked.pk).exists(), "its expert is there"
    page = client_of(others[1]).get(f"/expertise/{held.asked.pk}/").content.decode()
    assert "L’expert ne répond plus pour ce service" in page
    taken = answering.take_over(actor=actor_for(others[0]), asked=scene.again())
    assert taken.expert_id == others[0].user_id
    keeping.add_note(actor=scene.asker, asked=scene.again(), text="Merci.")
    assert Message.objects.filter(type="expertise.note", holder_id=others[0].user_id).count() == 1


@pytest.mark.req("TE-01")
def test_a_list_stands_by_urgency_then_by_the_time_left():
    now = timezone.now()
    doctor = make_practitioner()
    service = make_pool(doctor)
    common = {"expert": doctor, "service": service}
    planned = make_asked(urgency="programmee", sent_at=now - timedelta(days=6), **common)
    newer = make_asked(urgency="urgente", sent_at=now, **common)
    older = make_asked(urgency="urgente", sent_at=now - timedelta(hours=1), **common)
    first = make_asked(urgency="immediate", sent_at=now, **common)
    rows = client_of(doctor).get("/expertise/?liste=pool").context["rows"]
    assert [row.pk for row in rows] == [one.asked.pk for one in (first, older, newer, planned)]


def test_each_list_holds_its_own():
    now = timezone.now()
    doctor = make_practitioner()
    colleague = make_practitioner(doctor.establishment)
    service = make_pool(doctor, colleague)
    common = {"expert": doctor, "service": service}
    mine = make_asked(state="prise-en-charge", **common)
    theirs = make_asked(state="prise-en-charge", expert=colleague, service=service)
    late = make_asked(sent_at=now - timedelta(hours=3), **common)
    paused = make_asked(state="complement-demande", sent_at=now - timedelta(days=3), expert=colleague, service=service)
    make_asked(state="cloturee", **common)
    make_asked()
    asked = make_asked(requester=doctor)
    make_asked(state="brouillon", requester=colleague)
    browser = client_of(doctor)

    def shown(query):
        return {row.pk for row in browser.get(f"/expertise/?{query}").context["rows"]}

    assert shown("liste=moi") == {mine.asked.pk}
    assert shown("liste=pool") == {one.asked.pk for one in (mine, theirs, late, paused)}
    assert shown("liste=pool&libres=1") == {late.asked.pk}
    assert shown("liste=retard") == {late.asked.pk}
    assert shown("liste=demandes") == {asked.asked.pk}
    assert browser.get("/expertise/").context["counts"] == {"moi": 1, "pool": 1, "retard": 1, "demandes": 0}
    elsewhere = client_of(make_practitioner(make_establishment("Ailleurs")))
    assert elsewhere.get("/expertise/?liste=pool").context["rows"] == []


@pytest.mark.req("TE-08")
@pytest.mark.parametrize("which", ["pool", "demandes"])
def test_a_list_takes_the_same_number_of_queries_with_one_row_as_with_three(which):
    doctor = make_practitioner()
    service = make_pool(doctor)
    browser = client_of(doctor)

    def queries():
        with CaptureQueriesContext(connection) as found:
            assert browser.get(f"/expertise/?liste={which}").status_code == 200
        return len(found)

    make_asked(requester=doctor, expert=doctor, service=service)
    queries()
    one = queries()
    for _more in range(2):
        make_asked(requester=doctor, expert=doctor, service=service)
    queries()
    assert queries() == one


@pytest.mark.req("TC-03")
def test_what_is_over_is_found_by_name_on_either_side_and_the_name_stays_out_of_the_address():
    scene = make_asked(state="cloturee")
    for member, query in ((scene.requester, ""), (scene.expert, str(scene.service.pk))):
        browser = client_of(member)
        answer = browser.post("/expertise/historique/", {"q": scene.patient.family_name, "service": query})
        assert scene.patient.family_name not in answer["Location"]
        assert scene.asked.dossier.reference in browser.get(answer["Location"]).content.decode()
        browser.post("/expertise/historique/", {"q": "Personne", "service": query})
        assert scene.asked.dossier.reference not in browser.get(answer["Location"]).content.decode()


def test_what_was_passed_on_stands_among_the_others_by_its_time_on_every_page(django_assert_num_queries):
    at = timezone.now()
    doctor = make_practitioner()
    service, other = make_pool(doctor), make_pool()
    made = [
        make_asked(expert=doctor, service=service, state="cloturee", sent_at=at - timedelta(hours=hours))
        for hours in range(23)
    ]
    for scene in made[::3]:
        make_opinion(scene, at)
    before = [one.asked.dossier.reference for one in made]
    browser, url = client_of(doctor), f"/expertise/historique/?service={service.pk}"
    browser.get(url)
    with CaptureQueriesContext(connection) as few:
        first = browser.get(url).context["page_of_rows"]
    for scene in made[::3]:
        Expertise.objects.filter(pk=scene.asked.pk).update(service=other)
        scene.asked.opinions.update(passed_on=True)
    with django_assert_num_queries(len(few)):
        again = browser.get(url).context["page_of_rows"]
    assert [one.pk for one in again.rows] == [one.pk for one in first.rows]
    last = browser.get("/expertise/historique/" + again.next_url).context["page_of_rows"]
    assert [one.dossier.reference for one in (*again.rows, *last.rows)] == before


@pytest.mark.req("TE-03")
def test_a_manager_reads_the_delays_and_the_recourse_avoided_of_their_pools_and_no_patient():
    at = timezone.now()
    doctor = make_practitioner(make_establishment("CHU des Ormes"))
    service = make_pool(doctor, name="Avis de gériatrie")
    for hours, recourse, became in (
        (1, "evite", "maintien"), (2, "evite", "had"), (9, "realise", "hospitalisation-urgente"),
    ):  # fmt: skip
        answered = make_asked(
            expert=doctor, service=service, state="cloturee", sent_at=at - timedelta(days=1), recourse=recourse,
            orientation=became, answered_at=at,
        )  # fmt: skip
        make_opinion(answered, at - timedelta(days=1) + timedelta(hours=hours))
    scene = make_asked(expert=doctor, service=service, sent_at=at - timedelta(days=1))
    browser = client_of(make_member(doctor.establishment, Role.MANAGER))
    page = browser.get("/expertise/chiffres/")
    line = page.context["lines"][0]
    assert (line.sent, line.answered, line.median, line.avoided, line.avoided_share, line.late) == (
        4, 3, timedelta(hours=2), 2, 67, 1,
    )  # fmt: skip
    assert {words: count for words, count in line.outcome_rows if count} == {
        "Maintien sur place": 1, "HAD": 1, "Hospitalisation urgente": 1,
    }  # fmt: skip
    assert "Issue des avis rendus" in page.content.decode()
    assert "2\u00a0h\u00a000" in page.content.decode()
    assert scene.patient.family_name not in page.content.decode()
    sheet = browser.get("/expertise/chiffres/csv/").content.decode()
    assert ";Reçues;Avec avis;" in sheet
    assert ";90 % en moins de (min);" in sheet
    assert "Reçues" in page.content.decode()
    assert "Avis de gériatrie;4;3;0;0;1;1;120;" in sheet
    assert ";2;1;1;0;0;0;1;0;1;0;0;0\r\n" in sheet, "avoided, sent to hospital, then each outcome"
    assert client_of(make_member(role=Role.MANAGER)).get("/expertise/chiffres/").context["lines"] == []
    assert client_of(doctor).get("/expertise/chiffres/").status_code == 404


@pytest.mark.req("TE-03")
def test_each_service_has_the_delay_of_its_own_opinion_and_finds_it_again_after_another_was_asked():
    at = timezone.now()
    scene = make_asked(state="prise-en-charge", sent_at=at - timedelta(days=2))
    answering.answer(actor=scene.doctor, asked=scene.asked, page=opinion_page(), now=at - timedelta(days=2, hours=-3))
    other = make_practitioner(make_establishment("Institut"))
    second = make_pool(other, name="Neurologie")
    answering.second_opinion(actor=scene.asker, asked=scene.asked, service_id=second.pk)
    Participant.objects.filter(service=second).update(created_at=at - timedelta(hours=5))
    answering.take(actor=actor_for(other), asked=scene.asked)
    answering.answer(actor=actor_for(other), asked=scene.asked, page=opinion_page(), now=at - timedelta(hours=4))
    admitted = make_asked(state="convertie-admission", expert=scene.expert, service=scene.service)
    passed_on = make_asked(expert=scene.expert, service=scene.service)
    answering.redirect(actor=passed_on.asker, asked=passed_on.asked, service_id=second.pk)
    for doctor, service, sent, delay in ((scene.expert, scene.service, 3, 3), (other, second, 2, 1)):
        manager = client_of(make_member(doctor.establishment, Role.MANAGER))
        (line,) = manager.get("/expertise/chiffres/").context["lines"]
        assert (line.sent, line.answered, line.median) == (sent, 1, timedelta(hours=delay)), service
        page = client_of(doctor).get(f"/expertise/historique/?service={service.pk}").content.decode()
        assert scene.asked.dossier.reference in page
        assert (admitted.asked.dossier.reference in page) == (service == scene.service)
    assert passed_on.asked.dossier.reference in page


@pytest.mark.req("TE-10")
def test_a_date_to_look_again_comes_back_when_due_and_opens_a_follow_up_with_what_is_known():
    scene = make_asked(state="cloturee", review_on=timezone.localdate())
    later = make_asked(state="repondue", requester=scene.requester, review_on=timezone.localdate() + timedelta(days=1))
    browser = client_of(scene.requester)
    due = [one.pk for one in browser.get("/expertise/?liste=demandes").context["reviews"]]
    assert due == [scene.asked.pk]
    assert later.asked.pk not in due
    first = browser.post(f"/expertise/{scene.asked.pk}/suite/")
    again = browser.post(f"/expertise/{scene.asked.pk}/suite/")
    assert first["Location"] == again["Location"], "two clicks begin one"
    made = Expertise.objects.get(pk=first["Location"].split("/")[2])
    assert made.dossier.origin_id == scene.asked.pk
    assert made.service_id == scene.service.pk
    page = browser.get(first["Location"]).content.decode()
    assert "Chute hier, somnolente depuis ce matin." in page
    assert len(browser.get("/expertise/?liste=demandes").context["reviews"]) == 1, "it waits until that is sent"
    browser.post(f"/expertise/{made.pk}/cancel/")
    other = browser.post(f"/expertise/{scene.asked.pk}/suite/")["Location"]
    assert other != first["Location"], "what was abandoned is begun again"
    assert (
        client_of(make_practitioner(scene.requester.establishment))
        .post(f"/expertise/{scene.asked.pk}/suite/", follow=True)
        .status_code
        == 200
    ), "a colleague writes their own"
    sent = browser.post(other, posted({**ASKED, "tg.motif": ["suivi"]}, service=str(scene.service.pk)))
    assert sent.status_code == 302
    assert browser.get("/expertise/?liste=demandes").context["reviews"] == []
    page = browser.get(f"/expertise/{scene.asked.pk}/").content.decode()
    assert "Réévaluation demandée" in page
    assert client_of(scene.expert).post(f"/expertise/{scene.asked.pk}/suite/").status_code == 404


@pytest.mark.req("TE-10")
def test_a_date_to_look_again_is_set_aside_by_a_question_and_an_answer_that_says_so():
    scene = make_asked(state="cloturee", review_on=timezone.localdate())
    browser = client_of(scene.requester)
    page = browser.get("/expertise/?liste=demandes").content.decode()
    assert "Écarter cette réévaluation ?" in page
    assert client_of(scene.expert).post(f"/expertise/{scene.asked.pk}/set_review_aside/").status_code == 404
    page = browser.post(f"/expertise/{scene.asked.pk}/set_review_aside/", follow=True)
    assert "La réévaluation est écartée." in page.content.decode()
    assert page.context["reviews"] == []


def test_the_next_expert_is_whoever_is_on_duty_then_the_one_who_follows_by_name():
    at = timezone.now()
    scene = make_asked(state="prise-en-charge", sent_at=at - timedelta(hours=3))
    after, duty = (make_practitioner(scene.expert.establishment, family_name=name) for name in ("Tardif", "Aubin"))
    for member in (after, duty):
        join(scene.service, member)
    assert pool.next_expert(scene.service, scene.expert.user_id, at) == after.user
    make_slot(scene.service, duty, at - timedelta(hours=1), at + timedelta(hours=1))
    assert pool.next_expert(scene.service, scene.expert.user_id, at) == duty.user


@pytest.mark.django_db
def test_two_people_of_one_name_are_marked_and_one_person_asked_about_twice_is_not() -> None:
    expert = make_practitioner(make_establishment("CHU des Ormes"))
    pool = make_pool(expert)
    marked, again = make_patient("Marty", "Yvonne"), make_patient("Perrot", "Simone")
    for patient in (marked, make_patient("Marty", "Luc"), again, again):
        make_asked(service=pool, expert=expert, patient=patient)
    page = client_of(expert).get("/expertise/?liste=pool")
    assert {row.patient.birth_given_names: row.twin for row in page.context["rows"]} == {
        "Yvonne": True, "Luc": True, "Simone": False,
    }  # fmt: skip
    assert page.content.decode().count("Homonyme proche") == 2
