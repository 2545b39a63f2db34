"""Answers judged as they arrive, alerts that rise and are handled (EC-03 … EC-07, EC-10, EC-11)."""

import threading
from datetime import timedelta
from unittest import mock
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from relais.accounts.models import Role
from relais.accounts.testing import actor_for, make_establishment, make_member, make_practitioner
from relais.core.actor import Actor
from relais.core.errors import NotFound, Refused
from relais.patients.actions import record_death
from relais.patients.models import Grant
from relais.patients.testing import make_patient
from relais.questionnaires.actions import Who, Wrong
from relais.questionnaires.models import Response
from relais.telemonitoring import replay
from relais.telemonitoring.actions import alerts, answers, leaving, rules, states
from relais.telemonitoring.models import Alert, FollowUp
from relais.telemonitoring.queries.cells import last_answers
from relais.telemonitoring.queries.follow_up import answer_sets
from relais.telemonitoring.testing import contact_reply, join, make_cell, make_follow_up, reply
from relais.telemonitoring.workflow import OPEN

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene():
    return make_follow_up()


def the_alert(scene):
    return Alert.objects.get(follow_up=scene.follow_up)


def fresh(scene):
    return FollowUp.objects.get(pk=scene.follow_up.pk)


@pytest.mark.req("EC-03", "EC-04")
def test_a_patient_who_is_well_is_green_and_disturbs_nobody(scene):
    evening = timezone.localtime().replace(hour=18, minute=0, second=0, microsecond=0)  # inside a window
    with mock.patch.object(timezone, "now", return_value=evening):
        judged = reply(scene)
    assert (judged.level, judged.fired, judged.late) == ("vert", [], False)
    assert (fresh(scene).level, fresh(scene).last_answer_at is not None) == ("vert", True)
    assert not Alert.objects.exists()


@pytest.mark.req("EC-06")
@pytest.mark.parametrize(
    ("changes", "level", "rule"),
    [
        ({"dyspnee": "4", "dyspnee__evol": "critique"}, "rouge", "AR01"),
        ({"frissons": "intenses"}, "orange", "AO08"),
        ({"moral": "critique", "idees": "oui"}, "rouge-psy", "AR16"),
        ({"temp": 38.4, "paracetamol": False}, "vert", None),
    ],
)
def test_worse_answers_open_an_alert_with_its_rules(scene, changes, level, rule):
    judged = reply(scene, **changes)
    assert judged.level == level
    assert Alert.objects.filter(level=level, state="new").exists() is (rule is not None)
    if rule:
        assert rule in the_alert(scene).fired


def test_one_alert_a_patient_that_only_rises(scene):
    reply(scene, frissons="intenses")
    first = the_alert(scene)
    reply(scene, levres=True)
    second = the_alert(scene)
    assert (second.pk, second.level, second.since > first.since) == (first.pk, "rouge", True)
    assert second.fired == ["AO08", "AR11"]
    reply(scene, fatigue="alite")
    third = the_alert(scene)
    assert (third.level, third.since) == ("rouge", second.since)
    assert "AO10" in third.fired


@pytest.mark.parametrize(
    ("first", "second", "level"),
    [
        ({"moral": "critique", "idees": "non"}, {"frissons": "intenses"}, "orange"),
        ({"frissons": "intenses"}, {"moral": "critique", "idees": "non"}, "orange"),
        ({"moral": "critique", "idees": "oui"}, {"levres": True}, "rouge"),
    ],
)
def test_a_sign_of_the_body_does_not_wait_as_long_as_one_of_the_mind(scene, first, second, level):
    """An orange of the mind is called within a day, one of the body within hours."""
    reply(scene, **first)
    opened = the_alert(scene)
    reply(scene, **second)
    after = the_alert(scene)
    assert after.level == level
    assert after.clock(scene.cell).call_by <= opened.clock(scene.cell).call_by or opened.level == "rouge-psy"


def test_the_same_answers_sent_five_times_are_one(scene):
    key = uuid4()
    judged = {reply(scene, key=key, levres=True).pk for _time in range(5)}
    assert len(judged) == 1
    assert Response.objects.filter(about=scene.follow_up.pk).count() == 1
    assert the_alert(scene).fired == ["AR11"]


