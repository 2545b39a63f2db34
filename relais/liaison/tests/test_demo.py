"""The demo region's requests: the shares of domain.md §9.5, answers that the form takes."""

import random
from collections import Counter
from datetime import date, timedelta
from math import sqrt
from statistics import median
from types import SimpleNamespace

import pytest
from django.utils import timezone

from relais.accounts import demo as accounts
from relais.accounts.models import User
from relais.core import demo
from relais.core.paris import PARIS
from relais.directory import demo as directory
from relais.directory.models import Department, Establishment, Kind, Need, Service
from relais.liaison.demo import (
    COUNT,
    DAYS,
    MOTIVES,
    URGENCY,
    Maker,
    Rows,
    build,
    draw,
    moment,
    outbreaks,
    residents,
)
from relais.liaison.models import Code, Decision, Departure, Dlu, HospitalTransfer, Request
from relais.notifications.models import Message
from relais.oncall import demo as oncall
from relais.oncall import queries
from relais.oncall.models import Cover
from relais.patients import demo as patients
from relais.patients.models import Patient
from relais.questionnaires import logic
from relais.questionnaires.models import Questionnaire
from relais.questionnaires.testing import form


@pytest.mark.req("FG-11")
def test_a_thousand_requests_have_the_shares_of_the_first_wave():
    """Urgency 8/34/38/20, dyspnoea 38 %, fever 22 %, SpO2 around 91, 78 % by day."""
    rng, now = random.Random(1), timezone.now()
    drawn = [draw(rng, moment(rng, now, 9)) for _one in range(1_000)]
    for name, shares in (("fg.urgence", URGENCY), ("fg.motif", MOTIVES)):
        counted = Counter(one[name][0] for one in drawn)
        for code, share in shares.items():
            assert abs(counted[code] / 10 - share) < 5, code
    assert abs(sum(one["fg.spo2"][0] for one in drawn) / 1_000 - 91) < 1
    by_day = sum(8 <= moment(rng, now, 9).astimezone(PARIS).hour < 19 for _one in range(1_000))
    assert abs(by_day / 10 - 78) < 5


class InMemory(Maker):
    """Builds without a database: one service whose doctor answers, residents who live."""

    def __init__(self, rng: random.Random) -> None:
        self.region = demo.Region(size="region", now=timezone.now(), places={"nursing_home": None})
        self.rng, self.rows, self.form = rng, Rows(), Questionnaire()
        self.night = Service(establishment=Establishment())
        self.covers, self.pools = {}, {self.night.pk: [User()]}
        self.old, self.number, self.elsewhere, self.dead = [Patient()], 0, 0, []


@pytest.mark.req("FG-11")
def test_the_first_decisions_and_the_re_evaluations_that_are_built_have_the_shares_of_the_first_wave():
    """Stay 22, treatment or oxygen 34, comfort 13, care at home 7, direct admission 12, SAMU 9, other 3 %; re-evaluated 1.7 times;
    taken in 14 min at the median. Each within four standard deviations of a fair drawing."""
    maker, count, home = InMemory(random.Random(6)), 3_000, Establishment()
    for _one in range(count):
        maker._past(home, moment(maker.rng, maker.region.now, 40))
    by_request: dict[Request, list[Decision]] = {}
    for one in sorted(maker.rows.decisions, key=lambda one: one.created_at):
        by_request.setdefault(one.demand, []).append(one)
    assert len(by_request) == count
    first = Counter(decisions[0].code for decisions in by_request.values())
    known = {
        22: (Code.STAY,), 34: (Code.TREAT, Code.OXYGEN), 13: (Code.COMFORT,), 7: (Code.HAD,), 12: (Code.GERIATRICS,),
        9: (Code.SAMU,),
    }  # fmt: skip
    said = {codes: percent / 100 for percent, codes in known.items()}
    said[tuple(first.keys() - {code for codes in said for code in codes})] = 0.03
    for codes, share in said.items():
        found = sum(first[code] for code in codes) / count
        assert abs(found - share) < 4 * sqrt(share * (1 - share) / count), codes
    assert abs(len(maker.rows.decisions) / count - 1 - 1.7) < 0.1
    waited = [(one.taken_at - one.submitted_at) / timedelta(minutes=1) for one in maker.rows.requests]
    assert abs(median(waited) - 14) < 1


@pytest.mark.req("FG-11")
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_homes_in_an_outbreak_ask_three_to_eight_times_ten_a_day_some_forty_at_the_peak(seed):
    ill = outbreaks(random.Random(seed), 1_000)
    assert {len(days) for days in ill[:-1]} == set(range(3, 9))
    assert all(max(days) - min(days) < 7 and min(days) >= 2 for days in ill)
    by_day = Counter(day for days in ill for day in days)
    assert (sum(by_day.values()), max(by_day) < DAYS) == (1_000, True)
    assert 30 <= max(by_day.values()) <= 50


@pytest.mark.req("FG-11")
def test_residents_are_some_87_years_old_and_three_in_four_are_women():
    rng, today = random.Random(4), date(2026, 11, 22)
    people = [
        SimpleNamespace(pk=number, sex=rng.choice("FM"), birth_date=today - timedelta(days=rng.randrange(36_500)))
        for number in range(35_000)
    ]
    chosen = residents(rng, people, 1_000, today)
    assert len({one.pk for one in chosen}) == 1_000
    ages = [(today - one.birth_date).days / 365.25 for one in chosen]
    assert 85 < sum(ages) / 1_000 < 89
    assert 0.7 < sum(one.sex == "F" for one in chosen) / 1_000 < 0.78
    few = people[:10]
    assert {one.pk for one in residents(rng, few, 40, today)} == {one.pk for one in few}


