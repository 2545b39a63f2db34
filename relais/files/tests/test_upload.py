"""A file sent ahead of its form: kept encrypted, claimed once by the one who sent it, within the hour."""

import io
import time
from pathlib import Path
from uuid import uuid4

import pytest
from django.core import signing
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import RequestFactory
from django.urls import resolve

from relais.core.actor import PATIENT, PROFESSIONAL, Actor
from relais.core.errors import Refused
from relais.files import actions, spool
from relais.files.tests import make

NURSE = Actor(kind=PROFESSIONAL, user_id=uuid4(), establishment_id=uuid4())
PATIENT_ACTOR = Actor(kind=PATIENT, grant_id=uuid4())


@pytest.fixture(autouse=True)
def folder(settings, tmp_path: Path) -> Path:
    settings.FILES_DIR = tmp_path / "files"
    return tmp_path / "files"


def send(upload: bytes, *, actor: Actor = NURSE, name: str = "bilan.pdf") -> dict:
    return spool.put(io.BytesIO(upload), actor=actor, name=name)


def test_an_upload_lies_encrypted_until_it_is_claimed(folder: Path) -> None:
    told = send(b"Le patient tousse." * 100)
    (path,) = (folder / "incoming").iterdir()
    assert b"tousse" not in path.read_bytes()
    upload = spool.take(told["handle"], NURSE)
    assert (upload.name, upload.size, upload.read()) == ("bilan.pdf", 1800, b"Le patient tousse." * 100)


@pytest.mark.django_db(transaction=True)
def test_once_stored_an_upload_is_gone_and_its_handle_opens_nothing(folder: Path) -> None:
    told = send(make.pdf())
    file = actions.store(actor=NURSE, upload=spool.take(told["handle"], NURSE))
    assert file.name == "bilan.pdf"
    assert not list((folder / "incoming").iterdir())
    with pytest.raises(Refused, match="déjà été ajouté"):
        spool.take(told["handle"], NURSE)


@pytest.mark.django_db
def test_a_form_that_was_refused_can_claim_its_upload_again() -> None:
    told = send(make.HTML)
    for _attempt in range(2):
        with pytest.raises(Refused, match="n’est pas celui"):
            actions.store(actor=NURSE, upload=spool.take(told["handle"], NURSE))


def test_another_person_cannot_claim_an_upload() -> None:
    told = send(make.pdf())
    for stranger in (PATIENT_ACTOR, Actor(kind=PROFESSIONAL, user_id=uuid4())):
        with pytest.raises(Refused):
            spool.take(told["handle"], stranger)


def test_a_handle_is_good_for_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    told, now = send(make.pdf()), time.time()
    monkeypatch.setattr(signing.time, "time", lambda: now + spool.LIFE - 1)
    assert spool.take(told["handle"], NURSE)
    monkeypatch.setattr(signing.time, "time", lambda: now + spool.LIFE + 2)
    with pytest.raises(Refused):
        spool.take(told["handle"], NURSE)


OTHERS = signing.dumps({"id": "x"}, salt="other")


@pytest.mark.parametrize("handle", ["", "abc", "../../etc/passwd", OTHERS], ids=["empty", "short", "path", "others"])
def test_a_made_up_handle_opens_nothing(handle: str) -> None:
    with pytest.raises(Refused):
        spool.take(handle, NURSE)


@pytest.mark.parametrize(("upload", "message"), [(b"", "vide"), (b"x" * 101, "dépasse")])
def test_an_empty_or_too_large_upload_is_refused(settings, upload: bytes, message: str) -> None:
    settings.UPLOAD_MAX_BYTES = 100
    with pytest.raises(Refused, match=message):
        send(upload)


def test_a_form_brings_its_files_sent_ahead_or_with_itself() -> None:
    told = send(make.pdf(), name="devant.pdf")
    request = RequestFactory().post(
        "/", {"file_handle": told["handle"], "file": SimpleUploadedFile("avec.pdf", make.pdf())}
    )
    request.actor = NURSE
    assert [upload.name for upload in spool.received(request)] == ["devant.pdf", "avec.pdf"]


def test_what_nobody_claims_is_swept(folder: Path) -> None:
    send(make.pdf())
    assert spool.sweep() == 0
    assert spool.sweep(older_than=-1) == 1
    assert not list((folder / "incoming").iterdir())


@pytest.mark.parametrize(("path", "access"), [("/upload/", "professional"), ("/upload/p/", "patient")])
def test_each_address_is_open_to_its_own_people(path: str, access: str) -> None:
    assert resolve(path).func.access == access


@pytest.mark.django_db
def test_a_stranger_cannot_upload(client) -> None:
    answer = client.post(
        "/upload/", b"x", content_type="application/octet-stream", headers={"accept": "application/json"}
    )
    assert answer.status_code == 401
