"""What the clock does: reminders, missing answers once, closing proposed (domain.md §1.2, §1.7.f)."""

from datetime import datetime, time, timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from relais.accounts.models import Role
from relais.accounts.testing import actor_for, make_member
from relais.core.errors import NotFound
from relais.core.paris import PARIS
from relais.dossiers.models import Dossier, Event
from relais.notifications import registry
from relais.notifications.models import Message
from relais.telemonitoring import messages
from relais.telemonitoring.actions import alerts, states, windows
from relais.telemonitoring.actions import settings as adjusting
from relais.telemonitoring.models import Alert, Call, FollowUp, Missed, Pause
from relais.telemonitoring.testing import join, make_follow_up, reply

pytestmark = pytest.mark.django_db


def at(day, hour, minute=0):
    """That hour in Paris, `day` days from today."""
    return datetime.combine(timezone.localdate() + timedelta(days=day), time(hour, minute), tzinfo=PARIS)


def followed(day=3, began=-4, **fields):
    """Whose follow-up began four days ago, early in the morning."""
    scene = make_follow_up(day=day, **fields)
    began_at = at(began, 6)
    Dossier.objects.filter(pk=scene.follow_up.pk).update(created_at=began_at)
    FollowUp.objects.filter(pk=scene.follow_up.pk).update(starts_on=began_at.date(), watched_until=began_at)
    return scene


def seen_until(scene, moment):
    FollowUp.objects.filter(pk=scene.follow_up.pk).update(watched_until=moment)


def missed(scene):
    return list(Missed.objects.filter(follow_up=scene.follow_up).order_by("day", "slot").values_list("day", "slot"))


def reminders(scene):
    return Message.objects.filter(about=scene.follow_up.pk, type=messages.REMINDER)


def the_alert(scene):
    return Alert.objects.get(follow_up=scene.follow_up)


def test_one_missing_answer_is_grey_and_the_patient_is_written_to():
    scene = followed()
    seen_until(scene, at(-1, 20))
    windows.watch(now=at(-1, 22, 1))
    assert missed(scene) == [(at(-1, 0).date(), "jour")]
    assert (the_alert(scene).level, the_alert(scene).fired) == ("gris", ["MA01"])
    assert reminders(scene).count() == 1


def test_two_in_a_row_are_orange():
    scene = followed()
    seen_until(scene, at(-2, 20))
    windows.watch(now=at(-2, 22, 1))
    windows.watch(now=at(-1, 22, 1))
    assert (the_alert(scene).level, the_alert(scene).fired) == ("orange", ["MA01", "MA02"])


def test_two_in_a_row_are_two_although_the_rhythm_changed_in_between():
    """Yesterday one answer was awaited, today two; and an answer in between begins again."""
    scene = followed()
    other = followed()
    for one in (scene, other):
        seen_until(one, at(-2, 20))
    windows.watch(now=at(-2, 22, 1))
    FollowUp.objects.update(rhythm="renforce")
    reply(other, at=at(-1, 8))
    windows.watch(now=at(-1, 12, 1))
    assert (the_alert(scene).level, the_alert(scene).fired) == ("orange", ["MA01", "MA02"])
    windows.watch(now=at(-1, 22, 1))
    assert Alert.objects.filter(follow_up=other.follow_up).latest("opened_at").level == "gris"


@pytest.mark.parametrize(("before", "after"), [("standard", "renforce"), ("renforce", "standard")])
def test_an_answer_of_today_counts_after_a_change_of_rhythm(monkeypatch, before, after):
    """Answered at nine, the rhythm changed at ten: that morning nothing is missing, nor that day."""
    scene = followed(rhythm=before)
    now = at(0, 10)
    monkeypatch.setattr(timezone, "now", lambda: now)
    reply(scene, at=now - timedelta(hours=1))
    adjusting.adjust(actor=actor_for(scene.member), follow_up=scene.follow_up, rhythm=after, baseline=None, target=None)
    seen_until(scene, now)
    windows.watch(now=now + timedelta(hours=3))
    assert missed(scene) == []
    windows.watch(now=now + timedelta(hours=13))
    assert len(missed(scene)) == (after == "renforce")


