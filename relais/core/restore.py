"""Bringing an archive of relais.core.backup back into an empty place."""

import gzip
import hashlib
import json
import re
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pyrage
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from psycopg import sql

from relais.core import keys
from relais.core.backup import FORMAT, LEFT_OUT, Failed, Summary, copy_statement, key_files, ordered_tables, piped

FILE = re.compile(r"files/([0-9a-f]{2})/([0-9a-f-]{36}\.age)")
TABLE = re.compile(r"tables/([a-z0-9_]+)/\d{6}\.gz")
BLOCK = 1 << 20


def read(source: Path, *, say: Callable[[str], None], told: dict[str, str] | None = None) -> Summary:
    """Restore `source` into this installation's database and folder of files, which must be empty.

    `told` (backup.read_keys) brings the keys, put in place with the data; without it those of this installation
    must open the archive. The tables are brought to the state of the archive, loaded in one transaction, checked
    against the manifest, committed, then migrated to this version's state. Raises Failed with one sentence; nothing
    is then left behind but empty tables.
    """
    brought = keys.parse((told or {}).get("files.key", ""))
    identities = list(brought or keys.identities(settings.FILES_KEY_FILE))
    try:
        with (
            source.open("rb") as file,
            piped(lambda inner: pyrage.decrypt_io(file, inner, identities), reads=False) as pipe,
            tarfile.open(fileobj=pipe, mode="r|") as archive,
        ):
            summary = _restore(archive, say, told or {})
    except pyrage.DecryptError:
        raise Failed(f"{source} does not open with these keys: give those it was made with (--keys).") from None
    except (tarfile.TarError, OSError, EOFError) as error:
        raise Failed(f"{source} is damaged or cannot be read ({error}).") from None
    call_command("migrate", verbosity=0, interactive=False)
    return summary


def _restore(archive: tarfile.TarFile, say: Callable[[str], None], told: dict[str, str]) -> Summary:
    first = archive.next()
    if first is None or first.name != "header.json":
        raise tarfile.ReadError("no header")
    header = json.loads(_content(archive, first))
    say(f"Backup of {header['made_at'][:16].replace('T', ' ')} UTC, Relais {header['relais']}.")
    _prepare(header)
    say("Tables: ready.")
    connection.ensure_connection()
    raw: psycopg.Connection = connection.connection
    written: list[Path] = []
    try:
        with raw.transaction(), raw.cursor() as cursor:
            summary = _load(archive, cursor, header, written)
            put_keys(told)
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise
    say(f"Database: {summary.rows} rows in {summary.tables} tables. Files: {summary.files}.")
    return summary


def _prepare(header: dict[str, Any]) -> None:
    """Bring an empty database to the migrations of the archive. Failed when it is used or of another state."""
    if header["format"] != FORMAT:
        raise Failed("This archive has another format: restore it with the Relais that wrote it.")
    executor = MigrationExecutor(connection)
    wanted = {(app, name) for app, name in header["migrations"]}
    if not wanted <= set(executor.loader.disk_migrations):
        raise Failed("This archive comes from a newer Relais: install that version, or a newer one, first.")
    applied = set(executor.loader.applied_migrations)
    if applied and applied != wanted:
        raise Failed("This database has tables of another version: give an empty one (or another RELAIS_HOME).")
    if applied:
        _refuse_used()
    else:
        executor.migrate(_leaves(executor, wanted))


def _leaves(executor: MigrationExecutor, wanted: set[tuple[str, str]]) -> list[tuple[str, str]]:
    """The last migrations of the archive in each module."""
    graph = executor.loader.graph
    return sorted(key for key in wanted if not {child.key for child in graph.node_map[key].children} & wanted)


def _refuse_used() -> None:
    """Rows that every migrate brings (a model says so: COMES_WITH_MIGRATE) are no data of anybody."""
    ours = [
        model
        for model in apps.get_models()
        if apps.get_app_config(model._meta.app_label).name.startswith("relais.")
        and not getattr(model, "COMES_WITH_MIGRATE", False)
    ]
    tables = set(connection.introspection.table_names())
    if any(model._base_manager.exists() for model in ours if model._meta.db_table in tables):
        raise Failed("This database already holds data: give an empty one (or another RELAIS_HOME).")


