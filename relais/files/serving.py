"""The only way a file leaves: the owner's view has checked the door and left the trace, then calls `serve`."""

from django.http import StreamingHttpResponse
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


def serve(file: StoredFile, *, inline: bool = False) -> StreamingHttpResponse:
    """The file as a streamed answer; shown in the page only when `inline` is asked and its type cannot run.

    Raises NotFound once the file is sealed.
    """
    shown = inline and file.content_type in INLINE
    blocks = actions.stream(file)
    content_type = f"{file.content_type}; charset=utf-8" if file.content_type == "text/plain" else file.content_type
    response = handoff.respond(blocks, content_type)
    response["Content-Length"] = str(file.size)
    response["Content-Disposition"] = content_disposition_header(not shown, file.name) or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    framed = shown and file.content_type == PDF.content_type
    response["Content-Security-Policy"] = FRAMED if framed else SANDBOX
    response["X-Frame-Options"] = "SAMEORIGIN" if framed else "DENY"
    response["Cache-Control"] = "private, no-store"
    return response
