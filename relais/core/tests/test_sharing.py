"""Those who ask the same at the same time share one reading, which never began before they asked."""

import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from relais.core.sharing import TOKEN, Sharing, for_reader


class Slow:
    """A reading that takes until it is let go, and counts."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.go = threading.Semaphore(0)
        self.count = 0
        self.fails = False

    def __call__(self) -> int:
        self.count += 1
        mine = self.count
        self.begun.release()
        self.go.acquire(timeout=60)
        if self.fails:
            raise ValueError(mine)
        return mine


def asked_while_reading(sharing: Sharing, slow: Slow, pool: ThreadPoolExecutor, others: int) -> list:
    first = pool.submit(sharing.ask, "q", slow)
    assert slow.begun.acquire(timeout=60)
    later = [pool.submit(sharing.ask, "q", slow) for _number in range(others)]
    while sharing.waiting("q") < others:
        threading.Event().wait(0.001)
    return [first, *later]


def test_who_asks_during_a_reading_gets_the_next_one_and_all_of_them_the_same() -> None:
    sharing, slow = Sharing(), Slow()
    with ThreadPoolExecutor(9) as pool:
        answers = asked_while_reading(sharing, slow, pool, 8)
        slow.go.release(2)
        assert [one.result(10) for one in answers] == [1] + [2] * 8
    assert slow.count == 2


def test_an_error_reaches_all_who_share_it_and_is_not_kept() -> None:
    sharing, slow = Sharing(), Slow()
    slow.fails = True
    with ThreadPoolExecutor(4) as pool:
        answers = asked_while_reading(sharing, slow, pool, 3)
        slow.go.release(2)
        for one in answers:
            with pytest.raises(ValueError, match=r"[12]"):
                one.result(10)
    assert sharing.ask("q", lambda: "fresh") == "fresh"


def test_nothing_is_kept_between_two_questions_and_different_questions_do_not_wait() -> None:
    sharing, slow = Sharing(), Slow()
    assert [sharing.ask("q", lambda: 1), sharing.ask("q", lambda: 2)] == [1, 2]
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(sharing.ask, "q", slow)
        assert slow.begun.acquire(timeout=60)
        assert sharing.ask("another", lambda: 3) == 3
        slow.go.release()
        assert held.result(10) == 1


def test_a_reader_gets_their_token_and_nothing_that_was_drawn_for_another_alone() -> None:
    mine, other = uuid4(), uuid4()
    html = f"<b>{TOKEN}</b>" + "".join(f"<!--only {one}-->\n<i>{one}</i><!--end-->" for one in (mine, other))
    assert for_reader(html, reader=mine, token="t") == f"<b>t</b>\n<i>{mine}</i>"
    assert for_reader(html, reader=None, token="t") == "<b>t</b>"
