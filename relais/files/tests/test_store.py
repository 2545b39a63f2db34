"""Kept encrypted, whole before the row, gone with the transaction."""

import gc
import io
import os
import threading
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pyrage
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import transaction

from relais.core import keys
from relais.core.actor import SYSTEM_ACTOR
from relais.core.errors import NotFound, Refused
from relais.files import actions, vault
from relais.files.management.commands import files_check
from relais.files.models import StoredFile
from relais.files.tests import make


@pytest.fixture
def folder(settings, tmp_path: Path) -> Iterator[Path]:
    settings.FILES_DIR = tmp_path / "files"
    yield settings.FILES_DIR
    gc.collect()
    while not actions._doubtful.empty():
        actions._doubtful.get_nowait()


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def store(upload: bytes | None = None) -> StoredFile:
    return actions.store(actor=SYSTEM_ACTOR, upload=upload or make.pdf(), name="bilan.pdf")


def roll_back() -> None:
    """Store a file in a transaction that fails."""

    @transaction.atomic
    def fail() -> None:
        store()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()


@pytest.mark.django_db
def test_what_was_stored_is_read_back_and_nothing_of_it_is_clear_on_disk(folder: Path) -> None:
    text = b"Le patient tousse. " * 1000
    file = actions.store(actor=SYSTEM_ACTOR, upload=text, name="note.txt")
    assert actions.read(file) == text
    (path,) = files_in(folder)
    assert path == vault.path_of(file.pk)
    assert path.read_bytes().startswith(b"age-encryption.org/v1")
    assert b"tousse" not in path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    assert (file.size, file.content_type, file.name) == (len(text), "text/plain", "note.txt")


@pytest.mark.django_db
def test_a_copy_has_the_same_bytes_and_a_life_of_its_own(folder: Path) -> None:
    first = actions.store(actor=SYSTEM_ACTOR, upload=make.grain(), name="plaie.jpg")
    second = actions.copy(actor=SYSTEM_ACTOR, file=first)
    assert (second.name, second.sha256, actions.read(second)) == (first.name, first.sha256, actions.read(first))
    actions.seal(first)
    assert actions.read(second)
    with pytest.raises(NotFound):
        actions.copy(actor=SYSTEM_ACTOR, file=first)


@pytest.mark.django_db
def test_a_refused_file_leaves_nothing(folder: Path) -> None:
    with pytest.raises(Refused):
        actions.store(actor=SYSTEM_ACTOR, upload=make.HTML, name="page.pdf")
    assert not folder.exists()
    assert not StoredFile.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_file_of_a_transaction_that_rolls_back_is_removed_and_a_committed_one_stays(folder: Path) -> None:
    kept = store()
    roll_back()
    gc.collect()
    actions.settle()
    assert files_in(folder) == [vault.path_of(kept.pk)]


@pytest.mark.django_db(transaction=True)
def test_a_savepoint_that_rolls_back_removes_its_file_alone(folder: Path) -> None:
    with transaction.atomic():
        kept = store()
        roll_back()
    gc.collect()
    actions.settle()
    assert files_in(folder) == [vault.path_of(kept.pk)]


@pytest.mark.django_db(transaction=True)
def test_a_committed_file_stays_though_another_callback_of_the_commit_fails(folder: Path) -> None:
    stored: list[StoredFile] = []

    def fail() -> None:
        raise ZeroDivisionError

    @transaction.atomic
    def commit() -> None:
        transaction.on_commit(fail)
        stored.append(store())

    with pytest.raises(ZeroDivisionError):
        commit()
    gc.collect()
    actions.settle()
    assert actions.read(stored[0])


@pytest.mark.django_db
def test_the_sweep_removes_old_files_without_a_row_and_no_other(folder: Path) -> None:
    kept, orphan, fresh = store(), store(), store()
    StoredFile.objects.filter(pk__in=[orphan.pk, fresh.pk]).delete()
    half = vault.path_of(kept.pk).with_name(".half.age.1234")
    half.write_bytes(b"age")
    for path in (vault.path_of(kept.pk), vault.path_of(orphan.pk), half):
        os.utime(path, (time.time() - 90_000,) * 2)
    assert actions.sweep(older_than=86_400) == 2
    assert set(files_in(folder)) == {vault.path_of(kept.pk), vault.path_of(fresh.pk)}


