"""A backup is worth what its restore shows: the same rows, the same files, in an empty place, or nothing at all."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from urllib.parse import quote

import psycopg
import pyrage
import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from psycopg import sql

from relais.accounts.testing import actor_for, make_practitioner
from relais.audit import actions as audit
from relais.audit.models import Entry
from relais.core import backup, keys, restore
from relais.core.backup import Failed
from relais.core.management.commands import backup as command
from relais.dossiers import actions as dossiers
from relais.dossiers.models import Dossier
from relais.files import actions as files
from relais.files.models import StoredFile
from relais.files.tests import make
from relais.patients.testing import make_patient

pytestmark = pytest.mark.django_db(transaction=True)
PHRASE = "quatre tulipes sur un quai"


@pytest.fixture(autouse=True)
def home(settings, tmp_path: Path) -> Path:
    settings.HOME = tmp_path / "home"
    settings.FILES_DIR = tmp_path / "home" / "files"
    settings.FILES_KEY_FILE = tmp_path / "home" / "keys" / "files.key"
    settings.SECRETS_KEY_FILE = tmp_path / "home" / "keys" / "secrets.key"
    settings.ANSWERS_KEY_FILE = tmp_path / "home" / "keys" / "answers.key"
    return tmp_path / "home"


def a_dossier() -> Dossier:
    """A dossier with a document, as a practitioner files it."""
    member = make_practitioner()
    actor = actor_for(member)
    dossier = dossiers.create(
        actor=actor, kind="teleconsultation", patient=make_patient("Nguyễn", "D’Arc\tÉlise\\N"),
        establishment=member.establishment,
    )  # fmt: skip
    file = files.store(actor=actor, upload=make.pdf(pages=3), name="bilan.pdf")
    dossiers.add_document(actor=actor, dossier=dossier, file=file, kind="report", title="Bilan")
    return dossier


def everything() -> dict[str, list[tuple]]:
    """Every row of every saved table, in an order of its own."""
    with connection.cursor() as django_cursor:
        cursor = django_cursor.cursor
        found = {}
        for table, columns in backup.ordered_tables(cursor).items():
            names = sql.SQL(", ").join(map(sql.Identifier, columns))
            query = sql.SQL("SELECT t::text FROM (SELECT {} FROM {}) t ORDER BY 1").format(names, sql.Identifier(table))
            found[table] = cursor.execute(query).fetchall()
        return found


def quiet(sentence: str) -> None:
    """Say nothing."""


def save(path: Path) -> Path:
    backup.write(path, say=quiet)
    return path


def lose_everything(home: Path) -> None:
    call_command("flush", interactive=False, verbosity=0)
    for path in list(django_settings.FILES_DIR.rglob("*.age")):
        path.unlink()


def test_what_was_saved_comes_back_row_by_row_and_file_by_file(tmp_path: Path, home: Path) -> None:
    a_dossier()
    before = everything()
    archive = save(tmp_path / "jour.backup")
    content = files.read(StoredFile.objects.get())
    lose_everything(home)
    summary = restore.read(archive, say=quiet)
    assert everything() == before
    assert (summary.files, files.read(StoredFile.objects.get())) == (1, content)
    assert summary.rows == sum(len(rows) for rows in before.values())


def test_after_a_restore_life_goes_on(tmp_path: Path, home: Path) -> None:
    """Sequences go on from where they were; triggers and constraints stand again."""
    a_dossier()
    archive = save(tmp_path / "jour.backup")
    last = Entry.objects.order_by("pk").last()
    lose_everything(home)
    restore.read(archive, say=quiet)
    audit.record(actor=actor_for(make_practitioner()), action="dossier.read")
    assert Entry.objects.order_by("pk").last().pk > last.pk
    with connection.cursor() as cursor:
        with pytest.raises(Exception, match="Cannot update or delete"):
            cursor.execute("DELETE FROM audit_entry")
        cursor.execute("SELECT count(*) FROM pg_trigger WHERE tgenabled = 'D'")
        assert cursor.fetchone() == (0,)


def test_sessions_are_not_saved(client, tmp_path: Path, home: Path) -> None:
    client.force_login(make_practitioner().user, backend=django_settings.AUTHENTICATION_BACKENDS[0])
    archive = save(tmp_path / "jour.backup")
    lose_everything(home)
    restore.read(archive, say=quiet)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM django_session")
        assert cursor.fetchone() == (0,)


def test_nothing_in_an_archive_is_clear_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    a_dossier()
    archive = save(tmp_path / "jour.backup")
    assert archive.read_bytes().startswith(b"age-encryption.org/v1")
    assert archive.stat().st_mode & 0o777 == 0o600
    assert {path.name for path in tmp_path.iterdir()} == {"home", "jour.backup"}


def test_a_backup_never_replaces_another(tmp_path: Path) -> None:
    archive = save(tmp_path / "jour.backup")
    with pytest.raises(Failed, match="exists"):
        save(archive)


def test_a_used_database_is_never_overwritten_nor_its_keys(tmp_path: Path, home: Path) -> None:
    archive = save(tmp_path / "jour.backup")
    a_dossier()
    before, key = everything(), (home / "keys" / "files.key").read_text()
    with pytest.raises(Failed, match="already holds data"):
        restore.read(archive, say=quiet, told={"files.key": key, "secrets.key": "autre"})
    assert everything() == before
    assert not (home / "keys" / "secrets.key").exists()


@pytest.mark.parametrize("left", [0.3, 0.9])
def test_an_archive_cut_short_leaves_nothing_behind(tmp_path: Path, home: Path, left: float) -> None:
    a_dossier()
    archive = save(tmp_path / "jour.backup")
    lose_everything(home)
    empty = everything()
    archive.write_bytes(archive.read_bytes()[: int(archive.stat().st_size * left)])
    with pytest.raises(Failed, match="damaged"):
        restore.read(archive, say=quiet)
    assert everything() == empty
    assert not list(django_settings.FILES_DIR.rglob("*.age"))


def test_an_archive_changed_by_one_byte_leaves_nothing_behind(tmp_path: Path, home: Path) -> None:
    a_dossier()
    archive = save(tmp_path / "jour.backup")
    lose_everything(home)
    data = bytearray(archive.read_bytes())
    data[len(data) // 2] ^= 1
    archive.write_bytes(data)
    with pytest.raises(Failed):
        restore.read(archive, say=quiet)
    assert not Dossier.objects.exists()


def test_other_keys_do_not_open_it(tmp_path: Path) -> None:
    archive = save(tmp_path / "jour.backup")
    with pytest.raises(Failed, match="does not open with these keys"):
        restore.read(archive, say=quiet, told={"files.key": str(pyrage.x25519.Identity.generate())})


def test_an_archive_of_a_newer_relais_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    header = backup._header
    monkeypatch.setattr(
        backup,
        "_header",
        lambda *args: {**(told := header(*args)), "migrations": [*told["migrations"], ("files", "0999_future")]},
    )
    archive = save(tmp_path / "jour.backup")
    with pytest.raises(Failed, match="newer Relais"):
        restore.read(archive, say=quiet)


def test_an_archive_of_an_older_relais_brings_its_own_tables_first() -> None:
    """Each module is migrated to the last migration that the archive knows, then to today's."""
    executor = MigrationExecutor(connection)
    newer = {
        *(("audit", "0002_ids"), ("directory", "0002_search"), ("directory", "0003_services")),
        ("directory", "0004_service_days"),
        *(("oncall", "0001_initial"), ("oncall", "0002_rota"), ("oncall", "0003_gap_pressed")),
        *(("dossiers", "0003_services"), ("dossiers", "0004_participant_as")),
        *(("meetings", "0001_initial"), ("meetings", "0002_meetings"), ("meetings", "0003_guest_link")),
        *(("rooms", "0006_room_cleared"), ("rooms", "0007_capture_asked_once")),
        *(("expertise", "0002_opinion_passed_on"), ("expertise", "0003_opinion_asked_at")),
        *(("expertise", "0004_state_words"), ("expertise", "0005_te_admission")),
        ("expertise", "0006_opinion_versions"),
        *(("expertise", "0001_initial"), ("liaison", "0001_initial"), ("liaison", "0002_dlu")),
        *(("liaison", "0003_departures"), ("liaison", "0004_alarm_told"), ("liaison", "0005_ended")),
        *(("liaison", "0006_note_sequel"), ("liaison", "0007_draft_page")),
    }
    older = set(executor.loader.applied_migrations) - newer
    leaves = restore._leaves(executor, older)
    assert {key for leaf in leaves for key in executor.loader.graph.forwards_plan(leaf)} == older


