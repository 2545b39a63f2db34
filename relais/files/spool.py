"""Uploads before their action: written apart, encrypted, claimed once by the one who sent them, within the hour."""

import contextlib
import io
import tempfile
import time
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any
from uuid import UUID, uuid4

from django.conf import settings
from django.core import signing
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.utils.translation import gettext as _

from relais.core.actor import Actor
from relais.core.errors import Refused
from relais.files import vault

SALT = "relais.upload"
LIFE = 3600  # seconds between the upload and the form that claims it
IN_MEMORY = 1 << 20


class Spooled(UploadedFile):
    """A claimed upload, in the clear for as long as the action needs it; `consumed` removes what lies on disk."""

    def __init__(self, path: Path, name: str, size: int) -> None:
        clear: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 (closed with the upload)
        vault.decrypt(path, clear)
        clear.seek(0)
        super().__init__(clear, name, size=size)
        self._path = path
        weakref.finalize(self, clear.close)

    def consumed(self) -> None:
        self._path.unlink(missing_ok=True)


def folder() -> Path:
    return settings.FILES_DIR / "incoming"


def put(stream: IO[bytes], *, actor: Actor, name: str) -> dict[str, Any]:
    """Keep an upload until a form claims it: {"handle", "name", "size"}. Refused when empty or too large.

    What is in it is checked when it is stored, not here.
    """
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    if not size:
        raise Refused(_("Ce fichier est vide : choisissez-en un autre."), field="file")
    if size > settings.UPLOAD_MAX_BYTES:
        raise Refused(too_large(), field="file")
    pk = uuid4()
    vault.write(stream, folder() / f"{pk}.age")
    handle = signing.dumps({"id": pk.hex, "by": str(actor.holder_id), "name": name[:200], "size": size}, salt=SALT)
    return {"handle": handle, "name": name[:200], "size": size}


def take(handle: str, actor: Actor) -> UploadedFile:
    """The upload that `handle` names, for the one who sent it. Refused once claimed, after an hour, or to another."""
    path, told = _find(handle, actor)
    return Spooled(path, told["name"], told["size"])


def _find(handle: str, actor: Actor) -> tuple[Path, dict[str, Any]]:
    try:
        told = signing.loads(handle, salt=SALT, max_age=LIFE)
        path = folder() / f"{UUID(told['id'])}.age"
        if told["by"] != str(actor.holder_id) or not path.exists():
            raise signing.BadSignature
    except signing.BadSignature:
        raise Refused(
            _("Ce fichier a déjà été ajouté, ou son envoi a expiré : choisissez-le de nouveau."), field="file"
        ) from None
    return path, told


def received(request: HttpRequest, field: str = "file") -> list[UploadedFile]:
    """The files that a form brings: sent ahead by upload.js (`<field>_handle`), or with the form itself."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    ahead = [take(handle, actor) for handle in request.POST.getlist(f"{field}_handle") if handle]
    return [*ahead, *request.FILES.getlist(field)]


def kept(request: HttpRequest, field: str = "file") -> list[dict[str, Any]]:
    """What a form brought that comes back to be corrected, as `put` tells it: the page carries the handles on.

    Nobody chooses their files twice; those that nothing will be made of (empty, too large) are left out.
    """
    actor: Actor = request.actor  # type: ignore[attr-defined]
    found = []
    for handle in request.POST.getlist(f"{field}_handle"):
        with contextlib.suppress(Refused):
            found.append({"handle": handle, **_find(handle, actor)[1]})
    for upload in request.FILES.getlist(field):
        with contextlib.suppress(Refused):
            found.append(put(upload, actor=actor, name=upload.name or ""))
    return found


def sweep(*, older_than: float = 2 * LIFE) -> int:
    """Remove uploads that nobody claimed; returns how many."""
    removed = 0
    for path in _old(time.time() - older_than):
        path.unlink(missing_ok=True)
        removed += 1
    return removed


def _old(limit: float) -> Iterator[Path]:
    return (path for path in folder().glob("*") if path.stat().st_mtime < limit)


def too_large() -> str:
    return _("Ce fichier dépasse %(size)d Mo : réduisez-le, ou envoyez-le en plusieurs parties.") % {
        "size": settings.UPLOAD_MAX_BYTES // (1024 * 1024)
    }
