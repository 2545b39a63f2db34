"""The embedded PostgreSQL: who may use it, when it stops, what it says when it cannot serve."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from relais.core import cluster, embedded

CRASHING_USER = "import sys; from pathlib import Path; from relais.core import embedded; import time; "
CRASHING_USER += "server = embedded.start(Path(sys.argv[1]), durable=False); print('up', flush=True); time.sleep(60)"


def temporary_home() -> Path:
    """A folder that the database's user may cross, which pytest's own are not for root."""
    home = Path(tempfile.mkdtemp(prefix="relais-home-"))
    if os.geteuid() == 0:
        home.chmod(0o711)
    return home


@pytest.fixture
def home() -> Iterator[Path]:
    folder = temporary_home()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    """A home whose data directory is there already."""
    folder = temporary_home()
    embedded.start(folder, durable=False).stop()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def processes(home: Path) -> list[str]:
    listed = subprocess.run(["ps", "-ww", "-eo", "pid=,args="], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.split("\n") if str(home) in line]


def ask(home: Path, query: str) -> object:
    given = embedded.connection(home)
    with psycopg.connect(
        dbname=given["NAME"],
        user=given["USER"],
        password=given["PASSWORD"],
        host=given["HOST"],
        port=given["PORT"],
        autocommit=True,
    ) as connection:
        found = connection.execute(query)
        return found.fetchone()[0] if found.description else None


def postmaster(home: Path) -> int:
    return int((home / "postgres" / "data" / "postmaster.pid").read_text().split("\n")[0])


def wait_until(condition, seconds: float = 60.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


def test_stop_leaves_no_process_and_keeps_the_data(made: Path) -> None:
    server = embedded.start(made, durable=False)
    ask(made, "CREATE TABLE kept AS SELECT 42 AS value")
    server.stop()
    assert processes(made) == []
    again = embedded.start(made, durable=False)
    assert ask(made, "SELECT value FROM kept") == 42
    again.stop()


def test_our_role_may_create_our_extensions_and_is_no_superuser(made: Path) -> None:
    server = embedded.start(made, durable=False)
    for extension in ("btree_gist", "pg_trgm", "unaccent", "pgcrypto"):
        ask(made, f"CREATE EXTENSION IF NOT EXISTS {extension}")
    assert ask(made, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
    server.stop()


def test_text_is_ordered_as_in_french(made: Path) -> None:
    server = embedded.start(made, durable=False)
    names = "SELECT string_agg(name, ' ' ORDER BY name) FROM unnest(ARRAY['Zoe', 'eric', 'zoé', 'Élodie']) AS name"
    assert ask(made, names) == "Élodie eric Zoe zoé"
    server.stop()


def test_a_wrong_password_is_refused(made: Path) -> None:
    server = embedded.start(made, durable=False)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(dbname="relais", user="relais", password="wrong", host=embedded.connection(made)["HOST"])
    server.stop()


def test_the_server_stays_until_its_last_user_stops(made: Path) -> None:
    first, second = embedded.start(made, durable=False), embedded.start(made, durable=False)
    first.stop()
    assert ask(made, "SELECT 1") == 1
    second.stop()
    assert wait_until(lambda: processes(made) == [])  # the guard, no child of `second`, lets go just before it ends


def test_a_user_that_is_killed_leaves_no_process(made: Path) -> None:
    user = subprocess.Popen([sys.executable, "-c", CRASHING_USER, str(made)], cwd=embedded.ROOT, stdout=subprocess.PIPE)
    assert user.stdout
    assert user.stdout.readline() == b"up\n"
    user.kill()
    user.wait()
    user.stdout.close()
    assert wait_until(lambda: processes(made) == [])


def test_a_server_that_is_killed_comes_back_with_what_was_committed(made: Path) -> None:
    server = embedded.start(made)
    ask(made, "CREATE TABLE committed AS SELECT 7 AS value")
    killed = postmaster(made)
    os.kill(killed, signal.SIGKILL)
    assert wait_until(lambda: embedded.ready(made) and postmaster(made) != killed, 30)
    assert ask(made, "SELECT value FROM committed") == 7
    server.stop()
    assert processes(made) == []


@pytest.mark.skipif(sys.platform != "linux", reason="needs the death signal of Linux")
def test_a_guard_that_is_killed_takes_the_server_along(made: Path) -> None:
    server = embedded.start(made, durable=False)
    guard = next(int(line.split()[0]) for line in processes(made) if "relais.core.guard" in line)
    os.kill(guard, signal.SIGKILL)
    assert wait_until(lambda: processes(made) == [])
    assert not server.guarded()
    embedded.start(made, durable=False).release()
    assert ask(made, "SELECT 1") == 1
    server.stop()


def test_data_held_by_another_server_is_refused_in_one_sentence(made: Path) -> None:
    elsewhere = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={made}/postgres"]
    program = cluster.command("postgres", "-D", str(made / "postgres" / "data"), *elsewhere)
    identity = cluster.identity(embedded.owner(made), made / "postgres")
    other = subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **identity)
    assert wait_until(lambda: (made / "postgres" / "data" / "postmaster.pid").exists())
    try:
        with pytest.raises(embedded.Unavailable, match=rf"Another PostgreSQL \(process {other.pid}\) holds the data"):
            embedded.start(made, durable=False)
    finally:
        other.send_signal(signal.SIGINT)
        other.wait(60)


def test_data_of_another_major_version_is_refused_in_one_sentence(made: Path) -> None:
    version = made / "postgres" / "data" / "PG_VERSION"
    ours = version.read_text()
    version.write_text("15\n")
    try:
        with pytest.raises(embedded.Unavailable, match="is PostgreSQL 15's and this Relais brings 18"):
            embedded.start(made, durable=False)
    finally:
        version.write_text(ours)


def test_lost_password_is_told_before_anything_starts(made: Path) -> None:
    password = made / "keys" / "postgres"
    kept = password.rename(password.with_name("kept"))
    try:
        with pytest.raises(embedded.Unavailable, match=r"password of the data .* is lost"):
            embedded.start(made, durable=False)
    finally:
        kept.rename(password)


def test_missing_binaries_are_told_in_one_sentence(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "PACKAGES", home / "nowhere")
    with pytest.raises(embedded.Unavailable, match="not installed"):
        embedded.start(home)


def test_secrets_are_private_and_the_same_for_all_who_ask_at_once(home: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: embedded.secret(home, "key"), range(32)))
    assert len(found) == 1
    assert len(found.pop()) == 43
    assert (home / "keys" / "key").stat().st_mode & 0o777 == 0o600
    assert (home / "keys").stat().st_mode & 0o777 == 0o700
    assert [path.name for path in (home / "keys").iterdir()] == ["key"]


def test_a_long_path_gets_a_short_private_socket(home: Path) -> None:
    deep = home / ("a" * 60) / ("b" * 60)
    folder = embedded.socket_dir(deep)
    assert len(str(folder / embedded.SOCKET_NAME)) <= embedded.SOCKET_PATH_MAX
    assert embedded.socket_dir(home) == home / "postgres" / "run"


def test_a_folder_that_somebody_else_prepared_is_refused(home: Path) -> None:
    open_to_all = home / "open"
    open_to_all.mkdir(mode=0o755)
    link = home / "link"
    link.symlink_to(home)
    for folder in (open_to_all, link):
        with pytest.raises(embedded.Unavailable, match="not a private folder"):
            embedded.own(folder, None)


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone lends the server another user")
def test_as_root_a_home_that_others_cannot_cross_is_refused_and_not_loosened(home: Path) -> None:
    home.chmod(0o700)
    with pytest.raises(embedded.Unavailable, match="cannot cross"):
        embedded.start(home / "inside")
    assert home.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone lends the server another user")
def test_as_root_the_server_runs_as_a_user_without_account(made: Path) -> None:
    ids = embedded.owner(made)
    assert ids
    assert 50000 <= ids[0] < 61000
    assert (made / "postgres").stat().st_uid == ids[0]
    assert (made / "postgres").stat().st_mode & 0o777 == 0o700
