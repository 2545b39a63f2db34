"""Live pings: signed topics, coalescing, what a page that comes late is told, and the end of a stream."""

import asyncio
import json
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from django.template import Context, Template
from django.test import Client
from django.utils import timezone

from relais.accounts.testing import client_of, make_practitioner
from relais.core import listener, live, streams
from relais.core.live import ping, sign, unsign
from relais.patients.models import Grant
from relais.patients.testing import let_in, make_grant

pytestmark = pytest.mark.django_db(transaction=True)
TOPIC = "dossier:3f0c"


@pytest.fixture(autouse=True)
def _no_hub_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(streams, "spread", lambda: 0.0)  # no chance in tests
    yield
    listener._hub = None


def play(scene: Callable[[listener.Hub], Awaitable[Any]]) -> Any:
    """Run `scene` with a hub that listens to the test database."""

    async def run() -> Any:
        hub = listener.hub()
        while hub._listening_since is None:
            await asyncio.sleep(0.01)
        try:
            return await scene(hub)
        finally:
            hub.close()

    return asyncio.run(run())


def send(topic: str = TOPIC, *, urgent: bool = False) -> None:
    """A ping from another thread, as a page's action sends it."""
    try:
        with transaction.atomic():
            ping(topic, urgent=urgent)
    finally:
        connection.close()


async def pings_within(stream: listener.Stream, seconds: float) -> list[tuple[float, str, bool]]:
    begun, heard = time.monotonic(), []
    while (left := seconds - (time.monotonic() - begun)) > 0:
        _, pings = await stream.next(left)
        heard += [(time.monotonic() - begun, topic, urgent) for topic, urgent in pings.items()]
    return heard


def test_only_what_the_server_signed_can_be_watched() -> None:
    assert unsign(sign(TOPIC)) == TOPIC
    assert unsign(TOPIC + ":forged") is None
    assert unsign("") is None


