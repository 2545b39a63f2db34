"""One-time codes: 6 digits, 5 minutes, 5 tries, the last one only, single use, capped."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import transaction
from django.utils import timezone

from relais.core.errors import Refused
from relais.core.testing.races import at_once
from relais.notifications import actions, queries, vault
from relais.notifications.models import Message, OneTimeCode
from relais.notifications.testing import SmsGateway
from relais.notifications.tests.make import E164, PHONE
from relais.notifications.workflow import State

pytestmark = pytest.mark.django_db
HOLDER, ABOUT = uuid4(), uuid4()


def ask(holder: UUID = HOLDER, purpose: str = "prescription", **fields: Any) -> str:
    """Send a code; returns its digits, as the message in the outbox carries them."""
    words: dict[str, Any] = {"about": ABOUT, "channel": "sms", "address": PHONE, **fields}
    code = actions.send_code(holder_id=holder, purpose=purpose, **words)
    message = Message.objects.get(context={"code_id": str(code.pk)})
    return str(vault.unseal(message.secret or b"")["code"])


def give(code: str, holder: UUID = HOLDER, purpose: str = "prescription", about: UUID | None = ABOUT) -> None:
    actions.check_code(holder_id=holder, purpose=purpose, about=about, code=code)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def later(monkeypatch: pytest.MonkeyPatch, delay: timedelta) -> None:
    moment = timezone.now() + delay
    monkeypatch.setattr(timezone, "now", lambda: moment)


@pytest.mark.req("TC-50")
def test_the_right_code_opens_once(sms_gateway: SmsGateway, run_jobs: Callable[[], int]) -> None:
    code = ask()
    run_jobs()
    assert code in sms_gateway.to(E164)[0]
    give(f" {code[:3]} {code[3:]} ")
    with pytest.raises(Refused, match="plus valable"):
        give(code)


@pytest.mark.req("TC-51")
@pytest.mark.parametrize(("delay", "opens"), [(timedelta(), True), (timedelta(microseconds=1), False)])
def test_a_code_is_good_for_exactly_five_minutes(
    monkeypatch: pytest.MonkeyPatch, delay: timedelta, *, opens: bool
) -> None:
    code = ask()
    moment = OneTimeCode.objects.get().expires_at
    assert moment - OneTimeCode.objects.get().created_at < timedelta(minutes=5)
    monkeypatch.setattr(timezone, "now", lambda: moment + delay)
    if opens:
        give(code)
    else:
        with pytest.raises(Refused, match="plus valable"):
            give(code)


def test_only_the_last_code_opens() -> None:
    first, second = ask(), ask()
    if first != second:
        with pytest.raises(Refused, match="faux"):
            give(first)
    give(second)


def test_a_code_opens_one_thing_for_one_person() -> None:
    code = ask()
    for elsewhere in ({"holder": uuid4()}, {"purpose": "sign_in"}, {"about": uuid4()}):
        with pytest.raises(Refused, match="plus valable"):
            give(code, **elsewhere)  # type: ignore[arg-type]
    give(code)


def test_after_five_wrong_tries_even_the_right_code_is_refused() -> None:
    """Expectations C42."""
    code = ask()
    for left in (4, 3, 2, 1):
        with pytest.raises(Refused, match=f"Il reste {left} essai"):
            give(wrong(code))
    with pytest.raises(Refused, match="dernier essai"):
        give(wrong(code))
    with pytest.raises(Refused, match="Trop d’essais"):
        give(code)


def test_what_is_no_code_costs_no_try() -> None:
    code = ask()
    for typed in ("", "12345", "1234567", "abcdef", "١٢٣٤٥٦"):
        with pytest.raises(Refused, match="6 chiffres"):
            give(typed)
    assert OneTimeCode.objects.get().tries == 0
    give(code)


def test_the_tenth_wrong_code_closes_for_a_quarter_of_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    for _code in range(2):
        code = ask()
        for _try in range(5):
            with pytest.raises(Refused) as refused:
                give(wrong(code))
    assert refused.value.message.startswith("Trop de codes faux. Attendez 15 minutes")
    with pytest.raises(Refused, match="Attendez 15 minutes"):
        ask()
    with pytest.raises(Refused, match="Attendez 15 minutes"):
        give(code)
    later(monkeypatch, timedelta(minutes=15, seconds=1))
    give(ask())


def test_a_sixth_code_within_a_quarter_of_an_hour_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        ask(address=f"06 39 98 00 1{number}")
    with pytest.raises(Refused, match="15 minutes"):
        ask()
    assert Message.objects.count() == 5
    later(monkeypatch, timedelta(minutes=15, seconds=1))
    ask()


def test_an_eleventh_code_in_a_day_to_one_number_is_refused_however_it_is_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for number in range(10):
        ask(holder=uuid4(), address=PHONE if number % 2 else "+33 6 39 98 00 01")
    with pytest.raises(Refused, match="aujourd’hui"):
        ask(holder=uuid4())
    later(monkeypatch, timedelta(days=1, seconds=1))
    ask(holder=uuid4())


def test_no_code_can_be_read_in_the_table() -> None:
    code = ask()
    row = OneTimeCode.objects.get()
    assert code not in row.code_hash
    assert PHONE not in row.address_hash


def test_a_code_that_waited_too_long_does_not_leave(
    sms_gateway: SmsGateway, run_jobs: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    sms_gateway.failures = 1
    ask()
    run_jobs()
    later(monkeypatch, timedelta(minutes=6))
    run_jobs()
    assert Message.objects.get().state == State.CANCELLED
    assert not sms_gateway.received


def test_without_gateway_the_demo_page_shows_the_code_to_nobody_else(run_jobs: Callable[[], int]) -> None:
    code = ask()
    run_jobs()
    (copy,) = queries.demo_copies([HOLDER])
    assert code in copy["text"]
    assert not queries.demo_copies([uuid4()])


@pytest.mark.django_db(transaction=True)
def test_a_try_inside_a_transaction_is_a_bug_for_it_could_be_undone() -> None:
    code = ask()

    def inside() -> None:
        with transaction.atomic():
            give(wrong(code))

    with pytest.raises(RuntimeError):
        inside()


def said_to(acts: list[Callable[[], Any]]) -> list[str]:
    """What each of `acts`, begun at the same instant, was refused with, or nothing."""
    return [one.message if isinstance(one, Refused) else "" for one in at_once(*acts)]


@pytest.mark.django_db(transaction=True)
def test_of_two_right_answers_at_once_one_opens() -> None:
    code = ask()
    said = said_to([lambda: give(code)] * 4)
    assert said.count("") == 1
    assert all("plus valable" in each for each in said if each)


@pytest.mark.django_db(transaction=True)
def test_wrong_answers_at_once_are_all_counted() -> None:
    code = ask()
    said = said_to([lambda: give(wrong(code))] * 8)
    assert "" not in said
    assert OneTimeCode.objects.get().tries == 5


@pytest.mark.django_db(transaction=True)
def test_codes_asked_for_at_once_do_not_pass_the_cap() -> None:
    said = said_to(
        [lambda: actions.send_code(holder_id=HOLDER, purpose="device", about=None, channel="sms", address=PHONE)] * 8
    )
    assert said.count("") == 5
    assert OneTimeCode.objects.filter(superseded=False).count() == 1