def test_impossible_values_are_refused_and_nothing_is_kept(scene):
    with pytest.raises(Wrong) as refusal:
        reply(scene, temp=385)
    assert "34 à 42,5" in refusal.value.errors["ad.temp"]
    assert not Response.objects.filter(about=scene.follow_up.pk).exists()


def test_yesterdays_answers_arriving_today_count_for_yesterday_and_alert_at_once(scene):
    """Late, red: its clock runs from its arrival."""
    yesterday = timezone.now() - timedelta(days=1)
    before = timezone.now()
    judged = reply(scene, at=yesterday, levres=True)
    assert judged.day < timezone.localdate()
    assert judged.late is True
    assert the_alert(scene).since >= before


def test_an_older_answer_set_does_not_hide_a_newer_one(scene):
    reply(scene, levres=True)
    reply(scene, at=timezone.now() - timedelta(days=1))
    assert fresh(scene).level == "rouge"


def test_what_a_team_reads_as_the_last_answers_are_the_newest_and_not_those_that_came_last(scene):
    """Or a fever that rises would be shown falling: in the list of a cell, in the dossier, in the summary."""
    newer = reply(scene, temp=38.6)
    older = reply(scene, temp=37.2, at=timezone.now() - timedelta(hours=20))
    for listed in (
        last_answers([scene.follow_up.pk])[scene.follow_up.pk],
        [one.judgement for one in answer_sets(scene.follow_up)],
    ):
        assert listed == [newer, older]
    assert answer_sets(scene.follow_up)[0].values[0].trend == "up"


def test_what_was_answered_before_is_known_to_the_rules(scene):
    """A fall of 4 points of saturation against the mean of before."""
    scene.follow_up.equipment = ["oxymetre"]
    scene.follow_up.save()
    reply(scene, at=timezone.now() - timedelta(hours=30), spo2=99)
    assert "AC02-rouge" in reply(scene, spo2=95).fired


def test_what_fires_only_once_a_late_answer_is_known_is_an_alert_of_its_own(scene):
    """Two oranges, the alert of which is ended; the answer between them was closed without network: three in a row."""
    me = actor_for(scene.member)
    reply(scene, at=timezone.now() - timedelta(hours=30), frissons="intenses")
    reply(scene, frissons="intenses")
    alerts.mistake(actor=me, alert=the_alert(scene))
    reply(scene, at=timezone.now() - timedelta(hours=9), fatigue="alite")
    alert = alerts.open_alert(scene.follow_up)
    assert alert.priority is True
    assert "AC06" in alert.fired


@pytest.mark.parametrize(("role", "medical"), [(Role.PRACTITIONER, True), (Role.CAREGIVER, False)])
def test_who_was_reached_was_reached_although_the_next_call_was_in_vain(scene, role, medical):
    """AC06 hands over to the doctor what no doctor has called about; live and in a replay."""
    caller = make_member(scene.cell.establishment, role)
    join(scene.cell, caller)
    me = actor_for(caller)
    for hours in (30, 20):
        reply(scene, at=timezone.now() - timedelta(hours=hours), frissons="intenses")
    alert = alerts.take(actor=me, alert=the_alert(scene))
    for outcome in ("joint", "repondeur"):
        alert = alerts.note_call(actor=me, alert=alerts.call(actor=me, alert=alert), outcome=outcome)
    assert ("AC06" not in reply(scene, frissons="intenses").fired) is medical
    stories = replay.read(
        sets := rules.read(scene.cell.rules.source),
        since=scene.cell.created_at - timedelta(days=9),
        until=timezone.now(),
    )
    assert sum(replay.judge(replay.prepare(stories, sets), sets)["AC06"].fill_null(value=False)) == (not medical)


def test_the_number_of_queries_does_not_grow_with_the_history(scene):
    def count():
        with CaptureQueriesContext(connection) as caught:
            reply(scene)
        return len(caught)

    reply(scene, at=timezone.now() - timedelta(hours=9))
    one = count()
    for hours in range(5, 8):
        reply(scene, at=timezone.now() - timedelta(hours=hours))
    assert count() == one


