"""One answer for all who ask the same question at the same time.

When somebody enters a waiting room, forty dashboards of that place ask for the same rows within a few milliseconds.
Those who ask while an answer is being read share the next one: its reading begins after each of them asked, so that
nobody gets anything older than a reading of their own would have been. Nothing is kept between two questions.
"""

import re
import secrets
import threading
from collections.abc import Callable, Hashable
from typing import Any, TypeVar
from uuid import UUID

from django.utils.safestring import SafeString, mark_safe

T = TypeVar("T")
TOKEN = f"token-{secrets.token_hex(16)}"  # stands in shared lines for each reader's own
# What a template draws for one reader alone: <!--only UUID-->…<!--end-->. What people typed is escaped there.
ONLY = re.compile(r"<!--only ([0-9a-f-]{36})-->(.*?)<!--end-->", re.DOTALL)


class _Answer:
    """One reading, and how many wait for it."""

    def __init__(self) -> None:
        self.waiting = 0
        self.done = threading.Event()
        self.value: Any = None
        self.error: BaseException | None = None


class Sharing:
    """The questions of one kind in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._read: dict[Hashable, _Answer] = {}  # being read now
        self._next: dict[Hashable, _Answer] = {}  # to be read after it

    def ask(self, question: Hashable, read: Callable[[], T]) -> T:
        """What `read()` answers, here or in the thread of another who asks the same. Raises what it raised.

        `question` holds everything that the answer depends on: who may see it above all. The answer is not changed by
        anybody: it is read by several.
        """
        with self._lock:
            before = self._read.get(question)
            if before is None:
                mine, first = _Answer(), True
                self._read[question] = mine
            else:
                first = question not in self._next
                mine = self._next.setdefault(question, _Answer())
                mine.waiting += 1
        if first and before is not None:
            before.done.wait()
            with self._lock:
                self._read[question] = self._next.pop(question)
        if first:
            self._fill(question, mine, read)
        else:
            mine.done.wait()
        if mine.error:
            raise mine.error
        return mine.value

    def waiting(self, question: Hashable) -> int:
        """How many wait for the next answer to this question."""
        with self._lock:
            return self._next[question].waiting if question in self._next else 0

    def _fill(self, question: Hashable, mine: _Answer, read: Callable[[], Any]) -> None:
        try:
            mine.value = read()
        except BaseException as error:  # noqa: BLE001 (all who wait get it)
            mine.error = error
        finally:
            with self._lock:
                if question not in self._next:
                    del self._read[question]
            mine.done.set()


def for_reader(html: str, *, reader: UUID | None, token: str) -> SafeString:
    """Shared lines as one reader gets them: with their token, without what was drawn for others alone."""
    own = str(reader)
    kept = ONLY.sub(lambda found: found[2] if found[1] == own else "", html)
    return mark_safe(kept.replace(TOKEN, token))  # noqa: S308 (drawn by a template)
