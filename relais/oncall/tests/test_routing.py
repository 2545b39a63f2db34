"""Who is asked for a nursing home, at any moment of the year (domain.md §3.4)."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from relais.accounts.testing import actor_for, client_of, make_establishment, make_member
from relais.core.paris import PARIS
from relais.oncall import changes, queries
from relais.oncall.actions import watch
from relais.oncall.hours import Span, doubled, is_day, next_boundary, opening_spans, uncovered
from relais.oncall.models import ToldGap
from relais.oncall.testing import cover, join, make_pool, make_service, make_slot

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 25, 11, tzinfo=UTC)  # a Wednesday, 12:00 in Paris
NIGHT = datetime(2026, 11, 25, 22, tzinfo=UTC)
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)  # the days whose night has one hour less, one hour more
HALF = timedelta(hours=5)


def paris(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), tzinfo=PARIS)


def who(duties: list[queries.Duty]) -> list[tuple[str, str]]:
    return [(duty.user.family_name if duty.user else duty.name, duty.rank) for duty in duties]


@pytest.fixture
def region():
    """A nursing home of Paris with its on-call, the one that stands in, the night duty and the SAMU: all named now."""
    home = make_establishment(kind="ehpad")
    own, other = make_service(name="Secteur 1"), make_service(name="Secteur 2")
    night, samu = make_service("night", departments=["75", "92"]), make_service("samu", name="SAMU 75")
    cover(home, own, other)
    people = {}
    for service, first, second in ((own, "Albert", "Bernard"), (other, "Colin", "Durand"), (night, "Nadeau", "Noir")):
        doctor, backup = make_pool(service, first, second)
        people[first], people[second] = doctor, backup
        make_slot(service, doctor, NOON - HALF, NIGHT + HALF, backup)
    return home, own, other, night, samu, people


@pytest.mark.req("FG-08")
def test_by_day_its_own_on_call_is_asked_then_the_one_that_stands_in_then_the_samu(region) -> None:
    home, *_ = region
    assert who(queries.route(home, NOON)) == [
        ("Albert", "primary"), ("Bernard", "backup"), ("Colin", "other_service"), ("Durand", "other_service"),
        ("SAMU 75", "samu"),
    ]  # fmt: skip


@pytest.mark.req("FG-08")
def test_by_night_the_regional_night_duty_is_asked_then_the_samu(region) -> None:
    home, *_ = region
    assert who(queries.route(home, NIGHT)) == [("Nadeau", "night"), ("Noir", "backup"), ("SAMU 75", "samu")]


def test_an_absent_doctor_is_skipped_and_one_who_left_too(region) -> None:
    home, own, other, _night, _samu, people = region
    own.slots.update(state="absent")
    assert who(queries.route(home, NOON))[0] == ("Bernard", "backup")
    ended = people["Bernard"]
    ended.ended_at = NOON
    ended.save(update_fields=["ended_at"])
    assert who(queries.route(home, NOON))[0] == ("Colin", "other_service")
    other.slots.all().delete()
    assert who(queries.route(home, NOON)) == [("SAMU 75", "samu")]


def test_a_nursing_home_without_an_on_call_is_answered_by_those_of_its_department(region) -> None:
    _home, own, *_ = region
    stranger = make_establishment(kind="ehpad")
    assert who(queries.route(stranger, NOON))[0] == ("Albert", "other_service")
    own.active = False
    own.save(update_fields=["active"])
    assert who(queries.route(stranger, NOON))[0] == ("Colin", "other_service")
    assert queries.route(make_establishment(kind="ehpad", department="77"), NOON) == []


def test_somebody_on_duty_twice_is_asked_once(region) -> None:
    home, _own, other, _night, _samu, people = region
    join(other, people["Albert"])
    make_slot(other, people["Albert"], NOON - HALF - HALF, NIGHT)
    found = who(queries.route(home, NOON))
    assert [name for name, _rank in found].count("Albert") == 1
    assert found[0] == ("Albert", "primary")


def test_the_route_takes_the_same_number_of_queries_for_any_region(region, django_assert_max_num_queries) -> None:
    home, *_ = region
    with django_assert_max_num_queries(3):
        queries.route(home, NOON)


def test_services_of_somebody_are_those_for_which_they_answer_here(region) -> None:
    _home, own, *_, people = region
    assert list(queries.services_of(actor_for(people["Albert"]))) == [own]
    assert list(queries.services_of(actor_for(make_member(own.establishment, role="manager")))) == []
    assert [one.user.family_name for one in queries.members(own)] == ["Albert", "Bernard"]


@settings(max_examples=60, deadline=None)
@given(minutes=st.integers(0, 2 * 366 * 24 * 60))
def test_each_moment_of_a_year_is_day_or_night_until_its_next_boundary(minutes: int) -> None:
    """A property: nothing changes before the boundary, everything at it, and it is 08:00 or 19:00 on a clock in Paris."""
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    boundary = next_boundary(moment)
    assert moment < boundary <= moment + timedelta(hours=14)
    assert is_day(boundary - timedelta(seconds=1)) == is_day(moment) != is_day(boundary)
    assert boundary.astimezone(PARIS).strftime("%H:%M") in ("08:00", "19:00")


@pytest.mark.parametrize(("day", "hours"), [(SPRING, 12), (AUTUMN, 14), (date(2026, 6, 1), 13)])
def test_the_night_of_a_clock_change_is_an_hour_shorter_or_longer(day: date, hours: int) -> None:
    evening = paris(day - timedelta(days=1), 19)
    assert next_boundary(evening) - evening.astimezone(UTC) == timedelta(hours=hours)
    spans = opening_spans(time(19), time(8), evening, paris(day, 8))
    assert [span.length for span in spans] == [timedelta(hours=hours)]


@pytest.mark.parametrize("day", [SPRING, AUTUMN, date(2026, 6, 7)])
def test_a_rota_has_no_hole_on_the_days_on_which_its_service_does_not_answer(day: date) -> None:
    """From Friday to Monday noon, Sunday being `day`: the night of Friday ends on Saturday at 08:00."""
    friday = day - timedelta(days=2)
    start, end = paris(friday, 0), paris(day + timedelta(days=1), 12)
    week = list(range(5))
    night = make_service("night", days=week)
    assert queries.gaps(night, paris(friday, 12), end) == [
        Span(paris(friday, 19), paris(friday + timedelta(days=1), 8))
    ]
    around = make_service("samu", days=week)
    assert queries.gaps(around, start, end) == [
        Span(start, paris(friday + timedelta(days=1), 0)), Span(paris(day + timedelta(days=1), 0), end),
    ]  # fmt: skip
    assert queries.gaps(make_service("samu"), start, end) == [Span(start, end)]


@pytest.mark.parametrize("day", [SPRING, AUTUMN])
def test_at_every_moment_of_a_clock_change_exactly_the_one_on_duty_is_asked_first(day: date) -> None:
    """Two days and nights of a rota in hours of Paris: every hour of two days has its doctor, at 08:00 and 19:00 too."""
    home = make_establishment(kind="ehpad")
    own, night = make_service(), make_service("night")
    make_service("samu", name="SAMU 75")
    cover(home, own)
    by_day, by_night = make_pool(own, "Jour")[0], make_pool(night, "Nuit")[0]
    first = day - timedelta(days=1)
    for number in range(3):
        one = first + timedelta(days=number)
        make_slot(own, by_day, paris(one, 8), paris(one, 19))
        make_slot(night, by_night, paris(one, 19), paris(one + timedelta(days=1), 8))
    moment, end = paris(first, 8).astimezone(UTC), paris(day + timedelta(days=1), 8).astimezone(UTC)
    wrong = []
    while moment < end:
        expected = "Jour" if 8 <= moment.astimezone(PARIS).hour < 19 else "Nuit"
        if who(queries.route(home, moment))[0][0] != expected:
            wrong.append(moment)
        moment += timedelta(hours=1)
    assert wrong == []
    assert queries.gaps(own, paris(first, 8), end) == queries.gaps(night, paris(first, 19), end) == []


@pytest.mark.parametrize("day", [SPRING, AUTUMN])
def test_a_rota_with_a_hole_or_a_double_hour_on_the_night_of_a_clock_change_says_so(day: date) -> None:
    """Two halves of a night that were cut by hand in hours of duration: an hour too few in autumn, too many in spring."""
    night = make_service("night")
    one, two = make_pool(night, "Un", "Deux")
    evening, morning = paris(day - timedelta(days=1), 19).astimezone(UTC), paris(day, 8).astimezone(UTC)
    make_slot(night, one, evening, evening + timedelta(hours=6, minutes=30))
    make_slot(night, two, morning - timedelta(hours=6, minutes=30), morning)
    hour = [timedelta(hours=1)]
    assert [one.length for one in queries.gaps(night, evening, morning)] == ([] if day == SPRING else hour)
    referent = client_of(make_member(night.establishment, "manager"))
    page = referent.get(f"/astreintes/{night.pk}/?semaine={day - timedelta(days=6)}").content.decode()
    assert ("Couvert deux fois" in page, "Des heures sont couvertes deux fois" in page) == (day == SPRING,) * 2
    assert ("01:30 – 02:30</b> Personne" in page) == (day == AUTUMN)


def test_a_hole_of_fifteen_minutes_is_none_and_one_of_sixteen_is() -> None:
    wanted = [Span(NOON, NOON + HALF)]
    for minutes, holes in ((15, 0), (16, 1)):
        covered = [Span(NOON, NOON + timedelta(hours=1)), Span(NOON + timedelta(hours=1, minutes=minutes), NOON + HALF)]
        assert len(uncovered(wanted, covered)) == holes
        assert doubled(covered) == []


def test_who_is_absent_without_a_back_up_leaves_a_hole() -> None:
    service = make_service()
    doctor, backup = make_pool(service, "Albert", "Bernard")
    day = NOON.date()
    slot = make_slot(service, doctor, paris(day, 8), paris(day, 19), state="absent")
    window = (paris(day, 0), paris(day, 23))
    assert [one.length for one in queries.gaps(service, *window)] == [timedelta(hours=11)]
    slot.backup = backup.user
    slot.save(update_fields=["backup"])
    assert queries.gaps(service, *window) == []
    service.active = False
    assert queries.gaps(service, *window) == []


def test_what_must_follow_a_change_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[object] = []
    monkeypatch.setattr(changes, "_followers", [])
    changes.register(told.append)
    changes.register(told.append)
    service_id = uuid4()
    changes.tell(service_id)
    assert told == [service_id]


def test_a_rota_that_cannot_be_looked_at_keeps_no_other_from_its_referent(region, monkeypatch) -> None:
    _home, own, other, *_ = region
    plain = queries.gaps

    def broken(service, *span):
        if service == own:
            raise ZeroDivisionError
        return plain(service, *span)

    monkeypatch.setattr(queries, "gaps", broken)
    with pytest.raises(ExceptionGroup, match="could not be looked at"):
        watch.alert_gaps(NOON)
    told = set(ToldGap.objects.values_list("service", flat=True))
    assert (own.pk in told, other.pk in told) == (False, True)


@pytest.mark.req("TE-02")
def test_the_directory_says_who_answers_for_a_nursing_home_to_those_who_work_there_or_answer_for_homes(
    region, monkeypatch
) -> None:
    home, own, _other, _night, samu, _people = region
    monkeypatch.setattr(timezone, "now", lambda: NOON)
    asked = {"voir": "etablissements", "departement": "", "type": "ehpad"}
    first = make_establishment(kind="ehpad", department="75")
    nurse, neighbour = make_member(home, "caregiver"), make_member(first, "caregiver")
    (doctor,) = make_pool(own, "Zola")
    referent, regulator = make_member(own.establishment, "manager"), make_member(samu.establishment, "practitioner")
    samu.establishment.kind = "samu"
    samu.establishment.save(update_fields=["kind"])
    expert = make_pool(make_service("expert", specialty="Cardiologie"), "Ader")[0]
    for who_, rows in ((nurse, {home}), (doctor, {home, first}), (referent, {home, first}), (regulator, {home, first}),
                       (neighbour, {first}), (expert, set())):  # fmt: skip
        answer = client_of(who_).get("/annuaire/", asked)
        told = {one.pk: [duty.name.split(",")[0] for duty in one.asked] for one in answer.context["places"]}
        assert {pk for pk, names in told.items() if names} == {one.pk for one in rows}, who_.role
        if home in rows:
            assert "Albert" in told[home.pk][0]
            assert f"Albert, {own.name}&nbsp;:" in answer.content.decode()


def test_the_routes_of_three_nursing_homes_take_as_many_queries_as_that_of_one(
    region, django_assert_num_queries
) -> None:
    home, *_ = region
    others = [make_establishment(kind="ehpad") for _one in range(2)]
    alone = {one.pk: queries.route(one, NOON) for one in (home, *others)}
    with django_assert_num_queries(3):
        assert queries.routes([home, *others], NOON) == alone
