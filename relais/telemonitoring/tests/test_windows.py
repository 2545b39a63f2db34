"""What the clock does: reminders, missing answers once, closing proposed (domain.md §1.2, §1.7.f)."""

from datetime import datetime, time, timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from relais.accounts.testing import actor_for
from relais.core.paris import PARIS
from relais.dossiers.models import Dossier, Event
from relais.notifications.models import Message
from relais.telemonitoring import messages
from relais.telemonitoring.actions import alerts, states, windows
from relais.telemonitoring.models import Alert, FollowUp, Missed
from relais.telemonitoring.testing import make_follow_up, reply

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
