"""The growing lock-out: 5 failures free for an account, then 1 s, 2 s, 4 s … 15 minutes."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from relais.accounts.actions import attempts
from relais.accounts.models import Attempts
from relais.accounts.testing import PASSWORD, make_member, make_user
from relais.audit.models import Entry
from relais.core.errors import Refused

pytestmark = pytest.mark.django_db
WHO = (attempts.ACCOUNT, "a@exemple.test")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch):
    """A clock that stands still until it is moved."""

    class Clock:
        at = timezone.now()

        def move(self, seconds: float) -> None:
            self.at += timedelta(seconds=seconds)

        def now(self):
            return self.at

    stands = Clock()
    monkeypatch.setattr(attempts.timezone, "now", stands.now)
    return stands


def test_the_wait_doubles_from_one_second_to_fifteen_minutes() -> None:
    assert [attempts.wait_after(n, 5) for n in range(4, 17)] == [
        0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "1 seconde"), (59, "59 secondes"), (60, "1 minute"), (61, "2 minutes"), (900, "15 minutes")],
)
def test_a_wait_is_said_as_one_says_it(seconds: int, words: str) -> None:
    assert attempts.in_words(seconds) == words


def test_after_five_attempts_the_next_one_waits_and_each_failure_doubles_the_wait(clock) -> None:
    for _ in range(5):
        attempts.begin(WHO)
    for wait in (1, 2, 4, 8):
        clock.move(wait - 0.5)
        with pytest.raises(Refused, match="Réessayez dans 1 seconde"):
            attempts.begin(WHO)
        clock.move(0.5)
        attempts.begin(WHO)


def test_an_attempt_while_locked_is_not_counted(clock) -> None:
    for _ in range(5):
        attempts.begin(WHO)
    for _ in range(20):
        with pytest.raises(Refused):
            attempts.begin(WHO)
    assert Attempts.objects.get().failures == 5


def test_success_and_an_hour_of_peace_start_afresh(clock) -> None:
    for _ in range(5):
        attempts.begin(WHO)
    attempts.succeeded(WHO)
    attempts.begin(WHO)
    assert Attempts.objects.get().failures == 1
    clock.move(3601)
    attempts.begin(WHO)
    assert Attempts.objects.get().failures == 1


def test_an_address_has_thirty_free_and_success_gives_back_one_only(clock) -> None:
    there = (attempts.ADDRESS, "192.0.2.1")
    for _ in range(30):
        attempts.begin(there)
    with pytest.raises(Refused):
        attempts.begin(there)
    attempts.succeeded(there)
    assert Attempts.objects.get().failures == 29
    attempts.begin(there)


def test_one_locked_name_counts_on_none(clock) -> None:
    for _ in range(5):
        attempts.begin(WHO)
    with pytest.raises(Refused):
        attempts.begin(WHO, (attempts.ADDRESS, "192.0.2.1"))
    assert list(Attempts.objects.order_by("key").values_list("failures", flat=True)) == [5]


def test_the_table_names_nobody(clock) -> None:
    attempts.begin(WHO)
    assert "exemple" not in Attempts.objects.get().key


@pytest.mark.parametrize("known", [True, False])
def test_the_form_says_how_long_to_wait_alike_for_known_and_unknown(client: Client, clock, known) -> None:
    user = make_user(password=PASSWORD)
    email = user.email if known else "personne@exemple.test"
    for _ in range(5):
        client.post("/connexion/", {"login": email, "password": "faux"})
    clock.move(0.2)
    answer = client.post("/connexion/", {"login": email, "password": PASSWORD})
    assert (answer.status_code, "Trop d’essais. Réessayez dans 1 seconde." in answer.text) == (200, True)
    assert email in answer.text  # nothing typed is lost but the password
    assert Entry.objects.filter(action="session.failure.locked").count() == 1


def test_the_right_password_is_looked_at_again_after_the_wait(client: Client, clock) -> None:
    user = make_member(password=PASSWORD).user
    for _ in range(5):
        client.post("/connexion/", {"login": user.email, "password": "faux"})
    clock.move(1)
    assert client.post("/connexion/", {"login": user.email, "password": PASSWORD}).status_code == 302


def test_the_password_asked_again_inside_is_behind_the_same_lock(client: Client, clock) -> None:
    user = make_user(password=PASSWORD)
    client.force_login(user)
    for _ in range(5):
        client.post("/connexion/confirmer/", {"password": "faux"})
    assert "Trop d’essais" in client.post("/connexion/confirmer/", {"password": PASSWORD}).text
    changed = {"oldpassword": PASSWORD, "password1": "une autre phrase", "password2": "une autre phrase"}
    assert "Trop d’essais" in client.post("/connexion/mot-de-passe/changer/", changed).text


@pytest.mark.django_db(transaction=True)
def test_of_a_burst_of_attempts_five_are_looked_at() -> None:
    start, outcomes = threading.Barrier(12), []

    def attempt() -> None:
        start.wait()
        try:
            attempts.begin(WHO)
            outcomes.append("looked at")
        except Refused:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=attempt) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (outcomes.count("looked at"), len(outcomes)) == (5, 12)
