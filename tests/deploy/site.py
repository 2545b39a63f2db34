"""deploy/ as it is shipped: nginx before a production site, on the loopback."""

import http.client
import os
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPMessage
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings

from relais.core import certificate

ROOT: Path = settings.BASE_DIR
DEPLOY = ROOT / "deploy"
START = 60.0  # seconds for a program to answer, on a machine that does other things
MB = 1024 * 1024


def nginx_program() -> str:
    """The path of nginx; skips without one."""
    found = os.environ.get("NGINX") or shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if not found:
        pytest.skip("nginx is not installed here and could not be: apt install nginx")
    return found


def dashed(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@dataclass(frozen=True)
class Answer:
    status: int
    headers: HTTPMessage
    text: str


def answer_of(connection: http.client.HTTPConnection) -> Answer:
    """The answer, read; the connection is closed."""
    with closing(connection):
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read().decode(errors="replace"))


@dataclass
class Site:
    """The site as a browser sees it, through nginx."""

    folder: Path
    environment: dict[str, str]
    https_port: int
    http_port: int
    session: str = ""
    topic: str = ""

    @property
    def tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.folder / "chain.pem"))

    def manage(self, *arguments: str, **more: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment | more,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def tell_database(self, statement: str, *values: str) -> None:
        """Run a statement on the site's database, as its owner."""
        with psycopg.connect(self.environment["DATABASE_URL"]) as owner:
            owner.execute(statement, values)

    def connect(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection("localhost", self.https_port, timeout=START, context=self.tls)

    def ask(self, path: str, method: str = "GET", body: Any = None, **headers: str) -> Answer:
        """Header names have _ for -."""
        connection = self.connect()
        connection.request(method, path, body=body, headers=dashed(headers))
        return answer_of(connection)

    def signed_in(self, **more: str) -> dict[str, str]:
        """Headers of the member's browser, with a token for forms."""
        token = secrets.token_hex(16)
        return {
            "Cookie": f"relais_session={self.session}; csrftoken={token}",
            "X_CSRFToken": token,
            "Origin": f"https://localhost:{self.https_port}",
            "Referer": f"https://localhost:{self.https_port}/",
            **more,
        }


@contextmanager
def running(site: Site, program: str, web_port: int) -> Iterator[None]:
    """The web server and nginx, until the end of the `with`."""
    chain, key = certificate.ensure(site.folder / "tls")
    shutil.copy(chain, site.folder / "chain.pem")
    configuration = site.folder / "nginx.conf"
    configuration.write_text(main_configuration(site, chain, key, web_port))
    nginx = [program, "-e", "stderr", "-p", str(site.folder), "-c", str(configuration), "-g", "daemon off;"]
    with (site.folder / "log").open("w") as log:
        processes = [
            subprocess.Popen(
                [sys.executable, "manage.py", "web"], cwd=ROOT, env=site.environment, stdout=log, stderr=log
            ),
            subprocess.Popen(nginx, stdout=log, stderr=log),
        ]
        try:
            wait_for(site, processes)
            yield
        finally:
            for process in reversed(processes):
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()


def wait_for(site: Site, processes: list[subprocess.Popen]) -> None:
    """Until the first page is answered. Fails with what the programs said."""
    deadline = time.monotonic() + START
    while time.monotonic() < deadline and all(process.poll() is None for process in processes):
        try:
            if site.ask("/bienvenue/").status == 200:
                return
        except OSError:
            pass  # not listening yet
        time.sleep(0.2)
    pytest.fail((site.folder / "log").read_text())


def main_configuration(site: Site, chain: Path, key: Path, web_port: int) -> str:
    """deploy/nginx.conf with the lines marked CHANGE changed, inside what Debian's nginx.conf puts around it."""
    text = (DEPLOY / "nginx.conf").read_text()
    changes = {
        "127.0.0.1:8000": f"127.0.0.1:{web_port}",
        "listen 443 ssl": f"listen 127.0.0.1:{site.https_port} ssl",
        "listen 80 ": f"listen 127.0.0.1:{site.http_port} ",
        "https://relais.example.fr": f"https://localhost:{site.https_port}",
        "relais.example.fr": "localhost",
        "/etc/ssl/relais/fullchain.pem": str(chain),
        "/etc/ssl/relais/privkey.pem": str(key),
        "/var/www/relais/static/": f"{site.folder}/static/",
        "/var/log/nginx/relais-error.log": f"{site.folder}/nginx-error.log",
    }
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    temporary = "\n".join(
        f"{kind}_temp_path {site.folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;" if os.geteuid() == 0 else ""
    types = "types { text/css css; application/javascript js; image/svg+xml svg; font/woff2 woff2; }"
    return (
        f"{user}\npid {site.folder}/nginx.pid;\nevents {{}}\n"
        f"http {{\n{types}\ndefault_type application/octet-stream;\n{temporary}\n{text}\n}}\n"
    )