@pytest.mark.parametrize(
    ("day", "risk", "level", "expected"),
    [
        (9, "eleve", "vert", "orange"),
        (9, "tres-eleve", "vert", "orange"),
        (9, "standard", "vert", "gris"),
        (3, "eleve", "vert", "gris"),
        (3, "standard", "orange", "orange"),
    ],
)
def test_one_is_enough_for_who_is_watched_closely(day, risk, level, expected):
    scene = followed(day=day, risk=risk, level=level)
    seen_until(scene, at(-1, 20))
    windows.watch(now=at(-1, 22, 1))
    assert the_alert(scene).level == expected


def test_an_answer_in_time_is_not_missed_and_a_late_one_takes_it_back():
    scene = followed()
    seen_until(scene, at(-2, 20))
    reply(scene, at=at(-2, 21))
    windows.watch(now=at(-1, 22, 1))
    assert missed(scene) == [(at(-1, 0).date(), "jour")]
    reply(scene, at=at(-1, 23))
    assert missed(scene) == []
    assert the_alert(scene).state == "closed"


@pytest.mark.parametrize("taken", [False, True])
def test_an_answer_of_days_ago_does_not_end_the_alert_of_those_missing_since(taken):
    """Kept without network on the first of three days: of the two others nobody has heard."""
    scene = followed()
    reply(scene, at=at(-4, 12))
    seen_until(scene, at(-3, 6))
    windows.watch(now=at(0, 6))
    assert len(missed(scene)) == 3
    if taken:
        alerts.take(actor=actor_for(scene.member), alert=the_alert(scene))
    reply(scene, at=at(-3, 12))
    assert (len(missed(scene)), the_alert(scene).state) == (2, "taken" if taken else "new")
    reply(scene, at=at(-1, 23))
    assert the_alert(scene).state == "closed"


@pytest.mark.parametrize(("level", "state"), [("rouge", "reached"), ("orange", "reached"), ("rouge", "taken")])
def test_a_green_answer_does_not_end_what_somebody_who_called_found(level, state):
    """Called for a missing answer, somebody near the patient said that it was serious."""
    scene = followed()
    seen_until(scene, at(-1, 20))
    windows.watch(now=at(-1, 22, 1))
    alert, me = the_alert(scene), actor_for(scene.member)
    alert = alerts.take(actor=me, alert=alert)
    if state == "reached":
        alert = alerts.note_call(actor=me, alert=alerts.call(actor=me, alert=alert), outcome="proche-joint")
    alerts.requalify(actor=me, alert=alert, level=level)
    reply(scene, at=at(-1, 23))
    assert (the_alert(scene).state, the_alert(scene).level) == (state, level)


def test_a_green_answer_does_not_end_an_alert_of_another_reason():
    scene = followed(level="orange")
    reply(scene, at=at(-3, 12), frissons="intenses")
    seen_until(scene, at(-1, 20))
    windows.watch(now=at(-1, 22, 1))
    reply(scene, at=at(-1, 23))
    assert the_alert(scene).state == "new"


@settings(max_examples=12, deadline=None)
@given(runs=st.lists(st.integers(0, 96), max_size=12))
def test_however_late_and_often_it_runs_the_same_is_noted_once(runs):
    """Runs at any hours of four days, then a last one."""
    with transaction.atomic():
        scene = followed(day=10)  # two windows a day
        reply(scene, at=at(-3, 9))
        for hours in sorted(runs):
            windows.watch(now=at(-4, 6) + timedelta(hours=hours))
        windows.watch(now=at(0, 6))
        windows.watch(now=at(0, 6))
        expected = {(at(day, 0).date(), slot) for day in (-4, -3, -2, -1) for slot in ("matin", "soir")}
        assert set(missed(scene)) == expected - {(at(-3, 0).date(), "matin")}
        assert Event.objects.filter(dossier_id=scene.follow_up.pk, verb="answer_missed").count() == 7
        assert (the_alert(scene).level, the_alert(scene).fired) == ("orange", ["MA01", "MA02"])
        sent = [message.context["until"] for message in reminders(scene)]
        assert len(sent) == len(set(sent))
        transaction.set_rollback(True)


