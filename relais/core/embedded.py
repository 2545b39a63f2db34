"""The embedded PostgreSQL: where it lies, its secrets, and how a process comes to use it.

Standard library only: the settings import this before Django exists. Each process that needs the server takes
a shared lock on `users.lock` (see `start`); a guard process (`relais.core.guard`) runs the server for as long
as somebody holds that lock: it stops with its last user, even one killed with `kill -9`.
"""

import fcntl
import hashlib
import os
import secrets
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[2]
SOCKET_NAME = ".s.PGSQL.5432"
SOCKET_PATH_MAX = 103  # sun_path holds 104 bytes on macOS and 108 on Linux, its final zero included
START_SECONDS = 60.0  # a server that was killed needs some 20 s until its shared memory is free


class Unavailable(Exception):
    """The embedded database cannot serve: the sentence says why and what to do."""


def _digest(path: Path) -> str:
    return hashlib.sha256(str(path).encode()).hexdigest()[:12]


def home(base_dir: Path, override: str) -> Path:
    """Folder of the database, the files and the keys: `override`, else one that belongs to this checkout.

    As root it stands under /var/lib, where the database's own user can reach it; otherwise in `.relais/`.
    """
    if override:
        return Path(override).resolve()
    if os.geteuid() == 0:
        return Path(f"/var/lib/relais-{_digest(base_dir.resolve())}")
    return base_dir.resolve() / ".relais"


def make_home(home: Path) -> None:
    """Create the folder: ours alone, but as root others may cross it (the database runs as another user)."""
    if home.is_dir():
        return
    if not home.parent.is_dir():
        make_home(home.parent)
    try:
        home.mkdir(mode=0o700)
    except FileExistsError:
        return
    except OSError as error:
        raise Unavailable(f"{home} cannot be created ({error.strerror}): choose another with RELAIS_HOME.") from None
    if os.geteuid() == 0:
        home.chmod(0o711)