def days_from_now(monkeypatch: pytest.MonkeyPatch, days: int) -> None:
    """For signatures alone."""
    then = time.time() + days * live.DAY
    monkeypatch.setattr(live, "_day", lambda: int(then // live.DAY))


def test_all_pages_of_a_day_carry_the_same_token_and_it_is_good_until_the_end_of_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    token = sign(TOPIC)
    assert token == sign(TOPIC)
    days_from_now(monkeypatch, 1)
    assert unsign(token) == TOPIC
    assert sign(TOPIC) != token
    days_from_now(monkeypatch, 2)
    with pytest.raises(live.Expired):
        unsign(token)


def test_the_template_tag_signs_several_topics_as_one() -> None:
    token = Template("{% load live %}{% live 'a:1' 'b:2' %}").render(Context())
    assert unsign(token) == "a:1 b:2"


def test_a_ping_reaches_those_who_watch_its_topic_and_no_other() -> None:
    async def scene(hub: listener.Hub) -> None:
        mine, other = hub.subscribe(frozenset([TOPIC]), time.time()), hub.subscribe(frozenset(["x"]), time.time())
        await asyncio.to_thread(send)
        assert await mine.next(2) == (None, {TOPIC: False})
        assert await other.next(0.1) == (None, {})

    play(scene)


def test_a_rolled_back_ping_is_never_heard() -> None:
    def fails() -> None:
        try:
            with transaction.atomic():
                ping(TOPIC)
                raise RuntimeError
        except RuntimeError:
            connection.close()

    async def scene(hub: listener.Hub) -> None:
        stream = hub.subscribe(frozenset([TOPIC]), time.time())
        await asyncio.to_thread(fails)
        assert await stream.next(0.3) == (None, {})

    play(scene)


def test_a_burst_is_heard_at_once_and_then_once_a_second() -> None:
    async def scene(hub: listener.Hub) -> list[tuple[float, str, bool]]:
        stream = hub.subscribe(frozenset([TOPIC]), time.time())
        for _ in range(8):
            await asyncio.to_thread(send)
        return await pings_within(stream, 1.6)

    heard = play(scene)
    assert [entry[1:] for entry in heard] == [(TOPIC, False)] * 2
    assert heard[0][0] < 0.3
    assert heard[1][0] > 0.5


def test_urgent_pings_never_wait() -> None:
    async def scene(hub: listener.Hub) -> None:
        stream = hub.subscribe(frozenset([TOPIC]), time.time())
        await asyncio.to_thread(send)
        assert await stream.next(2) == (None, {TOPIC: False})
        begun = time.monotonic()
        await asyncio.to_thread(send, urgent=True)
        assert await stream.next(2) == (None, {TOPIC: True})
        assert time.monotonic() - begun < 0.5

    play(scene)


def test_a_page_that_subscribes_late_is_told_what_came_since_it_was_drawn() -> None:
    async def scene(hub: listener.Hub) -> None:
        drawn = time.time()
        await asyncio.to_thread(send)
        await asyncio.sleep(0.2)
        assert (await hub.subscribe(frozenset([TOPIC]), drawn).next(0.1))[1] == {TOPIC: True}
        assert (await hub.subscribe(frozenset([TOPIC]), time.time()).next(0.1))[1] == {}
        assert (await hub.subscribe(frozenset([TOPIC]), drawn - 3600).next(0.1))[0] == listener.AGAIN

    play(scene)


def test_when_the_database_connection_dies_streams_are_told_and_told_again_once_it_is_back() -> None:
    def kill() -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'relais live'"
            )
        connection.close()

    async def scene(hub: listener.Hub) -> None:
        stream = hub.subscribe(frozenset([TOPIC]), time.time())
        await asyncio.to_thread(kill)
        assert (await stream.next(5))[0] == listener.LOST
        assert (await stream.next(5))[0] == listener.AGAIN
        await asyncio.to_thread(send)
        assert await stream.next(2) == (None, {TOPIC: False})

    play(scene)


async def _ask(path: str, client: Client, *, until: Callable[[str], bool]) -> tuple[int, str]:
    """GET `path` from the ASGI entry with the client's cookies; the body is read until `until(body)`."""
    cookies = "; ".join(f"{morsel.key}={morsel.value}" for morsel in client.cookies.values())
    headers = [(b"host", b"localhost"), (b"cookie", cookies.encode())]
    where, _, query = path.partition("?")
    scope = {"type": "http", "method": "GET", "path": where, "query_string": query.encode(), "headers": headers}
    scope.update({"http_version": "1.1", "scheme": "http", "server": ("localhost", 80), "client": ("127.0.0.1", 1)})
    told, done = {"status": 0, "body": ""}, asyncio.Event()
    asked = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> dict[str, Any]:
        if message := next(asked, None):
            return message
        await done.wait()
        return {"type": "http.disconnect"}

    async def answer(message: dict[str, Any]) -> None:
        told["status"] = message.get("status", told["status"])
        told["body"] += message.get("body", b"").decode()
        if until(told["body"]) or (message["type"] == "http.response.body" and not message.get("more_body")):
            done.set()

    from config.asgi import streams as application  # noqa: PLC0415 (built once Django is set up)

    task = asyncio.create_task(application(scope, receive, answer))
    await asyncio.wait_for(done.wait(), 10)
    await asyncio.wait([task], timeout=5)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return told["status"], told["body"]


def test_streams_that_open_together_do_not_all_look_at_their_sessions_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    sooner = [streams.spread() for _number in range(600)]
    assert 0 <= min(sooner) < 6 < 54 < max(sooner) <= streams.CHECK


def test_a_signed_in_professional_gets_the_stream() -> None:
    client = client_of(make_practitioner())

    async def scene(hub: listener.Hub) -> tuple[int, str]:
        asking = asyncio.create_task(
            _ask(f"/live/stream?t={sign(TOPIC)}", client, until=lambda body: "event: ping" in body)
        )
        while not hub.streams:
            await asyncio.sleep(0.01)
        await asyncio.to_thread(send)
        return await asking

    status, body = play(scene)
    assert status == 200
    data = next(line for line in body.split("event: ping")[1].splitlines() if line.startswith("data: "))
    assert json.loads(data[6:]) == {"topic": TOPIC, "urgent": False}


@pytest.mark.parametrize("query", ["", "t=dossier:1", "t=dossier:1:forged"])
def test_a_stream_without_the_servers_signature_is_refused(query: str) -> None:
    client = client_of(make_practitioner())
    assert play(lambda hub: _ask(f"/live/stream?{query}", client, until=bool))[0] == 400


def test_a_page_of_before_yesterday_is_told_so_and_watches_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    client, token = client_of(make_practitioner()), sign(TOPIC)
    days_from_now(monkeypatch, 2)
    status, body = play(lambda hub: _ask(f"/live/stream?t={token}", client, until=lambda _body: False))
    assert status == 200
    assert [line for line in body.splitlines() if line.startswith("event:")] == ["event: old"]
    data = next(line for line in body.splitlines() if line.startswith("data: "))
    assert json.loads(data[6:]) == {"tokens": [token]}


def test_the_other_pages_of_that_browser_keep_their_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    client, token = client_of(make_practitioner()), sign("dossier:old")
    days_from_now(monkeypatch, 2)
    both = f"/live/stream?t={token}&t={sign(TOPIC)}"

    async def scene(hub: listener.Hub) -> tuple[int, str]:
        asking = asyncio.create_task(_ask(both, client, until=lambda body: "event: ping" in body))
        while not hub.streams:
            await asyncio.sleep(0.01)
        await asyncio.to_thread(send, "dossier:old")
        await asyncio.to_thread(send)
        return await asking

    status, body = play(scene)
    assert status == 200
    assert body.index("event: old") < body.index("event: ping")
    assert '"topic": "dossier:old"' not in body


def test_a_stranger_gets_no_stream() -> None:
    status, body = play(lambda hub: _ask(f"/live/stream?t={sign(TOPIC)}", Client(), until=bool))
    assert status == 302
    assert "event:" not in body


@pytest.mark.parametrize("path", ["/live/stream", "/live/p/stream"])
def test_a_page_whose_session_ended_is_told_so_when_it_connects_again(path: str) -> None:
    answer = Client().get(f"{path}?t={sign(TOPIC)}", headers={"Accept": "text/event-stream"})
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/event-stream")
    assert answer.content == b"event: out\ndata: {}\n\n"


def test_the_stream_of_a_member_who_was_removed_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "CHECK", 0.4)
    member = make_practitioner()
    client = client_of(member)

    def sign_out() -> None:
        client.logout()
        connection.close()

    async def scene(hub: listener.Hub) -> tuple[int, str]:
        cookies = client.cookies.copy()
        asking = asyncio.create_task(
            _ask(f"/live/stream?t={sign(TOPIC)}", client, until=lambda body: "event: out" in body)
        )
        await asyncio.sleep(1.0)
        assert len(hub.streams) == 1, "still inside after two checks"
        client.cookies = cookies
        await asyncio.to_thread(sign_out)
        return await asking

    assert "event: out" in play(scene)[1]


