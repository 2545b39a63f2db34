"""`manage.py up`: the whole site on one machine, until Ctrl-C."""

import fcntl
import http.client
import os
import shutil
import socket
import ssl
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, connections

from relais.core import certificate, database, embedded
from relais.core.supervisor import TICK, Child, PortTaken, Stopped, Supervisor, listen, stop_on_signals

FIRST_ANSWER = 30.0  # seconds for the web server to answer and the worker to sign


class Command(BaseCommand):
    help = "Start database, web server and worker, keep them running, stop them all on Ctrl-C."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--empty", action="store_true", help="without the demonstration region")

    def handle(self, *args: Any, **options: Any) -> None:
        stop_on_signals()
        try:
            self._run(demo=settings.DEMO and not options["empty"])
        except Stopped:
            self._say("Stopped.")
        except (PortTaken, database.Unreachable, embedded.Unavailable) as error:
            sys.exit(f"Relais: {error}")

    def _say(self, sentence: str) -> None:
        self.stdout.write(sentence)
        self.stdout.flush()

    @contextmanager
    def _step(self, label: str) -> Iterator[None]:
        begun = time.monotonic()
        yield
        self._say(f"{label}: {time.monotonic() - begun:.1f} s")

    def _run(self, *, demo: bool) -> None:
        https, port = settings.ENV["HTTPS"], settings.ENV["PORT"]
        if https and not settings.ENV["PUBLIC_URL"]:
            # Links in messages must open on the telephone, for which localhost is the telephone itself.
            os.environ["PUBLIC_URL"] = next((f"https://{_host(one)}:{port}" for one in certificate.addresses()), "")
        with _alone():
            sockets = listen(port, everywhere=https)
            before = time.monotonic()
            with database.available() as server:
                self._say(f"Database: {time.monotonic() - before:.1f} s")
                self._fill(demo=demo)
                descriptors = tuple(each.fileno() for each in sockets)
                numbers = [f"--fd={number}" for number in descriptors]
                web = Child("web server", ["web", *numbers], descriptors, patience=8.0)
                children = [web, Child("worker", ["worker"]), *_video_relay()]
                with Supervisor(children, self._say) as supervisor:
                    with self._step("Site"):
                        self._wait_first_answer(supervisor, https=https, port=port)
                    self._announce(https=https, port=port)
                    self._watch(supervisor, server)

    def _fill(self, *, demo: bool) -> None:
        with self._step("Tables"):
            try:
                call_command("migrate", verbosity=0, interactive=False)
            except DatabaseError as error:
                if settings.EMBEDDED:
                    raise  # a fault of ours: its traceback is what one needs
                reason = str(error).strip().split("\n")[0]
                raise database.Unreachable(f"The database of DATABASE_URL refuses our tables ({reason}).") from None
        if demo and "demo_region" in get_commands() and not get_user_model().objects.exists():
            with self._step("Demonstration region"):
                call_command("demo_region", size="small", verbosity=0)
        connections.close_all()

    def _wait_first_answer(self, supervisor: Supervisor, *, https: bool, port: int) -> None:
        deadline = time.monotonic() + FIRST_ANSWER
        while time.monotonic() < deadline and _health(https=https, port=port) != http.HTTPStatus.OK:
            supervisor.tick()
            time.sleep(TICK)

    def _announce(self, *, https: bool, port: int) -> None:
        scheme = "https" if https else "http"
        if https:
            for address in certificate.addresses():
                host = _host(address)
                self._say(f"From a telephone of this network: https://{host}:{port}/")
            if settings.DEMO_KEY:
                self._say(f"Key that the demonstration page asks for: {settings.DEMO_KEY}")
        self._say(f"Ready (Ctrl-C stops it): {scheme}://localhost:{port}/")

    def _watch(self, supervisor: Supervisor, server: embedded.Server | None) -> None:
        """Until a signal: children and database are started again when they die."""
        log = (settings.HOME / "guard.log").open() if server else None
        while True:
            supervisor.tick()
            if log and server:
                for line in log:
                    self._say(line.strip())
                if not server.guarded():
                    self._say("The database's guard was killed: starting it again.")
                    embedded.start(settings.HOME).release()
                    log = (settings.HOME / "guard.log").open()
            time.sleep(TICK)


@contextmanager
def _alone() -> Iterator[None]:
    """One supervisor a home: the second is told where the first is."""
    held: IO[str] | None = embedded.lock(settings.HOME, "up.lock", fcntl.LOCK_EX | fcntl.LOCK_NB)
    if not held:
        process, _, port = (settings.HOME / "up.lock").read_text().partition(" ")
        raise PortTaken(f"It already runs here, on port {port} (process {process}): stop that one first.")
    with held:
        held.truncate(0)
        held.write(f"{os.getpid()} {settings.ENV['PORT']}")
        held.flush()
        yield


def _video_relay() -> list[Child]:
    """The relay of rooms of many, where its program is installed and none is configured elsewhere."""
    if settings.ENV["SFU_URLS"] or "sfu" not in get_commands() or not shutil.which("janus"):
        return []
    if not settings.ENV["SFU_PORT"]:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            os.environ["SFU_PORT"] = str(free.getsockname()[1])  # the children read it
    return [Child("video relay", ["sfu"], patience=3.0)]


def _health(*, https: bool, port: int) -> int:
    """Status of GET /health on the loopback, 0 without an answer."""
    host = next((name for name in settings.ALLOWED_HOSTS if name != "*"), "localhost")
    connection = (
        http.client.HTTPSConnection("127.0.0.1", port, timeout=5, context=ssl._create_unverified_context())  # noqa: S323
        if https
        else http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    )
    try:
        connection.request("GET", "/health", headers={"Host": f"{host}:{port}"})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def _host(address: str) -> str:
    """An address as a URL writes it."""
    return f"[{address}]" if ":" in address else address
