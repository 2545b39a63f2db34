"""Checking, keeping, reading and sealing files. Who may is the owner's rule: `files` knows no dossier."""

import hashlib
import io
import logging
import queue
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from relais.core.actor import Actor
from relais.core.errors import NotFound, Refused
from relais.files import clamav, content, pictures, vault
from relais.files.models import StoredFile

BATCH = 500
logger = logging.getLogger(__name__)
# Files whose transaction ended without our on_commit: rolled back, or another callback failed before it.
_doubtful: queue.SimpleQueue[UUID] = queue.SimpleQueue()


@dataclass(frozen=True)
class Checked:
    """What will be kept: `stream` at its start, `size` in bytes, `name` safe and with the true extension."""

    name: str
    content_type: str
    size: int
    sha256: str
    stream: IO[bytes]


def check(upload: Any, name: str = "") -> Checked:
    """Check an upload (bytes, or a file with `name`) by its content against the allow-list; pictures are redrawn.

    Refused(field="file"), one sentence each: empty, too large, of another type, not what its name says, infected
    or not scanned, a PDF with a password or unreadable, a picture unreadable or too large.
    """
    stream: IO[bytes] = io.BytesIO(upload) if isinstance(upload, bytes) else upload
    name = name or str(getattr(upload, "name", "") or "")
    _check_size(stream)
    kind = content.recognise(stream, name)
    clamav.scan(stream)
    if kind is content.PDF:
        content.check_pdf(stream)
    elif kind in content.PICTURES:
        stream, kind = pictures.redraw(stream, kind)
    digest, size = hashlib.sha256(), 0
    stream.seek(0)
    while block := stream.read(1 << 18):
        digest.update(block)
        size += len(block)
    stream.seek(0)
    return Checked(content.clean_name(name, kind), kind.content_type, size, digest.hexdigest(), stream)


def _check_size(stream: IO[bytes]) -> None:
    size = stream.seek(0, io.SEEK_END)
    if not size:
        raise Refused(_("Ce fichier est vide : choisissez-en un autre."), field="file")
    if size > settings.UPLOAD_MAX_BYTES:
        raise Refused(
            _("Ce fichier dépasse %(size)d Mo : réduisez-le, ou envoyez-le en plusieurs parties.")
            % {"size": settings.UPLOAD_MAX_BYTES // (1024 * 1024)},
            field="file",
        )


class _Waiting:
    """Held by the transaction alone: when it drops us without having called `kept`, the file is doubtful."""

    def __init__(self, pk: UUID) -> None:
        self._dropped = weakref.finalize(self, _doubtful.put, pk)
        self._dropped.atexit = False

    def kept(self) -> None:
        self._dropped.detach()


def store(*, actor: Actor, upload: Any, name: str = "") -> StoredFile:
    """Check and keep `upload` (bytes or a file): encrypted and whole on disk before the row commits. Raises Refused.

    The caller has checked that `actor` may; it calls this inside its own transaction. A transaction that rolls
    back leaves a file without a row, removed by the next store or by the daily sweep.
    """
    settle()
    file = _keep(actor, check(upload, name))
    if consumed := getattr(upload, "consumed", None):
        transaction.on_commit(consumed)
    return file


def copy(*, actor: Actor, file: StoredFile) -> StoredFile:
    """Another file of the same bytes, inside the caller's transaction as `store`: checked when they came, not redrawn, so
    that one digest finds both. NotFound once it is sealed.
    """
    settle()
    return _keep(actor, Checked(file.name, file.content_type, file.size, file.sha256, io.BytesIO(read(file))))


def _keep(actor: Actor, checked: Checked) -> StoredFile:
    file = StoredFile(
        name=checked.name,
        content_type=checked.content_type,
        size=checked.size,
        sha256=checked.sha256,
        created_by=actor.holder_id,
    )
    path = vault.path_of(file.pk)
    vault.write(checked.stream, path)
    try:
        file.save(force_insert=True)
    except BaseException:
        vault.remove(path)
        raise
    transaction.on_commit(_Waiting(file.pk).kept)
    return file


def stream(file: StoredFile) -> Iterator[bytes]:
    """The clear bytes of a file, block by block. NotFound once it is sealed, Refused when the disk has lost it.

    A damaged file raises while it is read.
    """
    if file.sealed_at:
        raise NotFound
    try:
        return vault.stream(vault.path_of(file.pk))
    except FileNotFoundError:
        logger.error("The stored file %s is missing on disk", file.pk)
        raise Refused(_("Ce fichier est introuvable sur le serveur. Prévenez le support.")) from None


def read(file: StoredFile) -> bytes:
    """The clear bytes of a file, whole. NotFound once it is sealed."""
    return b"".join(stream(file))


def seal(file: StoredFile) -> None:
    """Close a file for good (filed under the wrong patient): the bytes stay as proof, no door opens them any more."""
    if not file.sealed_at:
        file.sealed_at = timezone.now()
        file.save(update_fields=["sealed_at"])


def settle() -> None:
    """Remove the files of transactions that were rolled back since the last call."""
    while True:
        try:
            pk = _doubtful.get_nowait()
        except queue.Empty:
            return
        if not StoredFile.objects.filter(pk=pk).exists():
            vault.remove(vault.path_of(pk))


def sweep(*, older_than: float) -> int:
    """Remove what was changed more than that many seconds ago and has no row; returns how many files."""
    settle()
    removed, paths = 0, vault.older_than(older_than)
    while batch := {_id_of(path): path for path in islice(paths, BATCH)}:
        known = set(
            StoredFile.objects.filter(pk__in=[pk for pk in batch if isinstance(pk, UUID)]).values_list("pk", flat=True)
        )
        for pk, path in batch.items():
            if pk not in known:
                vault.remove(path)
                removed += 1
    return removed


def _id_of(path: Path) -> UUID | Path:
    """The id that a whole file bears; the path itself for a half-written one."""
    try:
        return UUID(path.stem)
    except ValueError:
        return path
