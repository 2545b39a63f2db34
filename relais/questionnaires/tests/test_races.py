"""Two requests at the same moment, with real threads on the real database."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.utils import timezone

from relais.core.actor import PATIENT, Actor
from relais.core.errors import Refused
from relais.questionnaires import actions, queries
from relais.questionnaires.models import Questionnaire, Response
from relais.questionnaires.tests.make import resource, temperature

pytestmark = pytest.mark.django_db(transaction=True)
ABOUT = UUID(int=1)
ACTOR = Actor(kind=PATIENT, grant_id=UUID(int=3))


@pytest.fixture
def form() -> Questionnaire:
    actions.load(resources=[resource(temperature())])
    return queries.current("essai")


def at_once(count: int, form: Questionnaire, **more: Any) -> list[Any]:
    """What as many threads get that answer together: an Answered, or what was refused."""
    start = Barrier(count)

    def one(_number: int) -> Any:
        given = {"request_key": uuid4(), "times": actions.Times(timezone.now())} | more
        start.wait()
        try:
            return actions.answer(actor=ACTOR, about=ABOUT, questionnaire=form, answers={"temp": ["38"]}, **given)
        except Refused as refused:
            return refused
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def test_the_same_request_five_times_at_once_is_one(form: Questionnaire) -> None:
    got = at_once(5, form, request_key=UUID(int=2))
    assert sorted(each.is_new for each in got) == [False, False, False, False, True]
    assert Response.objects.count() == 1


def test_of_two_corrections_at_once_one_is_refused(form: Questionnaire) -> None:
    (first,) = at_once(1, form)
    got = at_once(2, form, replaces=first.response)
    assert sorted(isinstance(each, Refused) for each in got) == [False, True]
    assert Response.objects.count() == 2


def test_the_forms_of_the_site_are_there_after_every_wipe(form: Questionnaire) -> None:
    """Tests that commit wipe all tables at their end: what every migrate brings comes back with them."""
    assert set(queries.names()) == {"essai", *(path.stem for path in actions.installed())}