def secret(home: Path, name: str) -> str:
    """The random secret of that name (43 characters), made once, kept 0600 in `keys/`."""
    path = home / "keys" / name
    if not path.exists():
        make_home(home)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        fresh = path.with_name(f".{name}.{secrets.token_hex(8)}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(32))
        try:
            path.hardlink_to(fresh)
        except FileExistsError:
            pass  # another process was faster: its secret is the one
        finally:
            fresh.unlink()
    return path.read_text()


def connection(home: Path) -> dict[str, str]:
    """What Django's DATABASES needs to reach the server of `home`; no password before its first start."""
    password = home / "keys" / "postgres"
    return {
        "NAME": "relais",
        "USER": "relais",
        "PASSWORD": password.read_text() if password.exists() else "",
        "HOST": str(socket_dir(home)),
        "PORT": "5432",
    }


def owner(home: Path) -> tuple[int, int] | None:
    """uid and gid of the database's processes; None: those of the current user.

    PostgreSQL refuses to run as root, so root lends it an identity that no account of the machine has.
    """
    if os.geteuid() != 0:
        return None
    folder = home / "postgres"
    if folder.exists():
        found = folder.stat()
        return found.st_uid, found.st_gid
    import pwd  # noqa: PLC0415 (absent where the rest of this file still imports)

    taken = {entry.pw_uid for entry in pwd.getpwall()}
    uid = 50000 + int(_digest(home), 16) % 10000
    while uid in taken:
        uid += 1
    return uid, uid


def socket_dir(home: Path) -> Path:
    """Folder of the unix socket: beside the data, or a short one under /tmp when that path is too long."""
    inside = home / "postgres" / "run"
    if len(os.fsencode(inside / SOCKET_NAME)) <= SOCKET_PATH_MAX:
        return inside
    ids = owner(home)
    return Path("/tmp") / f"relais-{ids[0] if ids else os.getuid()}-{_digest(home)}"  # noqa: S108 (checked by own)


def own(folder: Path, ids: tuple[int, int] | None) -> None:
    """Make a folder that the database's user alone enters; refuse one that somebody else prepared."""
    uid, gid = ids or (os.geteuid(), os.getegid())
    try:
        folder.mkdir(mode=0o700)
        os.chown(folder, uid, gid)
    except FileExistsError:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != uid or stat.S_IMODE(found.st_mode) & 0o077:
            raise Unavailable(f"{folder} is not a private folder of the database: move it away.") from None


def lock(home: Path, name: str, kind: int) -> IO[str] | None:
    """The lock file, held until it is closed; None when another process holds it (`kind` with LOCK_NB)."""
    make_home(home)
    file = os.fdopen(os.open(home / name, os.O_RDWR | os.O_CREAT, 0o600), "r+")
    try:
        fcntl.flock(file, kind)
    except BlockingIOError:
        file.close()
        return None
    return file


def ready(home: Path) -> bool:
    """Whether a server runs on this data, says that it is ready, and answers on our socket."""
    try:
        lines = (home / "postgres" / "data" / "postmaster.pid").read_text().split("\n")
        if lines[7].strip() != "ready":
            return False
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(str(socket_dir(home) / SOCKET_NAME))
    except (OSError, IndexError):
        return False
    return True


class Server:
    """One process's use of the running server: it stays up until its last user stops or dies."""

    def __init__(self, home: Path, users: IO[str], guard: subprocess.Popen | None) -> None:
        self.home = home
        self._users = users
        self._guard = guard  # when it is a child of ours

    def guarded(self) -> bool:
        """Whether a guard still looks after the server; if not, somebody killed it and `start` is due again."""
        return _guarded(self.home)

    def release(self) -> None:
        """Give up the use without waiting for anything."""
        self._users.close()
        _disown(self._guard)

    def stop(self, seconds: float = 60.0) -> None:
        """Give up the use; returns once the server is gone, or at once when others still use it."""
        self._users.close()
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            guard = lock(self.home, "guard.lock", fcntl.LOCK_EX | fcntl.LOCK_NB)
            if guard:
                guard.close()
                if self._guard:
                    self._guard.wait()
                return
            if self._used_by_others():
                break
            time.sleep(0.02)
        self.release()

    def _used_by_others(self) -> bool:
        """Shared, not exclusive: others use it. Neither: the guard is stopping it. Both: it is about to."""
        for kind, answer in ((fcntl.LOCK_EX, False), (fcntl.LOCK_SH, True)):
            held = lock(self.home, "users.lock", kind | fcntl.LOCK_NB)
            if held:
                held.close()
                return answer
        return False


def start(home: Path, *, durable: bool = True, seconds: float = START_SECONDS) -> Server:
    """Use the server of `home`, made and started if need be; `durable=False` gives up fsync (tests).

    Raises Unavailable with one sentence (no binaries, another major version, data held by another server…).
    """
    deadline = time.monotonic() + seconds
    users = None
    while not users:  # refused only while a guard is stopping the server
        users = lock(home, "users.lock", fcntl.LOCK_SH | fcntl.LOCK_NB)
        if not users:
            _pause(deadline, f"The database in {home} does not finish stopping.")
    guard = None
    try:
        with _starting(home):
            if not ready(home) or not _guarded(home):
                guard = _start(home, durable, deadline)
    except BaseException:
        users.close()
        raise
    return Server(home, users, guard)


@contextmanager
def ensure(home: Path) -> Iterator[None]:
    """The server runs inside the `with`: the one that runs already, or one started for it."""
    server = start(home)
    try:
        yield
    finally:
        server.stop()


@contextmanager
def _starting(home: Path) -> Iterator[None]:
    held = lock(home, "start.lock", fcntl.LOCK_EX)
    try:
        yield
    finally:
        if held:
            held.close()


def _pause(deadline: float, sentence: str) -> None:
    if time.monotonic() > deadline:
        raise Unavailable(sentence)
    time.sleep(0.02)


def _guarded(home: Path) -> bool:
    held = lock(home, "guard.lock", fcntl.LOCK_EX | fcntl.LOCK_NB)
    if held:
        held.close()
    return held is None


def _start(home: Path, durable: bool, deadline: float) -> subprocess.Popen | None:  # noqa: FBT001 (private)
    """The guard, when it is ours; None when one runs already and its server is only slow."""
    from relais.core import cluster  # noqa: PLC0415 (cluster imports this module)

    guard = None
    if not _guarded(home):
        cluster.prepare(home)
        with (home / "guard.log").open("w") as log:
            guard = subprocess.Popen(
                [sys.executable, "-m", "relais.core.guard", str(home), "durable" if durable else "fast", str(deadline)],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C in the terminal is for its users
            )
    while not ready(home):
        ended = guard and guard.poll() is not None
        if ended or time.monotonic() > deadline:
            _disown(guard)
            said = (home / "guard.log").read_text().strip().split("\n")[-1] if ended else ""
            raise Unavailable(said or f"The embedded database did not start: see {home}/postgres.log.")
        time.sleep(0.02)
    return guard


def _disown(guard: subprocess.Popen | None) -> None:
    """A guard that others still need: subprocess must not wait for it, nor warn that it runs on."""
    if guard and guard.poll() is None:
        guard.returncode = 0