@pytest.mark.django_db
def test_a_sealed_file_is_not_read_any_more_and_its_bytes_stay(folder: Path) -> None:
    file = store()
    actions.seal(file)
    file.refresh_from_db()
    with pytest.raises(NotFound):
        actions.read(file)
    assert files_in(folder)


@pytest.mark.django_db
@pytest.mark.parametrize("harm", [lambda data: data[:-100], lambda data: data[:-1] + bytes([data[-1] ^ 1])])
def test_a_file_changed_on_disk_is_not_given_for_the_one_stored(folder: Path, harm) -> None:
    file = store(make.pdf(pages=500))
    path = vault.path_of(file.pk)
    path.write_bytes(harm(path.read_bytes()))
    with pytest.raises((pyrage.DecryptError, OSError)):
        actions.read(file)


def test_a_reader_that_leaves_frees_the_thread_that_decrypts(folder: Path) -> None:
    path = folder / "aa" / "x.age"
    vault.write(io.BytesIO(bytes(2_000_000)), path)
    blocks = vault.stream(path)
    next(blocks)
    (worker,) = (thread for thread in threading.enumerate() if thread.name == "decrypt")
    blocks.close()
    worker.join(60)
    assert not worker.is_alive()


def test_the_demo_makes_its_key_once_and_only_its_owner_reads_it(settings, tmp_path: Path) -> None:
    settings.FILES_KEY_FILE = tmp_path / "keys" / "files.key"
    assert str(keys.recipient(settings.FILES_KEY_FILE)) == str(keys.recipient(settings.FILES_KEY_FILE))
    assert settings.FILES_KEY_FILE.stat().st_mode & 0o777 == 0o600


def test_production_without_a_key_says_what_to_do(settings, tmp_path: Path) -> None:
    settings.PRODUCTION = True
    settings.FILES_KEY_FILE = tmp_path / "files.key"
    with pytest.raises(ImproperlyConfigured, match="files_key"):
        keys.recipient(settings.FILES_KEY_FILE)
    keys.make(settings.FILES_KEY_FILE)
    assert str(keys.recipient(settings.FILES_KEY_FILE)).startswith("age1")


def test_a_key_that_others_may_read_is_refused(settings, tmp_path: Path) -> None:
    settings.FILES_KEY_FILE = tmp_path / "files.key"
    keys.make(settings.FILES_KEY_FILE)
    settings.FILES_KEY_FILE.chmod(0o644)
    with pytest.raises(ImproperlyConfigured, match="chmod 600"):
        keys.recipient(settings.FILES_KEY_FILE)


@pytest.mark.django_db
def test_after_a_change_of_key_old_files_are_still_read(folder: Path, settings, tmp_path: Path) -> None:
    settings.FILES_KEY_FILE = tmp_path / "old.key"
    file = store()
    keys.make(tmp_path / "new.key")
    both = tmp_path / "both.key"
    both.touch(mode=0o600)
    both.write_text((tmp_path / "new.key").read_text() + (tmp_path / "old.key").read_text())
    settings.FILES_KEY_FILE = both
    assert actions.read(file)
    new = store()
    settings.FILES_KEY_FILE = tmp_path / "new.key"
    assert actions.read(new)


@pytest.mark.django_db
def test_a_check_tells_each_file_that_is_missing_or_damaged(
    folder: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files_check, "available", nullcontext)  # the tests' database, not the demo's
    store()
    call_command("files_check")
    assert capsys.readouterr().out.strip() == "1 files read, 0 wrong."
    missing, damaged = store(), store()
    vault.path_of(missing.pk).unlink()
    vault.path_of(damaged.pk).write_bytes(b"autre chose")
    with pytest.raises(CommandError):
        call_command("files_check")
    assert sorted(capsys.readouterr().err.strip().splitlines()) == sorted(
        [f"{missing.pk}: missing", f"{damaged.pk}: damaged, or of another key"]
    )
