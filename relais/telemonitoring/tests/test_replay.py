"""The replay of the laboratory: the live decisions again, and what another rule set would change (D8)."""

import copy
import json
import random
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.utils import timezone

from relais.accounts.testing import actor_for
from relais.core.errors import Refused
from relais.patients.testing import make_patient
from relais.questionnaires.actions import Times
from relais.questionnaires.models import Questionnaire
from relais.telemonitoring import judging, replay
from relais.telemonitoring.actions import alerts, answers, rules
from relais.telemonitoring.demo import courses
from relais.telemonitoring.models import Judgement
from relais.telemonitoring.testing import contact_reply, make_cell, make_follow_up, reply

pytestmark = pytest.mark.django_db
SOURCE = json.loads((Path(judging.__file__).parent / "rules" / "ecovid-1.0.0.json").read_text())


def breath(level: str) -> dict:
    return {"dyspnee": level, "dyspnee__evol": "stable", "dyspnee__habit": True}


FEVER = {"temp": 39.2, "fievre__resist": False}
ILL = {**FEVER, "fatigue": "alite", "general": "pire"}
# What four adults say, five answers each; the alert of the second is taken, that of the third taken and called.
STORIES = [
    [{}, FEVER, {"dyspnee": "3", "dyspnee__evol": "pire"}, {"general": "pire"}, ILL],
    [{}, FEVER, FEVER, {}, {}],
    [FEVER, FEVER, breath("2"), FEVER, FEVER],
    [FEVER, {}, FEVER, FEVER, {"hospit": "urgences", "hospit__lieu": "Hôpital"}],
]


def edited(rule: str, **changes: object) -> dict:
    """The first rule set with one rule changed; None takes it out."""
    source = copy.deepcopy(SOURCE)
    source["rules"] = [{**one, **changes} if one["id"] == rule else one for one in source["rules"]]
    return source


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def region(now):
    """Answers of eight days in two cells, and a contact who becomes a case."""
    cells = [make_cell() for _ in range(2)]
    for number, story in enumerate(STORIES):
        cell, member = cells[number % 2]
        patient = make_patient(birth_date=now.date() - timedelta(days=365 * (30 + 15 * number)))
        scene = make_follow_up(
            cell=cell, member=member, patient=patient, day=9, risk=("standard", "eleve", "tres-eleve")[number % 3],
            facts={"diabetes": True, "baseline": 96.0} if number % 2 else {},
        )  # fmt: skip
        for days, signs in zip((8, 6, 4), story[:3], strict=True):
            reply(scene, at=now - timedelta(days=days), **signs)
        if (alert := alerts.open_alert(scene.follow_up)) and number in (1, 2):
            doctor = actor_for(member)
            alert = alerts.take(actor=doctor, alert=alert)
            if number == 2:
                alert = alerts.call(actor=doctor, alert=alert)
                alerts.note_call(actor=doctor, alert=alert, outcome="joint")
        for hours, signs in zip((3, 1), story[3:], strict=True):
            reply(scene, at=now - timedelta(hours=hours), **signs)
    person = make_follow_up(cell=cells[0][0], member=cells[0][1], status="contact", rhythm="contact", day=5)
    contact_reply(person, now - timedelta(days=3), temp=38.4)
    person.follow_up.refresh_from_db()
    reply(person, at=now - timedelta(days=2), temp=38.6)
    return cells


ANSWERS = 22


@pytest.mark.req("EC-06")
def test_a_replay_says_of_each_answer_what_the_live_rules_said(region, now):
    """Of answers taken in hand, called about, and of a contact who became a case too."""
    sets = rules.read(SOURCE)
    stories = replay.prepare(replay.read(sets, since=now - timedelta(days=14), until=now), sets)
    rows = replay.judge(stories, sets)
    fired = {row["id"]: row for row in rows.iter_rows(named=True)}
    known = {rule.id for one in sets.values() for rule in one.rules}
    live = list(Judgement.objects.all())
    assert len(live) == len(fired) == ANSWERS
    for one in live:
        again = fired[str(one.response_id)]
        assert (again["level"], {name for name in known if again[name]}) == (one.level, set(one.fired))
    said = [(rule, one.level) for one in live for rule in one.fired]
    assert {"AC04", "AC06", "AC09", "CT01", "AR01", "AO15"} <= {rule for rule, _level in said}
    silent = [one for one in live if one.follow_up.alerts.filter(calls__outcome="joint") and "AC06" not in one.fired]
    # The third answer in a row escalated, then a doctor had called; the fifth did again, since nobody did after the fourth.
    assert len(silent) == len(STORIES[2]) - 2