def test_a_page_that_stays_open_is_told_that_the_scheduler_is_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once with each look at the session, for as long as it is: silence must never look like calm."""
    monkeypatch.setattr(streams, "CHECK", 0.2)
    monkeypatch.setattr("relais.core.health.scheduler_late", lambda: True)
    client = client_of(make_practitioner())

    async def scene(hub: listener.Hub) -> tuple[int, str]:
        return await _ask(
            f"/live/stream?t={sign(TOPIC)}", client, until=lambda body: body.count("event: late") == 2
        )  # fmt: skip

    assert play(scene)[1].count("event: late") == 2


def test_streams_end_with_the_server() -> None:
    client = client_of(make_practitioner())

    async def scene(hub: listener.Hub) -> tuple[int, str]:
        asking = asyncio.create_task(
            _ask(f"/live/stream?t={sign(TOPIC)}", client, until=lambda body: "event: end" in body)
        )
        while not hub.streams:
            await asyncio.sleep(0.01)
        hub.close()
        return await asking

    assert "event: end" in play(scene)[1]


def test_a_stream_holds_no_database_connection() -> None:
    client = client_of(make_practitioner())

    def held() -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND application_name <> 'relais live'"
            )
            (count,) = cursor.fetchone()
        connection.close()
        return count

    async def scene(hub: listener.Hub) -> None:
        before = await asyncio.to_thread(held)
        asking = [
            asyncio.create_task(_ask(f"/live/stream?t={sign(TOPIC)}", client, until=lambda body: "event: end" in body))
            for _ in range(10)
        ]
        while len(hub.streams) < 10:
            await asyncio.sleep(0.01)
        assert await asyncio.to_thread(held) == before
        hub.close()
        await asyncio.gather(*asking)

    play(scene)


def test_a_stream_holds_no_thread() -> None:
    client = client_of(make_practitioner())

    async def scene(hub: listener.Hub) -> None:
        asking = [
            asyncio.create_task(_ask(f"/live/stream?t={sign(TOPIC)}", client, until=lambda body: "event: end" in body))
            for _ in range(20)
        ]
        while len(hub.streams) < 20:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.3)
        assert threading.active_count() < 15
        hub.close()
        await asyncio.gather(*asking)

    play(scene)


def test_a_professional_gets_no_stream_of_patients() -> None:
    for client in (Client(), client_of(make_practitioner())):
        status, body = play(lambda hub, one=client: _ask(f"/live/p/stream?t={sign(TOPIC)}", one, until=bool))
        assert status == 302
        assert "event:" not in body


def test_a_patient_gets_the_stream_until_the_grant_is_revoked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "CHECK", 0.4)
    grant, _secrets = make_grant()
    client = let_in(Client(), grant)

    def revoke() -> None:
        Grant.objects.update(revoked_at=timezone.now())
        connection.close()

    async def scene(hub: listener.Hub) -> tuple[int, str]:
        asking = asyncio.create_task(
            _ask(f"/live/p/stream?t={sign(TOPIC)}", client, until=lambda body: "event: out" in body)
        )
        await asyncio.sleep(1.0)
        assert len(hub.streams) == 1
        await asyncio.to_thread(revoke)
        return await asking

    assert "event: out" in play(scene)[1]
