"""The protocol of one Janus: its HTTP interface and its videoroom plugin, as far as rooms of many need them.

Knows no table and no actor. Rooms, feeds and pages are strings of ours (`string_ids`).
"""

import http.client
import json
import secrets
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

PATIENCE = 4.0  # seconds for an answer: a healthy Janus takes some milliseconds
BRIEF = 1.5  # the same for what every page asks every ten seconds: a Janus that hangs must not hold the site's threads
PLUGIN = "janus.plugin.videoroom"
NO_SUCH = {458, 459}  # session, handle
NO_ROOM, ROOM_EXISTS, NO_FEED = 426, 427, 428


class Unreachable(Exception):
    """Nobody answers at this address, or too late."""


class Failed(Exception):
    """Janus refuses. `code` is Janus' own."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}")
        self.code = code

    @property
    def gone(self) -> bool:
        """The session is over: Janus was started again, or heard nothing for a minute."""
        return self.code in NO_SUCH


@dataclass(frozen=True)
class Answer:
    """What the plugin says, and its session description when there is one."""

    data: dict[str, Any]
    sdp: str = ""


@dataclass(frozen=True)
class Janus:
    """`base`: http://host:port. `secret`: what every request must carry."""

    base: str
    secret: str

    def alive(self) -> bool:
        try:
            return self._ask("/janus", {"janus": "ping"}, seconds=BRIEF).get("janus") == "pong"
        except (Unreachable, Failed):
            return False

    def open(self) -> int:
        """A session: it ends by itself when nobody calls `keep` for a minute."""
        return int(self._ask("/janus", {"janus": "create"})["data"]["id"])

    def keep(self, session: int) -> None:
        self._ask(f"/janus/{session}", {"janus": "keepalive"}, seconds=BRIEF)

    def close(self, session: int) -> None:
        """End a session with all that hangs from it."""
        self._ask(f"/janus/{session}", {"janus": "destroy"}, seconds=BRIEF)

    def attach(self, session: int) -> int:
        """A handle of the plugin: one for each connection of a page."""
        return int(self._ask(f"/janus/{session}", {"janus": "attach", "plugin": PLUGIN})["data"]["id"])

    def detach(self, session: int, handle: int) -> None:
        """End one connection of a page."""
        self._ask(f"/janus/{session}/{handle}", {"janus": "detach"})

    def tell(self, session: int, handle: int, body: dict[str, Any], *, kind: str = "", sdp: str = "") -> Answer:
        """Ask the plugin something and wait for what it answers, at once or as an event.

        `kind` (offer or answer) and `sdp` go with it. One request at a time for a session: the events of all of its
        handles come one way, and those that answer nothing are dropped here.
        """
        number = secrets.token_hex(8)
        message: dict[str, Any] = {"janus": "message", "body": body, "transaction": number}
        if sdp:
            message["jsep"] = {"type": kind, "sdp": sdp}
        answer = self._ask(f"/janus/{session}/{handle}", message)
        if answer["janus"] == "ack":
            answer = self._event(session, number)
        data = answer.get("plugindata", {}).get("data", {})
        if "error_code" in data:
            raise Failed(int(data["error_code"]), str(data.get("error", "")))
        return Answer(data, answer.get("jsep", {}).get("sdp", ""))

    def _event(self, session: int, number: str) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE
        while (left := deadline - time.monotonic()) > 0:
            query = urlencode({"apisecret": self.secret, "maxev": 20})
            events = self._fetch("GET", f"/janus/{session}?{query}", None, left)
            for event in events if isinstance(events, list) else [events]:
                _check(event)
                if event.get("transaction") == number:
                    return dict(event)
        raise Unreachable

    def _ask(self, path: str, message: dict[str, Any], seconds: float = PATIENCE) -> dict[str, Any]:
        filled = {"transaction": secrets.token_hex(8), "apisecret": self.secret, **message}
        answer: dict[str, Any] = self._fetch("POST", path, json.dumps(filled), seconds)
        _check(answer)
        return answer

    def _fetch(self, method: str, path: str, body: str | None, seconds: float) -> Any:
        address = urlsplit(self.base)
        kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
        connection = kind(address.hostname or "", address.port, timeout=seconds)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"})
            return json.loads(connection.getresponse().read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Unreachable from error
        finally:
            connection.close()


def _check(answer: dict[str, Any]) -> None:
    if answer.get("janus") == "error":
        error = answer.get("error", {})
        raise Failed(int(error.get("code", 0)), str(error.get("reason", "")))
