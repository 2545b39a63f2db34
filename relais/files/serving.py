"""The only way a file leaves: the owner's view has checked the door and left the trace, then calls `serve`."""

import re
from collections.abc import Iterator

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header

from relais.files import actions, handoff
from relais.files.content import INLINE, PDF
from relais.files.models import StoredFile

# Nothing in a file may run or call out.
SANDBOX = (
    "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"
)
# A PDF in the page of its look. Chrome's reader is a page of its own, made of styles, an object and a frame, to which this
# applies: any limit on what it loads leaves it blank. Nothing in a PDF runs in our origin.
FRAMED = "frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
RANGE = re.compile(r"bytes=(?=.*\d)(\d{0,15})-(\d{0,15})", re.ASCII)


def serve(file: StoredFile, *, inline: bool = False, wanted: str | None = None) -> HttpResponseBase:
    """The file as a streamed answer; shown in the page only when `inline` is asked and its type cannot run.

    `wanted`: the header Range, empty when there is none: the one span of a video is obeyed (Safari plays nothing else),
    206, or 416 past its end. Raises NotFound once the file is sealed.
    """
    shown = inline and file.content_type in INLINE
    spans = wanted is not None and shown and file.content_type.startswith("video/")
    first, last = _span(wanted or "", file.size) if spans else (0, file.size - 1)
    if spans and first > last:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{file.size}"})
    blocks = actions.stream(file)
    content_type = f"{file.content_type}; charset=utf-8" if file.content_type == "text/plain" else file.content_type
    part = last - first + 1 < file.size
    response = handoff.respond(_cut(blocks, first, last) if part else blocks, content_type)
    if spans:
        response["Accept-Ranges"] = "bytes"
        response.status_code = 206 if RANGE.fullmatch(wanted or "") else 200
    if response.status_code == 206:
        response["Content-Range"] = f"bytes {first}-{last}/{file.size}"
    response["Content-Length"] = str(last - first + 1)
    response["Content-Disposition"] = content_disposition_header(not shown, file.name) or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    framed = shown and file.content_type == PDF.content_type
    response["Content-Security-Policy"] = FRAMED if framed else SANDBOX
    response["X-Frame-Options"] = "SAMEORIGIN" if framed else "DENY"
    response["Cache-Control"] = "private, no-store"
    return response


def _span(wanted: str, size: int) -> tuple[int, int]:
    """The first and the last byte of the one span that a header Range names; the whole file for any other header.

    The first lies after the last when the file has no such bytes.
    """
    said = RANGE.fullmatch(wanted)
    if not said:
        return 0, size - 1
    first, last = said.groups()
    if not first:
        return max(0, size - int(last)), size - 1
    if last and int(last) < int(first):
        return 0, size - 1  # no span: the header says nothing (RFC 9110 §14.1.1)
    return int(first), min(int(last), size - 1) if last else size - 1


def _cut(blocks: Iterator[bytes], first: int, last: int) -> Iterator[bytes]:
    """The bytes from `first` to `last`: those before are decrypted for nothing, those after are not."""
    at = 0
    try:
        for block in blocks:
            piece = block[max(0, first - at) : last + 1 - at]
            at += len(block)
            if piece:
                yield piece
            if at > last:
                return
    finally:
        blocks.close()  # type: ignore[attr-defined]