@pytest.mark.req("EC-06")
def test_a_lower_threshold_gains_alerts_by_level_by_cell_and_by_hour(region, now):
    """The same change seen from the other side loses them; a set against itself changes nothing; twice is the same."""
    looser = edited("AR07", expression="ad.temp >= 36.5")
    found, again = (replay.run(before=SOURCE, after=looser, until=now) for _ in range(2))
    assert found == again
    assert (found.answers, found.patients) == (ANSWERS, 5)
    back = replay.run(before=looser, after=SOURCE, until=now)
    gained = replay.total(found.levels, lambda before, after: before == "vert" and after == "rouge")
    assert gained > 0
    assert sum(cell["gained"] for cell in found.cells) == sum(cell["lost"] for cell in back.cells) >= gained
    assert len(found.cells) == 2
    assert (replay.reds_lost(found.levels), replay.reds_lost(back.levels) >= gained) == (0, True)
    by_rule = {one["id"]: one for one in found.rules}
    assert by_rule["AR07"] == {"id": "AR07", "before": 0, "after": ANSWERS - 1}  # the contact has another form
    assert sum(one["after"] for one in found.hours) > sum(one["before"] for one in found.hours)
    assert [one["hour"] for one in found.hours] == list(range(24))
    same = replay.run(before=SOURCE, after=SOURCE, until=now)
    assert all(before == after for before, after, _many in same.levels)
    assert all(one["before"] == one["after"] for one in same.rules)
    _history_alone(now)


def _history_alone(now):
    """Before the days of the replay; progress is told in steps; a rule that the other set lacks counts on one side."""
    told = []
    without = {**SOURCE, "rules": [one for one in SOURCE["rules"] if one["id"] != "AO15"]}
    found = replay.run(before=SOURCE, after=without, until=now, days=1, on_step=told.append)
    assert told == list(range(1, replay.STEPS + 1))
    assert found.answers == 2 * len(STORIES)
    fired = {one["id"]: (one["before"], one["after"]) for one in found.rules}
    assert fired["AO15"] == (1, None)
    assert fired["AC06"][0] > 0  # of a streak that began before


def test_a_child_s_form_closed_on_the_eighteenth_birthday_is_judged_as_a_child_s():
    """Opened the evening before: live and in a replay the rules of the eldest children hold."""
    today = timezone.localdate()
    born = (
        today.replace(year=today.year - 18)
        if (today.month, today.day) != (2, 29)
        else today.replace(year=today.year - 18, day=28)
    )
    scene = make_follow_up(patient=make_patient(birth_date=born))
    form = Questionnaire.objects.filter(name="ecovid-suivi-enfant-d").latest("rank")
    asked = {item.link_id for item in form.form.walk()}
    said = courses.Child(courses.MILD, random.Random(1)).answers(3, "d", asked) | {"en.fr": [25], "en.temp": [37.0]}
    said = {name: value for name, value in said.items() if name not in ("en.temp.duree", "en.pims")}
    judged = answers.answer(
        actor=scene.holder, follow_up=scene.follow_up, questionnaire=form, answers=said, request_key=uuid4(),
        times=Times(started_at=timezone.now()),
    )  # fmt: skip
    assert judged.fired == ["CR12", "CR12-rouge"]
    sets = rules.read(SOURCE)
    stories = replay.prepare(replay.read(sets, since=timezone.now() - timedelta(days=1), until=timezone.now()), sets)
    assert replay.judge(stories, sets).select("CR12-rouge").item() is True


def test_no_answer_at_all_is_a_comparison_too():
    found = replay.run(before=SOURCE, after=edited("AR07", level="orange"))
    assert (found.answers, found.levels, found.cells) == (0, [], [])


def test_a_rule_that_cannot_be_computed_is_refused_before_anything_is_read():
    with pytest.raises(Refused, match="AR07"):
        replay.run(before=SOURCE, after=edited("AR07", expression="ad.temperature >= 40"))