@pytest.mark.django_db
@pytest.mark.req("FG-11", "TE-02")
def test_the_network_of_the_region_is_built_with_every_nursing_home_answered():
    """domain.md §3.1, §9.1: 1,200 establishments of which 696 nursing homes, 28 on-calls, 8 SAMU, one night duty; each home
    has its on-call, another that stands in, and the SAMU of its department."""
    region = demo.Region(size="region", now=timezone.now())
    directory.build(region, random.Random(1))
    demo.insert(covers := oncall._covers(region, random.Random(2)))
    built = Counter(Establishment.objects.values_list("kind", flat=True))
    assert (sum(built.values()), built[Kind.EHPAD], built[Kind.SAMU]) == (1_200, 696, 8)
    assert Counter(Establishment.objects.filter(kind=Kind.EHPAD).values_list("department", flat=True)) == {
        "75": 75, "77": 106, "78": 107, "91": 98, "92": 107, "93": 62, "94": 72, "95": 69,
    }  # fmt: skip
    offered: dict[str, Counter[str]] = {need: Counter() for need in Need.values}
    for need, departments in Service.objects.values_list("need", "departments"):
        offered[need].update(departments)
    assert offered[Need.GERIATRIC] == {"75": 5, "77": 3, "78": 4, "91": 3, "92": 4, "93": 3, "94": 3, "95": 3}
    assert offered[Need.SAMU] == offered[Need.NIGHT] == Counter(Department.values)
    assert Service.objects.filter(need=Need.NIGHT).count() == 1
    for cover in covers:
        assert cover.primary.departments == [cover.establishment.department]
        assert (cover.backup.need, cover.backup.pk != cover.primary.pk) == (Need.GERIATRIC, True)
    homes = {one.department: one for one in region.establishments if one.kind == Kind.EHPAD}
    for department, home in homes.items():
        lines = [one for one in queries.route(home, timezone.now()) if one.rank == "samu"]
        assert [one.service.departments for one in lines] == [[department]]
    assert Cover.objects.filter(establishment__kind=Kind.EHPAD).exclude(backup=None).count() == 696


def test_a_smaller_region_keeps_every_department_and_the_whole_one_the_volumes_of_the_scheme():
    """domain.md §9.4, §9.5: 1,000 requests, 50,000 teleconsultations."""
    assert set(directory._homes(30)[:8]) == set(Department.values)
    assert COUNT["region"] == 1_000
    assert demo.SIZES["region"].teleconsultations == 50_000


@pytest.mark.django_db
def test_a_quarter_of_the_residents_die_within_a_month_and_nothing_is_told_of_them_afterwards(monkeypatch):
    """domain.md §9.5: death within 30 days 24 %. A request that a death ends says so, and where."""
    monkeypatch.setitem(COUNT, "small", 300)
    region, now = demo.Region(size="small", now=timezone.now()), timezone.now()
    for part in (directory, accounts, patients, oncall):
        part.build(region, random.Random(5))
    region.dying += [region.patients.pop() for _one in range(90)]
    build(region, random.Random(5))
    rows = list(Request.objects.select_related("patient", "establishment").order_by("pk"))
    away = [one for one in rows if one.establishment != region.places["nursing_home"]]
    dead = [one for one in rows if one.patient.deceased_on]
    assert len({one.patient_id for one in dead}) == len(dead) == Patient.objects.exclude(deceased_on=None).count() - 1
    old = [one for one in away if one.submitted_at < now - timedelta(days=31)]
    assert 0.2 < sum(bool(one.patient.deceased_on) for one in old) / len(old) < 0.28
    by_death = [one for one in rows if one.closing.startswith("deces")]
    assert 0 < len(by_death) < len(dead)
    told = dict(Departure.objects.filter(kind="died").values_list("demand", "at"))
    assert told == {one.pk: one.closed_at for one in by_death}
    for one in dead:
        asked, ended = one.submitted_at.astimezone(PARIS).date(), one.closed_at.astimezone(PARIS).date()
        assert asked <= one.patient.deceased_on <= asked + timedelta(days=30)
        assert (one.state, one.review_at, ended <= one.patient.deceased_on) == ("cloturee", None, True)
        assert one in by_death or one.patient.deceased_on >= ended
    last = dict(Decision.objects.order_by("created_at").values_list("demand", "created_at"))
    assert all(last[one.pk] < one.closed_at for one in by_death)
    day = {one.patient_id: one.patient.deceased_on for one in dead}
    for dlu in Dlu.objects.filter(patient__in=day):
        assert dlu.updated_at.astimezone(PARIS).date() <= day[dlu.patient_id]
    for transfer in HospitalTransfer.objects.filter(patient__in=day):
        assert (transfer.returned_at or transfer.departed_at).astimezone(PARIS).date() <= day[transfer.patient_id]
    assert not Message.objects.exists()


def test_every_invented_answer_is_one_that_the_form_takes():
    rng, asked = random.Random(2), form("liaison", "filgeria-demande")
    for _one in range(50):
        checked = logic.check(asked, draw(rng, timezone.now()), timezone.localdate())
        assert checked.errors == {}