def _load(archive: tarfile.TarFile, cursor: psycopg.Cursor, header: dict[str, Any], written: list[Path]) -> Summary:
    tables: dict[str, list[str]] = header["tables"]
    if missing := set(tables) - set(ordered_tables(cursor)):
        raise Failed(f"This database has not the table {min(missing)}: give an empty one.")
    names = sql.SQL(", ").join(map(sql.Identifier, tables))
    cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    for table in tables:  # what triggers did when the rows were written is in the rows
        cursor.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(sql.Identifier(table)))
    sessions = sql.SQL(", ").join(map(sql.Identifier, LEFT_OUT[1:]))
    cursor.execute(sql.SQL("TRUNCATE {}, {}").format(names, sessions))
    found = _members(archive, cursor, tables, written)
    for sequence, value in header["sequences"].items():
        if value is not None:
            cursor.execute("SELECT setval(%s, %s)", [f'public."{sequence}"', value])
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for table in tables:
        cursor.execute(sql.SQL("ALTER TABLE {} ENABLE TRIGGER USER").format(sql.Identifier(table)))
    return found


def _members(
    archive: tarfile.TarFile, cursor: psycopg.Cursor, tables: dict[str, list[str]], written: list[Path]
) -> Summary:
    """Load every member up to the manifest, and compare with it."""
    found: dict[str, dict[str, Any]] = {}
    files, member = hashlib.sha256(), archive.next()
    for table, columns in tables.items():
        digest = hashlib.sha256()
        with cursor.copy(copy_statement(table, columns, "FROM STDIN")) as copy:
            while member and (named := TABLE.fullmatch(member.name)) and named.group(1) == table:
                block = gzip.decompress(_content(archive, member))
                digest.update(block)
                copy.write(block)
                member = archive.next()
        found[table] = {"rows": cursor.rowcount, "sha256": digest.hexdigest()}
    while member and FILE.fullmatch(member.name):
        files.update(_write_file(archive, member, written))
        member = archive.next()
    if member is None or member.name != "manifest.json":
        raise tarfile.ReadError("no manifest where it should be")
    manifest = json.loads(_content(archive, member))
    if manifest != {"tables": found, "files": {"count": len(written), "sha256": files.hexdigest()}}:
        raise tarfile.ReadError("what was read is not what the manifest tells")
    return Summary(
        tables=len(found),
        rows=sum(table["rows"] for table in found.values()),
        files=len(written),
        size=sum(path.stat().st_size for path in written),
    )


def _write_file(archive: tarfile.TarFile, member: tarfile.TarInfo, written: list[Path]) -> bytes:
    folder, name = FILE.fullmatch(member.name).groups()  # type: ignore[union-attr]
    path = settings.FILES_DIR / folder / name
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest, source = hashlib.sha256(), archive.extractfile(member)
    written.append(path)
    with path.open("wb") as target:
        path.chmod(0o600)
        while source and (block := source.read(BLOCK)):
            digest.update(block)
            target.write(block)
    return f"{member.name} {digest.hexdigest()}\n".encode()


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    source = archive.extractfile(member)
    if source is None:
        raise tarfile.ReadError("not a file")
    return source.read()


def put_keys(told: dict[str, str]) -> None:
    """Give this installation the keys of the archive. The keys it had stay: those of the files in the same file, after
    them; the others beside, as `.replaced`."""
    for name, path in key_files().items():
        text = told.get(name)
        before = path.read_text() if path.exists() else ""
        if text is None or text == before:
            continue
        if name == "files.key":
            known = set(text.splitlines())
            text = "\n".join([*text.splitlines(), *(line for line in before.splitlines() if line not in known)]) + "\n"
        keys.put(path, text)