@pytest.mark.parametrize(
    ("run", "sent"), [((10, 29), 0), ((10, 30), 1), ((11, 30), 1), ((12, 0), 1), ((13, 1), 0), ((15, 0), 0)]
)
def test_a_reminder_is_sent_from_its_hour_while_it_makes_sense(run, sent):
    """Morning window: at 10:30; at its end that it is missing, for an hour."""
    scene = followed(day=9)
    seen_until(scene, at(-1, 8))
    windows.watch(now=at(-1, *run))
    assert reminders(scene).count() == sent


def test_a_reminder_carries_the_moment_after_which_it_is_not_sent():
    scene = followed(day=9)
    seen_until(scene, at(-1, 8))
    windows.watch(now=at(-1, 10, 35))
    assert datetime.fromisoformat(reminders(scene).get().context["until"]) == at(-1, 12)
    windows.watch(now=at(-1, 10, 40))
    assert reminders(scene).count() == 1


def test_who_answers_before_a_reminder_leaves_is_not_sent_it(monkeypatch):
    """The worker was dead: at its return the answer is there."""
    scene = followed(day=9)
    seen_until(scene, at(-1, 8))
    windows.watch(now=at(-1, 10, 35))
    kind, message, later = registry.TYPES[messages.REMINDER], reminders(scene).get(), at(-1, 11)
    answered = FollowUp.objects.filter(pk=scene.follow_up.pk)
    answered.update(last_answer_at=later - timedelta(hours=5))
    monkeypatch.setattr(messages.timezone, "now", lambda: later)
    assert kind.still_wanted(message)
    answered.update(last_answer_at=later - timedelta(minutes=20))
    assert not kind.still_wanted(message)


def test_who_has_answered_is_not_reminded():
    scene = followed(day=9)
    reply(scene, at=at(-1, 9))
    seen_until(scene, at(-1, 9, 30))
    windows.watch(now=at(-1, 10, 35))
    assert not reminders(scene).exists()


@pytest.mark.parametrize("verb", ["pause", "close"])
def test_nothing_is_asked_of_who_is_in_hospital_or_followed_no_more(verb):
    scene = followed()
    more = {"why": "guerison"} if verb == "close" else {}
    getattr(states, verb)(actor=actor_for(scene.member), follow_up=scene.follow_up, **more)
    windows.watch(now=at(0, 23))
    assert missed(scene) == []
    assert not reminders(scene).exists()
    assert not Alert.objects.exists()


def test_a_window_that_was_almost_over_at_the_start_is_not_missed():
    scene = followed()
    Dossier.objects.filter(pk=scene.follow_up.pk).update(created_at=at(-1, 20, 30))
    seen_until(scene, None)
    windows.watch(now=at(-1, 22, 1))
    assert missed(scene) == []


def ended(scene, *levels):
    """Past its last day, after these answers."""
    for number, level in enumerate(levels):
        changes = {"frissons": "intenses"} if level == "orange" else {}
        reply(scene, at=at(-3, 8 + number), **changes)
    FollowUp.objects.filter(pk=scene.follow_up.pk).update(ends_on=at(-2, 0).date(), watched_until=at(-1, 0))
    windows.watch(now=at(0, 0, 30))
    return FollowUp.objects.get(pk=scene.follow_up.pk)


@pytest.mark.parametrize(
    ("levels", "proposed"),
    [(("vert", "vert"), True), (("vert",), False), (("vert", "orange"), False), (("orange", "vert", "vert"), False)],
)
def test_closing_is_proposed_after_two_green_answers_without_an_open_alert(levels, proposed):
    after = ended(followed(), *levels)
    assert (after.closing_proposed_at is not None, after.state) == (proposed, "active")


