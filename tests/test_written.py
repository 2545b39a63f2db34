"""core.written: a question whose SQL is written once answers everybody with their own rows."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models import Prefetch, Q
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from relais.accounts.models import Membership, Role
from relais.accounts.testing import actor_for, make_establishment, make_member
from relais.core.doors import any_of
from relais.core.written import MOST, written
from relais.directory.models import Establishment
from relais.dossiers.models import Step
from relais.expertise.models import Seen

HOUR = timedelta(hours=1)


@written
def colleagues(actor, before, *, role=""):
    """Who works where the actor does, since an hour before a moment; managers see everybody's."""
    here = Q() if actor.has_role(Role.MANAGER) else Q(establishment_id=actor.here)
    rows = Membership.objects.filter(here, created_at__lt=before - HOUR, **({"role": role} if role else {}))
    return rows.select_related("user").order_by("pk")


@written
def those(ids):
    return Membership.objects.filter(any_of("pk", ids)).order_by("pk")


@pytest.mark.django_db
def test_each_asks_the_same_question_with_their_own_ids_and_moments() -> None:
    one, other = make_member(role="practitioner"), make_member(role="practitioner")
    later = timezone.now() + 2 * HOUR
    assert colleagues(actor_for(one), later) == [one]
    assert colleagues(actor_for(other), later) == [other], "kept SQL, other values"
    assert colleagues(actor_for(one), timezone.now()) == [], "what is added to a moment is added to each"
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert colleagues(actor_for(one), later)[0].user.family_name == one.user.family_name
    assert len(asked) == 1, "related rows come along"


@pytest.mark.django_db
def test_roles_and_words_are_asked_in_sql_of_their_own() -> None:
    place = make_establishment()
    doctor, manager = make_member(place, role="practitioner"), make_member(place, role="manager")
    elsewhere = make_member(role="practitioner")
    later = timezone.now() + 2 * HOUR
    assert set(colleagues(actor_for(doctor), later)) == {doctor, manager}
    assert {doctor, manager, elsewhere} <= set(colleagues(actor_for(manager), later))
    assert colleagues(actor_for(doctor), later, role="manager") == [manager]
    assert colleagues(actor_for(doctor), later, role="practitioner") == [doctor]


@pytest.mark.django_db
def test_lists_of_any_length_are_one_question() -> None:
    rows = sorted((make_member(role="practitioner") for _n in range(3)), key=lambda one: one.pk)
    ids = [one.pk for one in rows]
    assert [those(ids[:n]) for n in range(4)] == [rows[:n] for n in range(4)]


@pytest.mark.django_db
def test_an_empty_list_asks_nothing_before_and_after_a_full_one(django_assert_num_queries) -> None:
    row = make_member()
    for _time in range(2):
        with django_assert_num_queries(0):
            assert those([]) == []
        assert those([row.pk]) == [row]


def one_by_one(ids, now):
    return Membership.objects.filter(pk__in=ids)


def clock(ids, now):
    return Membership.objects.filter(created_at__lt=timezone.now())


def today(ids, now):
    return Membership.objects.filter(created_at__date=timezone.localdate())


def closure(ids, now):
    return Membership.objects.filter(pk=uuid4())


def list_of_a_closure(ids, now):
    return Membership.objects.filter(any_of("pk", [uuid4()]))


def as_text(ids, now):
    return Membership.objects.filter(role=str(ids[0]))


def in_json(ids, now):
    return Step.objects.filter(data={"service": str(ids[0])})


def asking(ids, now):
    return Membership.objects.filter(role__in=list(Membership.objects.values_list("role", flat=True)))


def unordered(ids, now):
    return Seen.objects.filter(at__lt=now)


def related(ids, now):
    return Establishment.objects.prefetch_related(Prefetch("memberships", Membership.objects.filter(any_of("pk", ids))))


@pytest.mark.django_db
@pytest.mark.parametrize(
    "build", [one_by_one, clock, today, closure, list_of_a_closure, as_text, in_json, asking, unordered, related]
)
def test_what_would_be_kept_for_everybody_is_refused_at_the_first_asking(build) -> None:
    """Also where no test asks: the refusal does not depend on the check that tests add."""
    with pytest.raises(TypeError):
        written(build)([make_member().pk], timezone.now())


@pytest.mark.django_db
@pytest.mark.parametrize("given", [datetime(2026, 11, 22), {}, Membership()])  # noqa: DTZ001  it is refused
def test_what_is_no_plain_argument_is_refused(given) -> None:
    with pytest.raises(TypeError):
        written(lambda ids, now: Membership.objects.all())([], given)


@pytest.mark.django_db
def test_what_depends_on_a_moment_otherwise_is_found_by_a_test_that_asks_twice() -> None:
    rows = written(lambda now: Membership.objects.filter(role="manager" if now.microsecond else "caregiver"))
    with pytest.raises(AssertionError, match="belongs to one asking"):
        rows(timezone.now().replace(microsecond=1))


@pytest.mark.django_db
def test_questions_of_more_shapes_than_are_kept_are_still_answered() -> None:
    row = make_member()
    rows = written(lambda ids, word: Membership.objects.filter(any_of("pk", ids)).exclude(role=word))
    assert all(rows([row.pk], f"r{n}") == [row] for n in range(MOST + 5))


@pytest.mark.django_db
def test_where_nothing_can_be_found_nothing_is_asked(django_assert_num_queries) -> None:
    nobody = written(lambda actor: Membership.objects.filter(user=actor.me).none())
    actor = actor_for(make_member())
    with django_assert_num_queries(0):
        assert nobody(actor) == nobody(actor) == []


@pytest.mark.django_db(transaction=True)
def test_threads_that_ask_at_once_each_get_their_own() -> None:
    rows = [make_member(role="practitioner") for _n in range(6)]
    later = timezone.now() + 2 * HOUR

    def ask(one) -> bool:
        try:
            return all(colleagues(actor_for(one), later) == [one] for _time in range(20))
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(ask, rows))