@pytest.mark.req("EC-10")
def test_a_member_answers_in_the_place_of_a_patient_and_both_are_traced(scene):
    who = Who(relation="professionnel-cellule", reason="appel-telephonique", voice="proxy")
    judged = reply(scene, actor=actor_for(scene.member), who=who, saisie="professionnel")
    kept = judged.response
    assert (kept.user_id, kept.relation, kept.reason) == (
        scene.member.user_id,
        "professionnel-cellule",
        "appel-telephonique",
    )


def strangers(scene):
    elsewhere = make_practitioner(make_establishment("Ailleurs"))
    other = make_follow_up()
    return [
        actor_for(elsewhere),
        actor_for(make_member(scene.member.establishment, Role.SECRETARY)),
        actor_for(make_practitioner(scene.member.establishment)),  # of the place, not of the cell
        other.holder,
        Actor(kind="guest", grant_id=uuid4(), about=scene.follow_up.pk),
    ]


def test_nobody_else_answers_or_handles(scene):
    reply(scene, levres=True)
    alert = the_alert(scene)
    for actor in strangers(scene):
        with pytest.raises(NotFound):
            reply(scene, actor=actor)
        with pytest.raises(NotFound):
            alerts.take(actor=actor, alert=alert)
        with pytest.raises(NotFound):
            states.extend(actor=actor, follow_up=scene.follow_up)
    assert Response.objects.filter(about=scene.follow_up.pk).count() == 1


def test_who_left_the_cell_handles_no_more(scene):
    reply(scene, levres=True)
    scene.cell.members.update(until=timezone.now())
    with pytest.raises(NotFound):
        alerts.take(actor=actor_for(scene.member), alert=the_alert(scene))


# Handling


def test_an_alert_from_new_to_ended(scene):
    me = actor_for(scene.member)
    reply(scene, levres=True)
    alert = alerts.take(actor=me, alert=the_alert(scene))
    assert (alert.state, alert.taken_by_id) == ("taken", scene.member.user_id)
    alert = alerts.call(actor=me, alert=alert)
    alert = alerts.note_call(actor=me, alert=alert, outcome="repondeur")
    assert (alert.state, alert.attempts) == ("unreached", 1)
    alert = alerts.note_call(actor=me, alert=alerts.call(actor=me, alert=alert), outcome="joint")
    assert (alert.state, alert.attempts, alert.calls.count()) == ("reached", 2, 2)
    alert = alerts.finish(actor=me, alert=alert)
    assert (alert.state, alert.closed_at is not None) == ("closed", True)
    reply(scene, levres=True)
    assert Alert.objects.filter(follow_up=scene.follow_up).count() == 2


def test_the_second_member_reads_who_has_the_patient(scene):
    reply(scene, levres=True)
    other = make_practitioner(scene.member.establishment)
    join(scene.cell, other)
    alert = the_alert(scene)
    alerts.take(actor=actor_for(other), alert=alert)
    with pytest.raises(Refused, match=f"{other.user.full_name} s’occupe déjà"):
        alerts.take(actor=actor_for(scene.member), alert=alert)


def test_a_patient_who_was_reached_and_gets_worse_has_to_be_called_again(scene):
    me = actor_for(scene.member)
    reply(scene, frissons="intenses")
    alert = alerts.call(actor=me, alert=alerts.take(actor=me, alert=the_alert(scene)))
    alerts.note_call(actor=me, alert=alert, outcome="joint")
    reply(scene, fatigue="alite")
    assert the_alert(scene).state == "reached"
    reply(scene, levres=True)
    assert (the_alert(scene).state, the_alert(scene).level) == ("taken", "rouge")


