"""(d) Fresh clone → first page, and stopped → first page: what a newcomer waits for."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from bench import servers

LONGEST = 1200.0  # seconds until the first page, packages included
STOPPING = 60.0


def run(report: dict[str, Any]) -> None:
    """Fill `report["start"]`: seconds. The clone is of what is committed; its packages come as `make run` gets them."""
    folder = Path(tempfile.mkdtemp(prefix="relais-bench-"))
    folder.chmod(0o711)  # as root, the database runs as another user
    try:
        clone, home = folder / "relais", folder / "home"
        subprocess.run(["git", "clone", "--quiet", str(servers.ROOT), str(clone)], check=True)
        fresh, steps = _until_first_page(clone, home)
        again, _steps = _until_first_page(clone, home)
        report["start"] = {"fresh clone": fresh, "stopped": again, "steps of the first": steps}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _until_first_page(clone: Path, home: Path) -> tuple[float, list[str]]:
    """Seconds from `make run` to the demo page, and what it said; stopped by Ctrl-C."""
    port = servers.free_port()
    kept = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    begun = time.monotonic()
    process = subprocess.Popen(
        ["make", "run", f"PORT={port}"],
        cwd=clone,
        env={**kept, "RELAIS_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        while not _answers(port):
            if process.poll() is not None or time.monotonic() - begun > LONGEST:
                raise RuntimeError(f"make run did not answer: {_stop(process)}")
            time.sleep(0.05)
        took = time.monotonic() - begun
    finally:
        said = _stop(process)
    return round(took, 1), said


def _stop(process: subprocess.Popen[str]) -> list[str]:
    """Ctrl-C for the whole group; what it said."""
    if process.stdout and process.stdout.closed:
        return []
    try:
        os.killpg(process.pid, signal.SIGINT)
        said, _nothing = process.communicate(timeout=STOPPING)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        said, _nothing = process.communicate()
    except ProcessLookupError:
        said, _nothing = process.communicate()
    return said.strip().splitlines()


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://localhost:{port}/", timeout=10) as answer:
            return answer.status == 200 and b"Relais" in answer.read()
    except OSError:
        return False
