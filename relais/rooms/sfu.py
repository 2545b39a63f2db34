"""The video relays (SFU) of this installation: where they are, and how a room and its pages use one. No table, no actor.

A room of many is on one named relay. Pages never speak to it: the server opens their places, carries their session
descriptions, and closes their places; only sound and image go from browser to relay and back, closed to it (ADR 0019).
"""

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from django.conf import settings

from relais.core import embedded
from relais.rooms.janus import NO_FEED, NO_ROOM, ROOM_EXISTS, Answer, Failed, Janus, Unreachable

LOCAL = "local"
LIBRARIES = ("/usr/lib/*/janus", "/usr/lib/janus", "/usr/local/lib/janus", "/opt/janus/lib/janus")
BITRATE = 400_000  # bits a second of one publisher, at most; the pages send less


def library() -> Path | None:
    """Where Janus' plugins lie; None: it is not installed."""
    found = [
        path for pattern in LIBRARIES for path in sorted(Path("/").glob(pattern[1:])) if (path / "plugins").is_dir()
    ]
    return found[0] if found else None


def local_url() -> str:
    """Where the relay of this machine listens, "" without one."""
    port = settings.ENV["SFU_PORT"]
    return f"http://127.0.0.1:{port}" if port else ""


def secret() -> str:
    """What every request to a relay carries: SFU_SECRET, else one of this home."""
    return str(settings.ENV["SFU_SECRET"] or embedded.secret(settings.HOME, "sfu"))


def nodes() -> dict[str, str]:
    """Address of each relay by name: those of SFU_URLS, else this machine's when it has one."""
    named = [one.partition("=") for one in settings.ENV["SFU_URLS"]]
    if named:
        return {name: url for name, _equals, url in named}
    return {LOCAL: local_url()} if local_url() and shutil.which("janus") else {}


def configured() -> bool:
    """Whether this installation has a relay for rooms of many."""
    return bool(nodes())


def node(name: str) -> Janus:
    """Raises Unreachable for one that is configured no more."""
    url = nodes().get(name)
    if not url:
        raise Unreachable
    return Janus(url, secret())


def alive(name: str) -> bool:
    """Whether this relay answers."""
    try:
        return node(name).alive()
    except Unreachable:
        return False


def choose(held: str, load: Mapping[str, int]) -> str:
    """The relay for a room: the one that it is on while that answers, else the one with the fewest places; "" for none."""
    names = sorted(nodes(), key=lambda name: (name != held, load.get(name, 0), name))
    return next(filter(alive, names), "")


@dataclass(frozen=True)
class Place:
    """The place of one page at a relay: its session and the handles of what it sends and of what it receives."""

    node: str
    session: int
    sends: int
    receives: int


def open_place(name: str, room: str, size: int) -> Place:
    """A place in `room`, which is made when the relay does not know it (the first page, or the relay was restarted)."""
    janus = node(name)
    session = janus.open()
    sends, receives = janus.attach(session), janus.attach(session)
    _make_room(janus, session, sends, room, size)
    return Place(name, session, sends, receives)


def _make_room(janus: Janus, session: int, handle: int, room: str, size: int) -> None:
    """Private, for `size` people, VP8 and Opus alone, without what would tell the relay who speaks.

    Twice as many senders: whoever changes network sends again before their last place is given up.
    """
    body = {
        "request": "create",
        "room": room,
        "is_private": True,
        "publishers": 2 * size,
        "bitrate": BITRATE,
        "audiocodec": "opus",
        "videocodec": "vp8",
        "audiolevel_ext": False,
        "record": False,
        "lock_record": True,
    }
    try:
        janus.tell(session, handle, body)
    except Failed as failure:
        if failure.code != ROOM_EXISTS:
            raise


def publish(place: Place, room: str, feed: str, offer: str) -> str:
    """Send what the page offers, as `feed`; answers with Janus' description."""
    body = {"request": "joinandconfigure", "ptype": "publisher", "room": room, "id": feed}
    return node(place.node).tell(place.session, place.sends, body, kind="offer", sdp=offer).sdp


@dataclass(frozen=True)
class Reception:
    """An offer of Janus to a page ("": nothing changes), and which page each of its lines carries."""

    offer: str
    lines: dict[str, str]  # mid -> feed


def receive(place: Place, room: str, wanted: Iterable[str], held: Iterable[str]) -> Reception | None:
    """Change what the page receives from the feeds `held` to those `wanted`. None when one of them has just gone: ask again."""
    before, after = set(held), set(wanted)
    add = [{"feed": feed} for feed in sorted(after - before)]
    remove = [{"feed": feed} for feed in sorted(before - after)]
    if not add and not remove:
        return Reception("", {})
    body: dict[str, Any] = {"request": "update"}
    if add:
        body["subscribe"] = add
    if remove:
        body["unsubscribe"] = remove
    if not before:  # Janus renegotiates when we say so, never by itself: answers would cross
        body = {"request": "join", "ptype": "subscriber", "room": room, "autoupdate": False, "streams": add}
    try:
        return _reception(node(place.node).tell(place.session, place.receives, body))
    except Failed as failure:
        if failure.code in (NO_FEED, NO_ROOM):
            return None
        raise


def receive_anew(place: Place) -> Place:
    """The same place with another connection to receive: what the last one was offered got lost, or the last one itself."""
    janus = node(place.node)
    try:
        janus.detach(place.session, place.receives)
    except Failed as failure:
        if not failure.gone:
            raise
    return replace(place, receives=janus.attach(place.session))


def _reception(answer: Answer) -> Reception:
    lines = {
        str(stream["mid"]): str(stream["feed_id"])
        for stream in answer.data.get("streams", [])
        if stream.get("active", True) and stream.get("feed_id")
    }
    return Reception(answer.sdp, lines)


def start(place: Place, answer: str) -> None:
    """The page's answer to the last offer of `receive`."""
    node(place.node).tell(place.session, place.receives, {"request": "start"}, kind="answer", sdp=answer)


def keep(place: Place) -> bool:
    """The page is still there. False when its place is lost: the relay does not answer, or was started again."""
    try:
        node(place.node).keep(place.session)
    except (Unreachable, Failed):
        return False
    return True


def close(place: Place) -> None:
    """Give a place up. A relay that does not answer forgets it by itself."""
    try:
        node(place.node).close(place.session)
    except (Unreachable, Failed):
        return


def end(name: str, room: str) -> None:
    """Forget a room and turn everybody out of it."""
    try:
        janus = node(name)
        session = janus.open()
        try:
            janus.tell(session, janus.attach(session), {"request": "destroy", "room": room})
        finally:
            janus.close(session)
    except (Unreachable, Failed):
        return