@pytest.mark.req("EC-06")
def test_a_patient_who_was_reached_and_says_red_again_has_to_be_called_again(scene):
    me = actor_for(scene.member)
    reply(scene, at=timezone.now() - timedelta(hours=6), levres=True)
    alert = alerts.call(actor=me, alert=alerts.take(actor=me, alert=the_alert(scene)))
    alerts.note_call(actor=me, alert=alert, outcome="joint")
    alerts.call_again(actor=me, alert=the_alert(scene), at=timezone.now() + timedelta(days=1))
    before = timezone.now()
    reply(scene, levres=True)
    after = the_alert(scene)
    assert (after.state, after.call_at, after.since >= before) == ("taken", None, True)
    assert after.clock(scene.cell).call_by == after.since + timedelta(minutes=15)


def test_a_new_sign_after_the_call_is_called_about(scene):
    """Not later than what its level asks, however late the next call was agreed; the same sign again asks nothing."""
    me = actor_for(scene.member)
    reply(scene, frissons="intenses")
    alert = alerts.call(actor=me, alert=alerts.take(actor=me, alert=the_alert(scene)))
    alert = alerts.note_call(actor=me, alert=alert, outcome="joint")
    reply(scene, frissons="intenses")
    assert the_alert(scene).call_at is None
    alerts.call_again(actor=me, alert=alert, at=timezone.now() + timedelta(days=3))
    reply(scene, fatigue="alite")
    after = the_alert(scene)
    assert (after.state, after.call_at < timezone.now() + timedelta(days=1)) == ("reached", True)
    reply(scene, fatigue="alite")
    assert the_alert(scene).call_at == after.call_at


def test_a_red_alert_is_ended_by_a_practitioner_alone(scene):
    nurse = make_member(scene.member.establishment, Role.CAREGIVER)
    join(scene.cell, nurse)
    for changes, ends in (({"frissons": "intenses"}, True), ({"levres": True}, False)):
        reply(scene, **changes)
        alert = alerts.open_alert(scene.follow_up)
        me = actor_for(nurse)
        alerts.take(actor=me, alert=alert)
        alerts.call(actor=me, alert=alert)
        alert = alerts.note_call(actor=me, alert=Alert.objects.get(pk=alert.pk), outcome="joint")
        if ends:
            assert alerts.finish(actor=me, alert=alert).state == "closed"
        else:
            with pytest.raises(NotFound):
                alerts.finish(actor=me, alert=alert)


def test_green_twice_ends_an_alert_that_somebody_has_and_no_other(scene):
    reply(scene, at=timezone.now() - timedelta(hours=3), frissons="intenses")
    reply(scene, at=timezone.now() - timedelta(hours=2))
    reply(scene, at=timezone.now() - timedelta(hours=1))
    assert the_alert(scene).state == "new"
    alerts.take(actor=actor_for(scene.member), alert=the_alert(scene))
    reply(scene)
    assert the_alert(scene).state == "closed"


def test_green_answers_end_no_red_alert(scene):
    """AC09 is for orange: a practitioner ends a red one, however well the answers after it."""
    reply(scene, at=timezone.now() - timedelta(hours=3), levres=True)
    alerts.take(actor=actor_for(scene.member), alert=the_alert(scene))
    reply(scene, at=timezone.now() - timedelta(hours=2))
    reply(scene)
    assert (the_alert(scene).state, the_alert(scene).level) == ("taken", "rouge")


def test_green_answers_do_not_end_what_a_patient_who_wants_to_stop_asked_for(scene):
    leaving.ask_to_stop(actor=scene.holder, follow_up=scene.follow_up)
    alerts.take(actor=actor_for(scene.member), alert=the_alert(scene))
    reply(scene, at=timezone.now() - timedelta(hours=1))
    reply(scene)
    assert the_alert(scene).state == "taken"


def test_green_answers_of_yesterday_that_come_late_end_no_alert_of_today(scene):
    reply(scene, at=timezone.now() - timedelta(hours=1), frissons="intenses")
    alerts.take(actor=actor_for(scene.member), alert=the_alert(scene))
    for hours in (30, 20):
        reply(scene, at=timezone.now() - timedelta(hours=hours))
    assert the_alert(scene).state == "taken"


