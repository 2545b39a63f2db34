"""The bench's databases, and the real web server and worker on them.

Everything lies in `bench/` of the home: an embedded server of its own, two databases that are kept between runs,
their files. The demo's own data is never touched.
"""

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from relais.core import embedded

ROOT = Path(__file__).resolve().parent.parent
HOME = embedded.home(ROOT, os.environ.get("RELAIS_HOME", "")) / "bench"
SIZES = ("tenth", "region")
SEED = 1
PATIENCE = 60.0  # seconds for a server to answer


def environment(size: str, port: int = 0) -> dict[str, str]:
    """What a process of the bench finds: our home and settings, nothing of the shell's own Relais settings."""
    kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "HTTPS", "RELAIS_MODE")}
    return {
        **kept,
        "RELAIS_HOME": str(HOME),
        "DJANGO_SETTINGS_MODULE": "bench.settings",
        "BENCH_DATABASE": f"bench_{size}",
        "PORT": str(port or 8000),
        "PYTHONPATH": str(ROOT),
    }


def manage(size: str, *arguments: str) -> None:
    """A command of manage.py on a database of the bench; its output goes to ours."""
    subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment(size), check=True)


@contextlib.contextmanager
def database() -> Iterator[None]:
    """The embedded server of the bench runs inside the `with`."""
    with embedded.ensure(HOME):
        yield


def built(size: str) -> dict[str, Any]:
    """What is noted of a database that was built, {} when there is none."""
    try:
        return json.loads((HOME / f"{size}.json").read_text())
    except (OSError, ValueError):
        return {}


def schema() -> str:
    """The names of the migrations: a database of older ones is built again."""
    names = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("relais/*/migrations/0*.py"))
    return " ".join(names)


def prepare(size: str, *, rebuild: bool) -> dict[str, Any]:
    """Build the region of `size` unless it is there already; returns when it was built and how long it took."""
    found = built(size)
    if found and not rebuild and found["schema"] == schema():
        print(f"{size}: reused, built {found['built']} in {found['seconds']} s (--rebuild makes it again)", flush=True)
        return found
    with psycopg.connect(**_server(), autocommit=True) as connection:
        name = sql.Identifier(f"bench_{size}")
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
    manage(size, "migrate", "--verbosity", "0")
    begun = time.monotonic()
    manage(size, "demo_region", "--size", size, "--seed", str(SEED))
    note = {
        "built": time.strftime("%Y-%m-%d %H:%M"),
        "seconds": round(time.monotonic() - begun),
        "schema": schema(),
    }
    (HOME / f"{size}.json").write_text(json.dumps(note))
    return note


def _server() -> dict[str, Any]:
    known = embedded.connection(HOME)
    return {
        "dbname": "postgres",
        "user": known["USER"],
        "password": known["PASSWORD"],
        "host": known["HOST"],
        "port": known["PORT"],
    }


@dataclass
class Web:
    """A web server that answers, or a worker, as a process of ours."""

    process: subprocess.Popen
    port: int

    def rss(self) -> float:
        """Resident memory now, in MB."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return round(int(line.split()[1]) / 1024, 1)
        return 0.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(size: str, command: str = "web") -> Iterator[Web]:
    """The real web server (or worker) on a database of the bench, stopped at the end."""
    port = free_port()
    log = (HOME / f"{size}-{command}.log").open("a")
    process = subprocess.Popen(
        [sys.executable, "manage.py", command], cwd=ROOT, env=environment(size, port), stdout=log, stderr=log
    )
    try:
        if command == "web":
            _wait(process, port, log.name)
        yield Web(process, port)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()


def _wait(process: subprocess.Popen, port: int, log: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/health")
            connection.getresponse().read()
        except OSError:
            time.sleep(0.1)
        else:
            connection.close()
            return
    sys.exit(f"Bench: the web server does not answer: see {log}.")


def facts(size: str, what: str) -> dict[str, Any]:
    """What `what` of bench/prepare.py tells of a database: sessions, addresses, forms."""
    made = subprocess.run(
        [sys.executable, "-m", "bench.prepare", what],
        cwd=ROOT,
        env=environment(size),
        check=True,
        stdout=subprocess.PIPE,
    )
    return json.loads(made.stdout)
