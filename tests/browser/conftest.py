"""Fixtures of the browser tests that need the whole site: the real server, in a process of its own, on the test database.

`site` signs people in and starts the server again; `page_of` opens a page as somebody.
What a test wrote is committed, so that the server sees it, and wiped at its end.
"""

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.conf import settings
from django.db import connection, connections
from django.test import Client
from playwright.sync_api import Error, expect

from relais.accounts.models import Membership, User
from relais.accounts.testing import client_of
from relais.core import health
from relais.core.testing.browser import RESULTS
from relais.patients.models import Grant
from relais.patients.testing import let_in
from tests.browser.call_scene import enter, scene  # noqa: F401 (fixtures)
from tests.browser.journey import house, picture  # noqa: F401 (fixtures)

ROOT = Path(__file__).parents[2]
PATIENCE = 30_000  # milliseconds: three processes share two cores, and a page late is not a page wrong
expect.set_options(timeout=PATIENCE)


class Server:
    """uvicorn on config.asgi, as in production but for its database."""

    def __init__(self, log: Path, **environment: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.base = f"http://localhost:{self.port}"
        self._log = log
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "uvicorn", "config.asgi:application", "--port", str(self.port)]
        options = ["--log-level", "warning", "--no-access-log", "--timeout-graceful-shutdown", "2"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command + options, cwd=ROOT, env=self._settings(), stdout=log, stderr=subprocess.STDOUT
            )
        deadline = time.monotonic() + 120
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                pytest.fail(f"The site did not start:\n{self._log.read_text()[-3000:]}")
            time.sleep(0.1)

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def errors(self) -> str:
        """What the server wrote about bugs."""
        text = self._log.read_text() if self._log.exists() else ""
        return text if "Traceback" in text else " " * len(text)

    def _settings(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if key != "DJANGO_ALLOW_ASYNC_UNSAFE"}
        base = connections["default"].settings_dict
        who = f"{quote(base['USER'])}:{quote(base['PASSWORD'])}"
        where = urlencode({"host": base["HOST"], "port": base["PORT"]})
        return {
            **kept,
            "DATABASE_URL": f"postgresql://{who}@/{base['NAME']}?{where}",
            "SECRET_KEY": settings.SECRET_KEY,
            "RELAIS_HOME": str(settings.HOME),
            "FILES_DIR": str(settings.FILES_DIR),
            "FILES_KEY_FILE": str(settings.FILES_KEY_FILE),
            "SECRETS_KEY_FILE": str(settings.SECRETS_KEY_FILE),
            "ANSWERS_KEY_FILE": str(settings.ANSWERS_KEY_FILE),
            "SYNTHETIC_DATA": "1",  # the demo page, and messages without a server
            "PUBLIC_URL": self.base,
            "PORT": str(self.port),
            **self._environment,
        }

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.base}/static/core/tokens.css", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False


class Site:
    """The running site, for one test."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.base = server.base

    def cookies_of(self, who: Membership | User | Grant | None) -> list[dict[str, str]]:
        """The cookies of a browser where `who` is signed in (a professional) or was let in (a grant's holder)."""
        if who is None:
            return []
        client = let_in(Client(), who) if isinstance(who, Grant) else client_of(who)
        return [{"name": one.key, "value": one.value, "url": self.base} for one in client.cookies.values()]

    def restart(self) -> None:
        """Stop the server and start it again on the same port."""
        self.server.stop()
        self.server.start()


@pytest.fixture(scope="session")
def server_environment() -> dict[str, str]:
    """Environment variables of the site under test beside those of the database; a package may override it."""
    return {}


@pytest.fixture(scope="session")
def _server(
    django_db_setup: None,
    django_db_blocker: Any,
    server_environment: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("site") / "server.log", **server_environment)
    with django_db_blocker.unblock():
        server.start()
    yield server
    server.stop()


@pytest.fixture
def site(_server: Server, transactional_db: None) -> Iterator[Site]:
    """The running site; the test's rows are committed as it makes them, and wiped at its end."""
    scheduler_on_time()
    yield Site(_server)
    wait_until_idle()
    with connection.cursor() as cursor:  # not Django's own, so its flush would leave them
        cursor.execute("TRUNCATE procrastinate_jobs, procrastinate_events, procrastinate_periodic_defers CASCADE")


def scheduler_on_time() -> None:
    """As if a worker ran beside the site: no page says that reminders are late.

    For every test: the server keeps what it found for five seconds, into the next one.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_periodic_defers (task_name, defer_timestamp, periodic_id) VALUES (%s, %s, '')",
            [health.HEARTBEAT, int(time.time()) + 900],
        )


def wait_until_idle() -> None:
    """Until the server has worked off what closing pages sent: wiping meanwhile would be a deadlock."""
    busy = """SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle'
              AND pid <> pg_backend_pid()"""
    calm = 0
    for _ in range(100):
        with connection.cursor() as cursor:
            cursor.execute(busy)
            calm = calm + 1 if cursor.fetchone() == (0,) else 0
        if calm == 3:
            return
        time.sleep(0.05)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: Any) -> Any:
    report = yield
    pages = getattr(item, "pages", [])
    if report.when == "call" and report.failed:
        RESULTS.mkdir(exist_ok=True)
        opened = [one for page in pages for one in page.context.pages if not one.is_closed()]
        for number, page in enumerate(opened):
            with contextlib.suppress(Error):
                page.screenshot(path=RESULTS / f"failed-{item.name}-{number}.png", full_page=True)
    return report


@pytest.fixture
def page_of(request: pytest.FixtureRequest, site: Site, open_page: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """`page_of(who, path, **options)`: a browser of its own where `who` is signed in, at `path` when given.

    A failed test leaves pictures of its pages in test-results/; a bug of the server fails the test.
    `who`: a Membership or User, a Grant, or None (a stranger). Options as for `open_page`, and `scripts`: what runs
    before each page does.
    """

    def make(
        who: Membership | User | Grant | None, path: str = "", *, scripts: tuple[str, ...] = (), **options: Any
    ) -> Any:
        page = open_page(**options)
        page.set_default_timeout(PATIENCE)
        request.node.pages = [*getattr(request.node, "pages", []), page]
        if cookies := site.cookies_of(who):
            page.context.add_cookies(cookies)
        for script in scripts:
            page.add_init_script(script)
        if path:
            page.goto(site.base + path)
        return page

    before = len(site.server.errors())
    yield make
    if errors := site.server.errors()[before:].strip():
        pytest.fail(f"The server complained:\n{errors[-6000:]}")