@pytest.mark.parametrize("step", ["calling", "escalated", "agreed"])
def test_green_answers_end_no_alert_under_a_call_or_before_who_was_told_has_looked(scene, step):
    """AC09 ends what waits for nobody: not what was handed to the doctor, nor before a call that was agreed."""
    me = actor_for(scene.member)
    reply(scene, at=timezone.now() - timedelta(hours=3), frissons="intenses")
    alert = alerts.call(actor=me, alert=alerts.take(actor=me, alert=the_alert(scene)))
    if step != "calling":
        alert = alerts.note_call(actor=me, alert=alert, outcome="joint")
    if step == "escalated":
        alerts.escalate(actor=me, alert=alert)
    if step == "agreed":
        alerts.call_again(actor=me, alert=alert, at=timezone.now() + timedelta(hours=5))
    reply(scene, at=timezone.now() - timedelta(hours=2))
    reply(scene)
    assert the_alert(scene).state == ("reached" if step == "agreed" else step)


def test_a_member_who_became_a_secretary_handles_no_more(scene):
    nurse = make_member(scene.member.establishment, Role.CAREGIVER)
    join(scene.cell, nurse)
    reply(scene, levres=True)
    nurse.role = Role.SECRETARY
    nurse.save()
    with pytest.raises(NotFound):
        alerts.take(actor=actor_for(nurse), alert=the_alert(scene))
    with pytest.raises(NotFound):
        reply(scene, actor=actor_for(nurse))


@pytest.mark.req("EC-11")
@pytest.mark.parametrize(
    ("said", "status", "days"),
    [
        ({"test": "positif"}, "confirme", 8),
        ({"test": "positif", "sympt": True}, "confirme", 1),
        ({"temp": 38.2}, "possible", 1),
        ({"test": "negatif"}, "contact", 4),
        ({"test": "positif", "date": 90}, "confirme", 1),
    ],
)
def test_a_contact_becomes_a_case_from_the_day_of_the_symptom_or_of_the_sample(said, status, days):
    """CT01, CT03, by an answer of yesterday that comes today; a sample of eight days ago begins the second week."""
    scene = make_follow_up(status="contact", rhythm="contact", day=4)
    yesterday = timezone.localtime().replace(hour=9, minute=0, second=0, microsecond=0) - timedelta(days=1)
    said = dict(said)
    if "test" in said:
        sampled = timezone.localdate() - timedelta(days=said.pop("date", 8))
        said["test__date"] = sampled.isoformat()
    if said.get("sympt"):
        said |= {"liste": "toux", "dyspnee": "0"}
    judged = contact_reply(scene, yesterday, **said)
    judged.refresh_from_db()
    after = fresh(scene)
    assert (after.status, after.day(timezone.localdate())) == (status, days)
    assert after.ends_on >= after.onset + timedelta(days=14) or status == "contact"
    if status != "contact":
        assert (judged.day, judged.slot) in list(after.plan.windows(judged.day, judged.day))
        assert reply(scene, frissons="intenses").level == "orange"
        assert the_alert(scene).priority == (days == 8)  # AC08


@pytest.mark.req("EC-07")
def test_a_patient_in_hospital_is_told_to_the_cell_and_waits_for_nothing(scene):
    reply(scene, hospit="hospitalise", hospit__lieu="Hôpital des Tilleuls, hier")
    assert "AO15" in the_alert(scene).fired
    paused = states.pause(actor=actor_for(scene.member), follow_up=scene.follow_up)
    assert paused.state == "paused"
    assert fresh(scene).plan.slots(timezone.localdate()) == ()
    back = states.resume(actor=actor_for(scene.member), follow_up=paused)
    assert (back.state, back.status, back.rhythm) == ("active", "sortie", "renforce")
    assert back.ends_on == timezone.localdate() + timedelta(days=14)


def test_a_follow_up_that_has_ended_takes_no_answer_and_settles_its_alert(scene):
    reply(scene, levres=True)
    closed = states.close(actor=actor_for(scene.member), follow_up=scene.follow_up, why="guerison")
    assert (closed.state, closed.dossier.phase) == ("closed", "closed")
    assert the_alert(scene).state == "closed"
    with pytest.raises(Refused, match="terminé"):
        reply(scene)


