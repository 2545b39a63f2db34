"""The follow-ups of the demo region: answers that the forms accept, alerts that a newcomer can handle at once."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any
from unittest.mock import patch

import pytest
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from relais.accounts import demo as accounts
from relais.accounts.demo import PERSONAS
from relais.accounts.models import User
from relais.accounts.testing import actor_for
from relais.core.demo import Region
from relais.directory import demo as directory
from relais.patients import demo as patients
from relais.patients.models import CareLink
from relais.questionnaires import logic
from relais.questionnaires.columns import values
from relais.questionnaires.models import Response
from relais.telemonitoring.actions.answers import context_of, decide
from relais.telemonitoring.demo import build, courses, people
from relais.telemonitoring.demo.cells import FIRST
from relais.telemonitoring.models import Alert, Cell, FollowUp, Judgement
from relais.telemonitoring.tests.test_rules import SETS
from relais.telemonitoring.workflow import OPEN

NOVEMBER = datetime(2026, 11, 1, 9, tzinfo=UTC)
HOME = "Cellule COVID de l’hôpital"


@pytest.mark.django_db
def test_the_small_region_has_a_cell_at_work() -> None:
    call_command("demo_region", size="small", seed=1, stdout=StringIO())
    doctor = User.objects.get(email=next(one.email for one in PERSONAS if one.key == "doctor"))
    seen = FollowUp.objects.visible_to(actor_for(doctor.memberships.get()))
    assert seen.count() > 10
    alerts = Counter(Alert.objects.filter(follow_up__in=seen).values_list("level", "state"))
    assert alerts["rouge", "new"] >= 1
    assert {state for _level, state in alerts} >= {"new", "taken", "reached", "unreached"}
    in_vain = Alert.objects.get(follow_up__in=seen, next_called="patient")
    assert sorted(in_vain.calls.values_list("called", flat=True)) == ["patient"] * 3 + ["verification"]
    assert CareLink.objects.filter(basis="circle", about__in=seen.values("pk")).count() == 6
    assert Response.objects.filter(received_at__gt=timezone.now()).count() == 0
    for follow_up in seen.select_related("dossier__patient"):
        for response in Response.objects.filter(about=follow_up.pk).select_related("questionnaire"):
            form = response.questionnaire.form
            known = {item.link_id for item in form.context}
            context = {name: value for name, value in context_of(follow_up).items() if name in known}
            assert logic.check(form, {**response.answers, **context}, timezone.localdate()).errors == {}


PARTS = (directory, accounts, patients)


def built(count: int, seed: int = 7) -> Region:
    """A small region around follow-ups of eight months, drawn as those of the whole region are."""
    region, rng = Region(size="small", now=timezone.now()), random.Random(seed)
    for part in PARTS:
        part.build(region, random.Random(rng.getrandbits(64)))
    region.size = "region"
    build(region, rng, count=count)
    return region


@pytest.mark.django_db
@pytest.mark.req("EC-13", "EC-14", "EC-16", "EC-17")
def test_the_region_s_follow_ups_are_judged_by_the_rules_and_handled_by_their_cells() -> None:
    built(90)
    assert FollowUp.objects.count() == 90
    assert set(Cell.objects.values_list("kind", flat=True)) >= {"hospital", "centre", "regional"}
    first = Cell.objects.filter(establishment__department__in=FIRST).exclude(kind="regional")
    later = Cell.objects.exclude(establishment__department__in=FIRST).exclude(name__in=("Cellule régionale", HOME))
    assert max(first.values_list("created_at", flat=True)) < min(later.values_list("created_at", flat=True))
    assert not Cell.objects.filter(members=None).exists()
    closed = FollowUp.objects.filter(state="closed").select_related("cell", "dossier__patient")
    assert len(closed) > 40
    assert not closed.filter(closing="").exists()
    assert not closed.exclude(dossier__phase="closed").exists()
    assert not closed.filter(alerts__state__in=OPEN).exists()
    names = set(Judgement.objects.values_list("response__questionnaire__name", flat=True))
    assert {"ecovid-suivi-adulte", "ecovid-suivi-contact"} < names
    assert any(name.startswith("ecovid-suivi-enfant") for name in names)
    for one in closed[:12]:
        kept = one.judgements.select_related("response").last()
        if kept:
            decision = decide(one, kept.response, kept.response.ended_at)
            assert (kept.level, kept.fired) == (decision.level, list(decision.fired))


@pytest.mark.req("EC-17")
def test_what_people_answer_raises_about_as_many_alerts_as_the_plan_of_the_data() -> None:
    """domain.md §9.2: 24 % with an orange answer, 8 % with a red one, among children and those who forget; of adults who
    answer each day from J2 to J14, a third and a tenth."""
    rng, given = random.Random(3), []
    for number in range(400):
        kind = rng.choices(list(courses.SHARES), list(courses.SHARES.values()))[0]
        course = None if kind == courses.CONTACT else courses.Course(kind, rng, oximeter=rng.random() < 0.6)
        for day in range(2, 15) if course else ():
            at = NOVEMBER + timedelta(days=day)
            known = {"episode": str(number), "at": at, "date": at.date(), "day": day, "age": 45, "risk": "standard"}
            given.append(known | values(SETS["adult"].answers, course.answers(day)))
    judged = SETS["adult"].judged(given)
    shares = {
        level: judged.filter(judged["level"] == level)["episode"].n_unique() / 400 for level in ("orange", "rouge")
    }
    assert 0.27 < shares["orange"] < 0.4
    assert 0.06 < shares["rouge"] < 0.14


@pytest.mark.req("EC-17")
def test_few_people_fall_silent_and_for_long() -> None:
    """domain.md §9.2: 86 % of the answers come; three patients in ten miss one, in one silence or two."""
    rng, came, missed, silences = random.Random(3), 0, 0, []
    for _number in range(2_000):
        regular, left, begun = rng.random() < courses.REGULAR, 0, 0
        for window in range(20):
            before, left = left, max(0, left - 1) or courses.silence(rng, window * 14 // 20, regular=regular)
            begun += bool(left and not before)
            missed, came = missed + bool(left), came + (not left)
        silences.append(begun)
    assert 0.83 < came / (came + missed) < 0.89
    assert 0.27 < sum(map(bool, silences)) / 2_000 < 0.35
    assert sum(silences) / sum(map(bool, silences)) < 2


@pytest.mark.django_db
@pytest.mark.req("EC-09")
def test_a_child_who_comes_of_age_on_the_way_answers_the_adult_s_form(monkeypatch: pytest.MonkeyPatch) -> None:
    region, rng = Region(size="small", now=timezone.now()), random.Random(5)
    for part in PARTS:
        part.build(region, random.Random(rng.getrandbits(64)))
    today = timezone.localdate()
    for number, one in enumerate(region.patients[1:80]):
        one.birth_date = today - timedelta(days=18 * 365 + 6 + number % 7)
    monkeypatch.setattr(people, "AGES", [(18 * 365 - 30, 18 * 365 + 40, 1)] * 7)
    build(region, rng, count=24)
    names = set(Judgement.objects.values_list("follow_up", "response__questionnaire__name"))
    both = {pk for pk, name in names if name == "ecovid-suivi-enfant-d"} & {
        pk for pk, name in names if name == "ecovid-suivi-adulte"
    }
    assert both


@pytest.mark.django_db
def test_one_seed_is_one_region() -> None:
    def told() -> list[Any]:
        with transaction.atomic():
            built(20)
            found = list(Alert.objects.order_by("pk").values_list("pk", "level", "state", "taken_by__email"))
            found += Response.objects.order_by("pk").values_list("pk", "answers")
            transaction.set_rollback(True)
        return found

    moment = timezone.now()
    with patch.object(timezone, "now", lambda: moment):
        assert told() == told()