def test_once_the_alert_is_ended_closing_is_proposed_and_only_once():
    scene = followed()
    ended(scene, "orange", "vert", "vert")
    alerts.mistake(actor=actor_for(scene.member), alert=the_alert(scene))
    windows.watch(now=at(0, 11))
    windows.watch(now=at(0, 13))
    assert Event.objects.filter(dossier_id=scene.follow_up.pk, verb="closing_proposed").count() == 1


def test_one_that_cannot_be_looked_at_hides_nobody(monkeypatch):
    first, second = followed(), followed()
    broken = min(first.follow_up.pk, second.follow_up.pk)
    really = windows._watch_one

    def fail(pk, now):
        if pk == broken:
            raise ValueError
        really(pk, now)

    monkeypatch.setattr(windows, "_watch_one", fail)
    with pytest.raises(ExceptionGroup):
        windows.watch(now=at(0, 6))
    assert Missed.objects.exclude(follow_up_id=broken).exists()


def test_those_of_whom_nothing_is_due_are_marked_together():
    """As many queries for three follow-ups that have answered as for one."""
    counts = []
    for _more in range(3):
        scene = followed()
        reply(scene, at=at(-1, 9))
        FollowUp.objects.update(watched_until=at(-1, 20))
        with CaptureQueriesContext(connection) as caught:
            assert windows.watch(now=at(-1, 22, 1)) == len(counts) + 1
        counts.append(len(caught))
        assert not FollowUp.objects.exclude(watched_until=at(-1, 22, 1)).exists()
    assert counts[0] == counts[2]


def openings(scene):
    return Message.objects.filter(about=scene.follow_up.pk, type=messages.OPENING)


@pytest.mark.req("EC-03")
@pytest.mark.parametrize(
    ("run", "sent"), [((6, 59), 0), ((7, 0), 1), ((9, 30), 1), ((10, 30), 0), ((15, 0), 0), ((16, 1), 1)]
)
def test_that_a_window_begins_is_said_until_its_reminder_says_so(run, sent):
    """Two windows a day: 07:00 to 12:00, reminded at 10:30, and from 16:00."""
    scene = followed(day=9)
    seen_until(scene, at(-1, 6) if run < (12, 0) else at(-1, 14))
    windows.watch(now=at(-1, *run))
    windows.watch(now=at(-1, *run))
    assert openings(scene).count() == sent


def test_a_late_message_of_a_window_is_not_sent_nor_to_who_has_answered(monkeypatch):
    """Asked again just before sending: the worker may have been dead for hours."""
    scene = followed(day=9)
    seen_until(scene, at(-1, 6))
    windows.watch(now=at(-1, 7, 1))
    message = openings(scene).get()
    kind, answered_at, early = registry.TYPES[messages.OPENING], at(-1, 7, 30), at(-1, 8)
    for now, wanted in ((early, True), (at(-1, 10, 29), True), (at(-1, 10, 30), False)):
        monkeypatch.setattr(messages.timezone, "now", lambda now=now: now)
        assert kind.still_wanted(message) == wanted
    FollowUp.objects.filter(pk=scene.follow_up.pk).update(last_answer_at=answered_at)
    monkeypatch.setattr(messages.timezone, "now", lambda now=early: now)
    assert not kind.still_wanted(message)


def red(scene, hours, **fields):
    moment = at(0, 6) - timedelta(hours=hours)
    FollowUp.objects.filter(pk=scene.follow_up.pk).update(last_answer_at=moment)
    return Alert.objects.create(
        follow_up=scene.follow_up, level="rouge", fired=["AR01"], since=moment, opened_at=moment, **fields
    )


