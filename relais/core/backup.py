"""Saving an installation: database and files in one encrypted archive, keys in another (docs/adr/0006).

The archive is a tar stream encrypted with age for the key of the files. Its members, in order: `header.json`,
`tables/<table>/<number>.gz` (COPY text, parents before children), `files/<2 hex>/<uuid>.age` (as they lie on disk),
`manifest.json` (counts and hashes, checked before a restore commits). It is read and written as a stream: no clear
copy of the data ever lies on a disk.
"""

import gzip
import hashlib
import io
import json
import os
import tarfile
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import IO, Any

import psycopg
import pyrage
from django.conf import settings
from django.db import connection
from django.utils import timezone
from psycopg import sql

from relais.core import keys

FORMAT = 1
CHUNK = 8 << 20  # bytes of a table in one member
# Not saved: what the tables' own state says, and sessions (a revoked one must not come back).
LEFT_OUT = ("django_migrations", "django_session", "usersessions_usersession")
TABLES = """
SELECT c.oid, c.relname FROM pg_class c
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
 ORDER BY c.relname
"""
COLUMNS = """
SELECT attname FROM pg_attribute
 WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum
"""
# Constraints that cannot wait for the end of the transaction: their parents are loaded first.
PARENTS = """
SELECT conrelid, confrelid FROM pg_constraint WHERE contype = 'f' AND NOT condeferrable AND conrelid <> confrelid
"""
SEQUENCES = "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public' ORDER BY sequencename"
TOO_SLOW, TURNS, PAUSE = "Excessive work", 20, 0.5  # the words of age; how often it is asked again; seconds between
KEY_FILES = ("files.key", "secrets.key", "answers.key", "django")


class Failed(Exception):
    """The backup or restore cannot be done: the sentence says why and what to do."""


@dataclass
class Summary:
    """What an archive holds."""

    tables: int = 0
    rows: int = 0
    files: int = 0
    size: int = 0  # bytes of the files


def write(target: Path, *, say: Callable[[str], None]) -> Summary:
    """Save the database as it is at one instant, and the files, into `target`, which must not exist.

    Files are whole before their row commits and never change, so the disk holds every file of that instant.
    """
    if target.exists():
        raise Failed(f"{target} exists: choose another name.")
    partial = target.with_name(f".{target.name}.partial")
    summary = Summary()
    try:
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            with _encrypted(file) as pipe, tarfile.open(fileobj=pipe, mode="w|") as archive:
                _write(archive, summary, say)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(target)
    except OSError as error:
        raise Failed(f"{target} cannot be written ({error.strerror}).") from None
    finally:
        partial.unlink(missing_ok=True)
    return summary


def _write(archive: tarfile.TarFile, summary: Summary, say: Callable[[str], None]) -> None:
    hashes: dict[str, dict[str, Any]] = {}
    with snapshot() as cursor:
        tables = ordered_tables(cursor)
        _add(archive, "header.json", json.dumps(_header(cursor, tables)).encode())
        for table, columns in tables.items():
            hashes[table] = _add_table(archive, cursor, table, columns)
            summary.tables += 1
            summary.rows += hashes[table]["rows"]
    say(f"Database: {summary.rows} rows in {summary.tables} tables.")
    files = hashlib.sha256()
    for path in sorted(settings.FILES_DIR.glob("[0-9a-f][0-9a-f]/*.age")):
        if not path.name.startswith("."):
            files.update(_add_file(archive, path))
            summary.files += 1
            summary.size += path.stat().st_size
    say(f"Files: {summary.files}, {summary.size / 1e6:.1f} MB.")
    manifest = {"tables": hashes, "files": {"count": summary.files, "sha256": files.hexdigest()}}
    _add(archive, "manifest.json", json.dumps(manifest).encode())


@contextmanager
def snapshot() -> Iterator[psycopg.Cursor]:
    """A read-only cursor that sees one instant of the database."""
    connection.ensure_connection()
    raw: psycopg.Connection = connection.connection
    with raw.transaction(), raw.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield cursor


def ordered_tables(cursor: psycopg.Cursor) -> dict[str, list[str]]:
    """Our tables and their stored columns, parents first where a constraint cannot be deferred."""
    names: dict[int, str] = dict(cursor.execute(TABLES).fetchall())
    parents: dict[int, set[int]] = {oid: set() for oid in names}
    for child, parent in cursor.execute(PARENTS).fetchall():
        if child in parents:
            parents[child].add(parent)
    found: dict[str, list[str]] = {}
    while parents:
        free = [oid for oid, waiting in parents.items() if not waiting & parents.keys()]
        for oid in free or list(parents):
            del parents[oid]
            if names[oid] not in LEFT_OUT:
                found[names[oid]] = [column for (column,) in cursor.execute(COLUMNS, [oid]).fetchall()]
    return found


def _header(cursor: psycopg.Cursor, tables: dict[str, list[str]]) -> dict[str, Any]:
    migrations = cursor.execute("SELECT app, name FROM django_migrations ORDER BY app, name").fetchall()
    return {
        "format": FORMAT,
        "made_at": timezone.now().isoformat(),
        "relais": version(),
        "postgresql": connection.connection.info.server_version,
        "migrations": migrations,
        "tables": tables,
        "sequences": dict(cursor.execute(SEQUENCES).fetchall()),
    }


