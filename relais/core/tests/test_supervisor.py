"""`manage.py up`, for real, in a home of its own: what starts, what comes back, what it leaves behind."""

import http.client
import os
import queue
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings

from relais.core import embedded, supervisor
from relais.core.tests.test_embedded import processes, temporary_home, wait_until

PATIENCE = 240.0  # seconds, paid only where something does not come


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Up:
    """A running `manage.py up`, and everything that it printed."""

    def __init__(self, home: Path, output: str = "output", **environment: str) -> None:
        self.home = home
        self.port = free_port()
        self.output = home / output
        inherited = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "HTTPS")}
        with self.output.open("w") as written:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up", "--empty"],
                cwd=embedded.ROOT,
                env=inherited | {"RELAIS_HOME": str(home), "PORT": str(self.port)} | environment,
                stdin=subprocess.DEVNULL,
                stdout=written,
                stderr=written,
            )

    def text(self) -> str:
        return self.output.read_text()

    def ready(self) -> bool:
        """Whether it said so and answers; making a home takes a minute where three runs share two cores."""
        said = wait_until(lambda: "Ready" in self.text() or self.process.poll() is not None, PATIENCE)
        return said and "Ready" in self.text()

    def health(self) -> int:
        connection = http.client.HTTPConnection("localhost", self.port, timeout=15)
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status
        except OSError:
            return 0
        finally:
            connection.close()

    def page(self) -> tuple[int, str]:
        """Status and text of a page asked for with the cookie of a session: the database is asked for it."""
        connection = http.client.HTTPConnection("localhost", self.port, timeout=15)
        connection.request("GET", "/", headers={"Cookie": f"{settings.SESSION_COOKIE_NAME}={'k' * 32}"})
        answer = connection.getresponse()
        found = answer.status, answer.read().decode()
        connection.close()
        return found

    def process_of(self, name: str) -> int:
        """Process id of the child that runs this management command, 0 without one."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        for child in children:
            try:
                if f"\0{name}\0" in Path(f"/proc/{child}/cmdline").read_text():
                    return int(child)
            except OSError:
                continue
        return 0

    def everything(self) -> list[int]:
        return [self.process.pid, self.process_of("web"), self.process_of("worker")]

    def stop(self, number: int = signal.SIGINT) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(PATIENCE)


def kill(pid: int, number: int = signal.SIGKILL) -> None:
    """Send a signal to one process: 0 and -1 would mean our own group, and everybody."""
    assert pid > 1
    os.kill(pid, number)


def alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def with_database(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    return subprocess.run(
        [sys.executable, "manage.py", "with_database", *arguments],
        cwd=embedded.ROOT,
        env=inherited | {"RELAIS_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )


pytestmark = pytest.mark.xdist_group("supervisor")  # one home, made once
linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    folder = temporary_home()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def running(home: Path) -> Iterator[Callable[..., Up]]:
    """`running()`: the one that runs in the home, started if the test before ended it; with other settings, a fresh one.

    Each start is three programs to load, so tests share one for as long as it lives.
    """
    made: list[tuple[Up, dict[str, str]]] = []

    def find(**environment: str) -> Up:
        if made and made[-1][0].process.poll() is None:
            if made[-1][1] == environment:
                return made[-1][0]
            made[-1][0].stop()
        started = Up(home, **environment)
        made.append((started, environment))
        assert started.ready(), started.text()
        return started

    yield find
    if made:
        made[-1][0].stop()


@pytest.fixture
def up(running: Callable[..., Up]) -> Up:
    found = running()
    assert wait_until(lambda: found.health() == 200), found.text()
    return found


@linux
def test_it_answers_on_localhost(up: Up) -> None:
    assert up.health() == 200
    assert up.text().strip().split("\n")[-1].endswith(f"http://localhost:{up.port}/")
    assert all(up.everything())


def test_a_second_one_in_the_same_home_is_refused_in_one_sentence(up: Up) -> None:
    second = Up(up.home, output="second")
    assert second.process.wait(PATIENCE) == 1
    assert (
        second.text()
        == f"Relais: It already runs here, on port {up.port} (process {up.process.pid}): stop that one first.\n"
    )


@linux
def test_children_that_are_killed_come_back_and_it_says_so(up: Up) -> None:
    web, worker = up.process_of("web"), up.process_of("worker")
    kill(web)
    kill(worker)
    assert wait_until(lambda: up.process_of("web") not in (0, web) and up.process_of("worker") not in (0, worker))
    assert wait_until(lambda: up.health() == 200)
    assert "The web server stopped (status -9): again in 0.5 s." in up.text()
    assert "The worker stopped (status -9): again in 0.5 s." in up.text()


@linux
def test_a_database_restarted_under_load_costs_some_answers_and_pages_recover(up: Up) -> None:
    stop, seen = threading.Event(), queue.SimpleQueue[tuple[float, int, str]]()

    def browse() -> None:
        while not stop.is_set():
            seen.put((time.monotonic(), *up.page()))
            stop.wait(0.05)

    threads = [threading.Thread(target=browse) for _number in range(8)]
    for thread in threads:
        thread.start()
    assert wait_until(lambda: seen.qsize() > 40)
    postmaster = int((up.home / "postgres" / "data" / "postmaster.pid").read_text().split("\n")[0])
    begun = time.monotonic()
    kill(postmaster, signal.SIGINT)
    assert wait_until(lambda: not alive(postmaster))
    assert wait_until(lambda: up.health() == 200)
    back = time.monotonic()
    time.sleep(1)
    stop.set()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    answers = [seen.get() for _number in range(seen.qsize())]
    assert {status for at, status, _text in answers if at < begun - 1 or at > back} == {302}
    lost = [text for _at, status, text in answers if status != 302]
    assert lost  # the database was away
    assert all("Relais n’a pas pu répondre" in text for text in lost)


@linux
def test_ctrl_c_leaves_no_process(up: Up) -> None:
    everyone = up.everything()
    assert all(everyone)
    assert up.stop() == 0
    assert up.text().strip().split("\n")[-1] == "Stopped."
    assert not any(alive(pid) for pid in everyone)
    assert processes(up.home) == []


def test_a_command_finds_a_database_with_its_tables_while_the_site_is_down(
    home: Path, running: Callable[..., Up]
) -> None:
    """The tables of a migration that was not made are made first."""
    if not (home / "postgres").exists():
        running().stop()
    undone = with_database(home, "migrate", "-v0", "liaison", "0003")
    assert undone.returncode == 0, undone.stderr
    listed = with_database(home, "showmigrations", "--list", "liaison")
    assert listed.returncode == 0, listed.stderr
    assert "[X] 0001_initial" in listed.stdout
    assert "[ ]" not in listed.stdout
    assert processes(home) == []


@linux
def test_https_serves_a_certificate_for_localhost_and_prints_the_key(running: Callable[..., Up]) -> None:
    up = running(HTTPS="1")
    assert re.search(r"Key that the demonstration page asks for: \w{10}\n", up.text())
    trusted = ssl.create_default_context(cafile=str(up.home / "keys" / "https.crt"))
    connection = http.client.HTTPSConnection("localhost", up.port, timeout=30, context=trusted)
    connection.request("GET", "/health")
    assert connection.getresponse().status == 200
    connection.close()


@linux
def test_a_supervisor_that_is_killed_leaves_no_process(running: Callable[..., Up]) -> None:
    up = running(HTTPS="1")
    everyone = up.everything()
    up.stop(signal.SIGKILL)
    gone = wait_until(lambda: not any(alive(pid) for pid in everyone) and processes(up.home) == [], PATIENCE)
    assert gone, (everyone, processes(up.home), up.text()[-2000:])


def test_a_port_in_use_is_told_before_anything_starts() -> None:
    home = temporary_home()
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        refused = Up(home, PORT=str(port))
        assert refused.process.wait(PATIENCE) == 1
    assert refused.text().startswith(f"Relais: Port {port} is in use: ")
    assert refused.text().count("\n") == 1
    assert not (home / "postgres").exists()
    shutil.rmtree(home)


def test_a_port_of_root_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "reserved to root" in supervisor._refusal(80, PermissionError())


def test_an_external_database_that_does_not_answer_is_told_without_its_password() -> None:
    home = temporary_home()
    refused = Up(home, DATABASE_URL="postgresql://relais:very-secret@127.0.0.1:1/relais")
    assert refused.process.wait(PATIENCE) == 1
    assert refused.text().startswith("Relais: The database of DATABASE_URL does not answer (")
    assert refused.text().count("\n") == 1
    assert "very-secret" not in refused.text()
    shutil.rmtree(home)


def test_waiting_visitors_are_served_by_the_web_server_that_comes_back() -> None:
    """The sockets belong to the supervisor: a connection made while no web server runs is kept."""
    port = free_port()
    sockets = supervisor.listen(port, everywhere=False)
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            pass
        with pytest.raises(supervisor.PortTaken):
            supervisor.listen(port, everywhere=False)
    finally:
        for each in sockets:
            each.close()


def test_a_child_that_keeps_failing_is_started_ever_less_often() -> None:
    said: list[str] = []
    child = supervisor.Child("job", ["no_such_command"])
    with supervisor.Supervisor([child], said.append) as watched:
        deadline = time.monotonic() + 90
        while len(said) < 2 and time.monotonic() < deadline:
            watched.tick()
            time.sleep(0.05)
    assert said == ["The job stopped (status 1): again in 0.5 s.", "The job stopped (status 1): again in 1 s."]