@pytest.mark.parametrize(
    ("hours", "state", "level", "expected"),
    [
        (13, "taken", "rouge", "escalated"),
        (13, "unreached", "rouge", "escalated"),
        (13, "calling", "rouge", "escalated"),  # the call was left without a word
        (13, "new", "rouge", "new"),  # nobody has it: it keeps ringing
        (11, "taken", "rouge", None),
        (13, "reached", "rouge", None),
        (13, "taken", "orange", None),
    ],
)
def test_a_red_answer_without_a_call_or_an_answer_for_12_hours_goes_to_the_doctor(hours, state, level, expected):
    """MA03, once; it stays red."""
    scene = followed(day=3)
    alert = red(scene, hours, state=state, **({} if state == "new" else {"taken_by": scene.member.user}))
    Alert.objects.update(level=level)
    seen_until(scene, at(0, 6))
    for _run in range(2):
        windows.watch(now=at(0, 6))
    alert.refresh_from_db()
    assert alert.level == level
    assert alert.fired == (["AR01", "MA03"] if expected else ["AR01"])
    assert alert.state == (expected or state)


def test_ma03_does_not_take_an_alert_from_who_is_calling():
    scene = followed(day=3)
    alert = red(scene, 13, state="taken", taken_by=scene.member.user)
    alerts.call(actor=actor_for(scene.member), alert=alert)
    Event.objects.filter(verb="alert_call").update(at=at(0, 5, 30))
    seen_until(scene, at(0, 6))
    windows.watch(now=at(0, 6))
    assert (the_alert(scene).state, the_alert(scene).fired) == ("calling", ["AR01"])
    windows.watch(now=at(0, 7))
    assert (the_alert(scene).state, the_alert(scene).fired) == ("escalated", ["AR01", "MA03"])


def test_a_new_answer_holds_ma03_back():
    scene = followed(day=3)
    red(scene, 13, state="taken", taken_by=scene.member.user)
    FollowUp.objects.filter(pk=scene.follow_up.pk).update(last_answer_at=at(0, 1))
    seen_until(scene, at(0, 6))
    windows.watch(now=at(0, 6))
    assert the_alert(scene).fired == ["AR01"]


def lost(scene):
    seen_until(scene, at(0, 6))
    windows.watch(now=at(0, 6))
    return Alert.objects.filter(follow_up=scene.follow_up, fired__contains=["MA05"]).count()


@pytest.mark.parametrize(("days", "expected"), [(6, 1), (4, 0)])
def test_five_days_without_contact_are_told_once_and_a_practitioner_closes(days, expected):
    """MA05, and that a nurse may not close it."""
    scene = followed(day=9, began=-8)
    FollowUp.objects.update(last_answer_at=at(-days, 5))
    assert [lost(scene), lost(scene)] == [expected] * 2
    assert FollowUp.objects.get().state == "active"
    nurse = make_member(scene.cell.establishment, Role.CAREGIVER)
    join(scene.cell, nurse)
    with pytest.raises(NotFound):
        states.close(actor=actor_for(nurse), follow_up=scene.follow_up, why="perdu-de-vue")
    states.close(actor=actor_for(scene.member), follow_up=scene.follow_up, why="perdu-de-vue")
    assert lost(scene) == expected


def test_a_call_that_reached_somebody_and_a_return_from_hospital_are_contacts():
    called, back = followed(day=9, began=-8), followed(day=9, began=-8)
    FollowUp.objects.update(last_answer_at=at(-6, 5))
    done = {"level": "orange", "state": "closed", "since": at(-5, 0), "opened_at": at(-5, 0), "closed_at": at(-2, 0)}
    alert = Alert.objects.create(follow_up=called.follow_up, **done)
    Call.objects.create(alert=alert, by=called.member.user, outcome="joint")
    Pause.objects.create(follow_up=back.follow_up, first=at(-6, 0).date(), last=at(-1, 0).date())
    assert (lost(called), lost(back)) == (0, 0)


def test_what_was_told_and_treated_is_not_told_again_the_next_minute():
    scene = followed(day=9, began=-8)
    FollowUp.objects.update(last_answer_at=at(-6, 5))
    assert lost(scene) == 1
    Alert.objects.update(state="closed", closed_at=at(0, 5))
    assert lost(scene) == 1