def test_after_a_death_the_way_in_is_closed(scene):
    states.close(actor=actor_for(scene.member), follow_up=scene.follow_up, why="deces")
    scene.grant.refresh_from_db()
    assert scene.grant.revoked_at is not None


def test_a_death_noted_anywhere_ends_the_follow_up(scene):
    """Noted by who knows the patient, outside the cell: no question, reminder or call goes to the family."""
    reply(scene, levres=True)
    record_death(actor=actor_for(scene.member), patient=scene.follow_up.dossier.patient, on=timezone.localdate())
    scene.grant.refresh_from_db()
    closed = fresh(scene)
    assert (closed.state, closed.closing, closed.dossier.phase) == ("closed", "deces", "closed")
    assert the_alert(scene).state == "closed"
    assert scene.grant.revoked_at is not None


def test_an_extension_adds_seven_days_until_day_thirty(scene):
    me = actor_for(scene.member)
    ends = [states.extend(actor=me, follow_up=scene.follow_up).day(fresh(scene).ends_on) for _time in range(3)]
    assert ends == [21, 28, 30]
    with pytest.raises(Refused, match="J30"):
        states.extend(actor=me, follow_up=scene.follow_up)


def test_after_a_stay_an_extension_goes_to_day_thirty_as_any_other():
    """The 14 days of a discharge at J10 end at J24: six are left to add."""
    scene = make_follow_up(day=10)
    me = actor_for(scene.member)
    back = states.resume(actor=me, follow_up=states.pause(actor=me, follow_up=scene.follow_up))
    assert back.day(back.ends_on) == 24
    more = states.extend(actor=me, follow_up=back)
    assert more.day(more.ends_on) == 30


@pytest.mark.req("EC-07", "EC-18")
def test_after_a_long_stay_the_patient_still_gets_in(scene):
    me = actor_for(scene.member)
    paused = states.pause(actor=me, follow_up=scene.follow_up)
    Grant.objects.filter(about=scene.follow_up.pk).update(valid_until=timezone.now() - timedelta(days=1))
    back = states.resume(actor=me, follow_up=paused)
    scene.grant.refresh_from_db()
    assert scene.grant.is_live()
    assert timezone.localdate(scene.grant.valid_until) >= back.ends_on + timedelta(days=30)


@pytest.mark.req("EC-13")
def test_a_member_from_another_establishment_sees_the_patients_of_the_cell():
    cell, member = make_cell()
    guest = make_practitioner(make_establishment("Autre structure"))
    join(cell, guest)
    scene = make_follow_up(cell=cell, member=member, patient=make_patient("Vu"))
    assert list(FollowUp.objects.visible_to(actor_for(guest))) == [scene.follow_up]
    stranger = make_practitioner(make_establishment("Encore ailleurs"))
    assert list(FollowUp.objects.visible_to(actor_for(stranger))) == []


@pytest.mark.req("EC-06")
@pytest.mark.django_db(transaction=True)
def test_a_red_answer_that_comes_while_the_alert_is_being_ended_is_on_the_screen(monkeypatch):
    """Whichever of the two is first, an open red alert is left: none is written into an alert that has just ended."""
    scene = make_follow_up()
    me = actor_for(scene.member)
    reply(scene, frissons="intenses")
    alerts.call(actor=me, alert=alerts.take(actor=me, alert=the_alert(scene)))
    reached = alerts.note_call(actor=me, alert=the_alert(scene), outcome="joint")
    judge, threads = answers._decided, []

    def end():
        try:
            alerts.finish(actor=me, alert=reached)
        except Refused:
            pass
        finally:
            connection.close()

    def while_it_is_judged(*args):
        threads.append(threading.Thread(target=end))
        threads[0].start()
        threads[0].join(0.3)  # it ends the alert now, or waits for the answer
        return judge(*args)

    monkeypatch.setattr(answers, "_decided", while_it_is_judged)
    reply(scene, levres=True)
    threads[0].join(60)
    left = Alert.objects.get(state__in=OPEN)
    assert (left.level, "AR11" in left.fired) == ("rouge", True)