def version() -> str:
    """Version of this Relais (pyproject.toml)."""
    return str(tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())["project"]["version"])


def _add_table(archive: tarfile.TarFile, cursor: psycopg.Cursor, table: str, columns: list[str]) -> dict[str, Any]:
    digest, number, held = hashlib.sha256(), 0, bytearray()
    with cursor.copy(copy_statement(table, columns, "TO STDOUT")) as copy:
        for block in copy:
            digest.update(block)
            held += block
            if len(held) >= CHUNK:
                _add(archive, f"tables/{table}/{number:06}.gz", gzip.compress(bytes(held), 1))
                number, held = number + 1, bytearray()
    if held:
        _add(archive, f"tables/{table}/{number:06}.gz", gzip.compress(bytes(held), 1))
    return {"rows": cursor.rowcount, "sha256": digest.hexdigest()}


def copy_statement(table: str, columns: list[str], rest: str) -> sql.Composed:
    return sql.SQL("COPY {} ({}) {}").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns)), sql.SQL(rest)
    )


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))


def _add_file(archive: tarfile.TarFile, path: Path) -> bytes:
    """Add one encrypted file; returns the hash of its name and content."""
    name = f"files/{path.parent.name}/{path.name}"
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        info = tarfile.TarInfo(name)
        info.size = file.tell()
        file.seek(0)
        archive.addfile(info, file)
    return f"{name} {digest.hexdigest()}\n".encode()


@contextmanager
def _encrypted(target: IO[bytes]) -> Iterator[IO[bytes]]:
    """What is written into the pipe comes out encrypted in `target`, for the key of the files."""
    recipient = keys.recipient(settings.FILES_KEY_FILE)
    with piped(lambda inner: pyrage.encrypt_io(inner, target, [recipient]), reads=True) as pipe:
        yield pipe


@contextmanager
def piped(work: Callable[[IO[bytes]], None], *, reads: bool) -> Iterator[IO[bytes]]:
    """Run `work(inner)` in a thread at the other end of a pipe whose near end is yielded.

    `reads`: the thread reads what we write; otherwise we read what it writes. Its error is raised here.
    """
    reader, writer = os.pipe()
    near, far = (writer, reader) if reads else (reader, writer)
    errors: list[BaseException] = []

    def run() -> None:
        try:
            with os.fdopen(far, "rb" if reads else "wb") as inner:
                work(inner)
        except BrokenPipeError:
            pass  # we left first, for a reason of ours
        except Exception as error:  # noqa: BLE001 (raised below)
            errors.append(error)

    thread = Thread(target=run, daemon=True)
    thread.start()
    try:
        with os.fdopen(near, "wb" if reads else "rb") as pipe:
            yield pipe
    except (OSError, tarfile.TarError):
        thread.join()
        if errors:
            raise errors[0] from None
        raise
    thread.join()
    if errors:
        raise errors[0]


def key_files() -> dict[str, Path]:
    """The key files of this installation by their name in the keys archive."""
    paths = (
        settings.FILES_KEY_FILE,
        settings.SECRETS_KEY_FILE,
        settings.ANSWERS_KEY_FILE,
        settings.HOME / "keys" / "django",
    )
    return dict(zip(KEY_FILES, paths, strict=True))


def write_keys(target: Path, passphrase: str) -> None:
    """Save the keys into `target`, encrypted with `passphrase`: with them and the archive, all is restored."""
    if target.exists():
        raise Failed(f"{target} exists: choose another name.")
    keys.identities(settings.FILES_KEY_FILE)
    told = {name: path.read_text() for name, path in key_files().items() if path.exists()}
    sealed = pyrage.passphrase.encrypt(json.dumps(told).encode(), passphrase)
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(sealed)
        file.flush()
        os.fsync(file.fileno())


def read_keys(source: Path, passphrase: str) -> dict[str, str]:
    """The content of each key file of a keys archive, by its name. Raises Failed."""
    try:
        told = json.loads(_opened(source.read_bytes(), passphrase))
    except OSError as error:
        raise Failed(f"{source} cannot be read ({error.strerror}).") from None
    except pyrage.DecryptError as error:
        if TOO_SLOW in str(error):
            raise Failed(f"{source} does not open: this machine is too busy or too slow now. Try again.") from None
        raise Failed(f"{source} does not open: wrong passphrase, or not an archive of keys.") from None
    return {name: text for name, text in told.items() if name in KEY_FILES}


def _opened(sealed: bytes, passphrase: str) -> bytes:
    """age refuses work that seems too long for this machine, which it times in an instant: a busy one is timed again."""
    for _turn in range(TURNS):
        try:
            return bytes(pyrage.passphrase.decrypt(sealed, passphrase))
        except pyrage.DecryptError as error:
            if TOO_SLOW not in str(error):
                raise
            time.sleep(PAUSE)
    return bytes(pyrage.passphrase.decrypt(sealed, passphrase))