def test_keys_are_saved_under_a_passphrase_and_nothing_else_opens_them(tmp_path: Path, home: Path) -> None:
    save(tmp_path / "jour.backup")
    (home / "keys" / "secrets.key").write_text("secret des messages")
    target = tmp_path / "cles"
    backup.write_keys(target, PHRASE)
    assert b"AGE-SECRET-KEY" not in target.read_bytes()
    told = backup.read_keys(target, PHRASE)
    assert told["files.key"] == (home / "keys" / "files.key").read_text()
    assert told["secrets.key"] == "secret des messages"
    with pytest.raises(Failed, match="wrong passphrase"):
        backup.read_keys(target, "une autre phrase")


def test_keys_open_on_a_machine_that_seemed_too_slow_for_an_instant_and_never_by_work_without_end(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "cles"
    backup.write_keys(target, PHRASE)
    monkeypatch.setattr(backup, "PAUSE", 0)
    really, busy = pyrage.passphrase.decrypt, [True, True]

    def decrypt(sealed: bytes, passphrase: str) -> bytes:
        if busy and busy.pop():
            raise pyrage.DecryptError(
                "Excessive work parameter for passphrase.\nDecryption would take around 32 seconds."
            )
        return bytes(really(sealed, passphrase))

    monkeypatch.setattr(pyrage.passphrase, "decrypt", decrypt)
    assert "files.key" in backup.read_keys(target, PHRASE)
    assert not busy
    monkeypatch.setattr(pyrage.passphrase, "decrypt", really)
    endless = re.sub(rb"(-> scrypt \S+) \d+", rb"\1 40", target.read_bytes())
    target.write_bytes(endless)
    with pytest.raises(Failed, match="too busy or too slow"):
        backup.read_keys(target, PHRASE)


def test_keys_that_were_there_are_kept(home: Path) -> None:
    ours, theirs = str(pyrage.x25519.Identity.generate()), str(pyrage.x25519.Identity.generate())
    keys.put(home / "keys" / "files.key", f"{ours}\n")
    keys.put(home / "keys" / "secrets.key", "nos secrets")
    restore.put_keys({"files.key": f"{theirs}\n", "secrets.key": "leurs secrets"})
    assert (home / "keys" / "files.key").read_text() == f"{theirs}\n{ours}\n"
    assert (home / "keys" / "secrets.key").read_text() == "leurs secrets"
    assert (home / "keys" / "secrets.key.replaced").read_text() == "nos secrets"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of another installation: an empty database, no file, no key."""
    here = connection.settings_dict
    name = f"{here['NAME']}_restored"
    with psycopg.connect(
        **connection.get_connection_params() | {"context": None, "cursor_factory": None}, autocommit=True
    ) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            user = f"{quote(here['USER'])}:{quote(here['PASSWORD'], safe='')}"
            url = f"postgresql://{user}@/{name}?host={quote(str(here['HOST']), safe='')}&port={here['PORT']}"
            place = {"DATABASE_URL": url, "RELAIS_HOME": str(tmp_path / "elsewhere"), "PYTHONWARNINGS": "ignore"}
            yield {**{key: value for key, value in os.environ.items() if key != "RELAIS_TEST_DB"}, **place}
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def manage(environment: dict[str, str], *arguments: str) -> str:
    result = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=django_settings.BASE_DIR, env=environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    return result.stdout


OPEN = """
from relais.core.actor import SYSTEM_ACTOR
from relais.dossiers.actions import open_dossier
from relais.dossiers.models import Document
from relais.files import actions
document = Document.objects.get()
dossier = open_dossier(actor=SYSTEM_ACTOR, dossier_id=document.dossier_id, why="restauration")
print(dossier.reference, len(actions.read(document.file)), actions.read(document.file)[:5])
"""


def test_in_a_new_place_with_its_keys_a_dossier_and_its_file_open(
    tmp_path: Path, home: Path, elsewhere: dict[str, str]
) -> None:
    dossier = a_dossier()
    size = StoredFile.objects.get().size
    archive = save(tmp_path / "jour.backup")
    backup.write_keys(tmp_path / "cles", PHRASE)
    (tmp_path / "phrase").write_text(PHRASE + "\n")
    said = manage(
        elsewhere,
        "restore",
        str(archive),
        "--keys",
        str(tmp_path / "cles"),
        "--passphrase-file",
        str(tmp_path / "phrase"),
    )
    assert "Restored." in said
    assert manage(elsewhere, "shell", "--no-imports", "-c", OPEN).strip() == f"{dossier.reference} {size} b'%PDF-'"
    assert (tmp_path / "elsewhere" / "keys" / "files.key").read_text() == (home / "keys" / "files.key").read_text()


def test_the_command_saves_and_tells_where_the_keys_must_go(
    tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "available", nullcontext)  # the tests' database, not the demo's
    (tmp_path / "phrase").write_text(PHRASE)
    call_command("backup", tmp_path / "a", keys=tmp_path / "k", passphrase_file=tmp_path / "phrase")
    assert "away from a" in capsys.readouterr().out
    call_command("backup", tmp_path / "b")
    assert "Without the keys" in capsys.readouterr().out
