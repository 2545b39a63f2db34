"""Several people in the same second, on real threads and connections."""

import threading
from collections.abc import Callable
from typing import Any

from django.db import connections

from relais.core.errors import NotFound, Refused


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """What each of `acts` returned, or the Refused or NotFound that it raised, all begun at the same instant.

    Anything else fails the test.
    """
    gate = threading.Barrier(len(acts))
    results: dict[int, Any] = {}

    def run(number: int, act: Callable[[], Any]) -> None:
        try:
            gate.wait(timeout=30)
            results[number] = act()
        except Exception as error:  # noqa: BLE001  looked at below
            results[number] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    found = [results[number] for number in range(len(acts))]
    for result in found:
        if isinstance(result, Exception) and not isinstance(result, Refused | NotFound):
            raise result
    return found


def outcomes(*acts: Callable[[], Any]) -> list[str]:
    """*done* or *refused* for each of `acts`, sorted."""
    return sorted("refused" if isinstance(one, Refused | NotFound) else "done" for one in at_once(*acts))
