"""A file looked at in the page: pictures, PDF, videos, DICOM. The owner's view has checked the door and left the trace.

One address, that of the file, answers all that a look needs: `?regarder` the page, `?voir` the file for its frame,
`?serie` what a DICOM file holds, `?images=` some of its images. What follows the page carries `vu`, which proves that the
trace of this look was left: without it, or an hour later, each request leaves its own. The page and a download always do.
"""

import gzip
import json
import re
import struct
from collections.abc import Iterator
from typing import Any

from django.core import signing
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from relais.core.errors import NotFound
from relais.files import actions, content, handoff, serving
from relais.files.dicom import identity, process
from relais.files.models import StoredFile

SALT = "relais.look"
LIFE = 3600  # seconds that one look lasts
MOST_TOGETHER = 48  # images of one request
WANTED = re.compile(r"\d{1,5}\.\d{1,5}(-\d{1,5}\.\d{1,5})*", re.ASCII)


def goes_on(request: Any, file: StoredFile) -> bool:
    """Whether this request belongs to a look whose trace was left: by the same person, in the same establishment, of the
    same file, within the hour. Never the page itself, nor a download."""
    read = file.content_type in content.DICOM_TYPES and not request.GET.keys().isdisjoint(("serie", "images"))
    shown = file.content_type in content.INLINE and "voir" in request.GET
    if "regarder" in request.GET or not (read or shown):
        return False
    try:
        said = signing.loads(request.GET.get("vu", ""), salt=SALT, max_age=LIFE)
    except signing.BadSignature:
        return False
    return bool(said == _look(request, file))


def _look(request: Any, file: StoredFile) -> list[str]:
    return [str(request.actor.holder_id), str(request.actor.establishment_id), file.pk.hex]


def answer(request: Any, file: StoredFile, *, title: str, person: identity.Person, back: str) -> HttpResponseBase:
    """The page of a look, what it asks next, or the file itself, as the address says.

    `person`: who the file is about, for DICOM says whose it is. `back`: where the page leads when it was opened alone.
    Raises NotFound once the file is sealed.
    """
    if file.sealed_at:
        raise NotFound
    who = str(request.actor.holder_id)
    if "regarder" in request.GET:
        seen = signing.dumps(_look(request, file), salt=SALT)
        return _page(request, {"how": file.shown, "title": title, "person": person, "back": back, "seen": seen})
    if file.content_type in content.DICOM_TYPES and "serie" in request.GET:
        blocks = _described(actions.stream(file), _order(file), person, who)
        return handoff.respond(blocks, "application/json", pool=process.POOL)
    if file.content_type in content.DICOM_TYPES and "images" in request.GET:
        order = _order(file, **_wanted(request.GET["images"], whole="entiere" in request.GET))
        blocks = _drawn(actions.stream(file), order, who)
        response = handoff.respond(blocks, "application/octet-stream", pool=process.POOL)
        response["Content-Encoding"] = "gzip"
        return response
    return serving.serve(file, inline="voir" in request.GET, wanted=request.headers.get("Range", ""))


def _page(request: Any, context: dict[str, Any]) -> HttpResponse:
    response = render(request, "files/look.html", context)
    response["X-Frame-Options"] = "SAMEORIGIN"
    response._csp_replace = {"frame-ancestors": ["'self'"]}  # type: ignore[attr-defined] # as csp.decorators.csp_replace
    return response


def _order(file: StoredFile, **more: Any) -> dict[str, Any]:
    return {"kind": "zip" if file.content_type == content.SERIES.content_type else "dicom", **more}


def _wanted(text: str, *, whole: bool) -> dict[str, Any]:
    """The images that an address names; one alone when it is wanted whole. NotFound for what no page asks."""
    if not WANTED.fullmatch(text) or text.count("-") >= (1 if whole else MOST_TOGETHER):
        raise NotFound
    return {"images": [[int(number) for number in pair.split(".")] for pair in text.split("-")], "full": whole}


def _described(blocks: Iterator[bytes], order: dict[str, Any], person: identity.Person, who: str) -> Iterator[bytes]:
    """The reader's description, whether the images are of the person, and how many are missing ("missing")."""
    try:
        found = json.loads(process.read(blocks, order, who=who))
    except process.Failed as failed:
        found = {"error": str(failed)}
    if people := found.get("people"):
        found.update(verdict(people, person))
    if unread := found.get("unread"):
        found["missing"] = ngettext(
            "%(count)d image de ce fichier est illisible : elle n’est pas montrée ici.",
            "%(count)d images de ce fichier sont illisibles : elles ne sont pas montrées ici.",
            unread,
        ) % {"count": unread}
    yield json.dumps(found).encode()


def verdict(people: list[dict[str, Any]], person: identity.Person) -> dict[str, str]:
    """{"whose": same, other or unnamed; "warning": the sentence to show}: the worst that one image of the file says."""
    judged = [(identity.compared(one, person), one) for one in people]
    strangers = [one for state, one in judged if state == identity.OTHER]
    if strangers:
        told = {"who": " ; ".join(_who(one) for one in strangers[:3]), "patient": person.label}
        warning = _("Ces images portent une autre identité : %(who)s. Ce dossier est celui de %(patient)s.") % told
        return {"whose": identity.OTHER, "warning": warning}
    unsure = [one for state, one in judged if state == identity.UNNAMED]
    if unsure:
        told = {"who": identity.name(unsure[0]), "patient": person.label}
        warning = (
            _("Ces images disent seulement « %(who)s » : vérifiez qu’elles sont bien celles de %(patient)s.")
            if told["who"]
            else _("Ces images ne portent pas de nom : vérifiez qu’elles sont bien celles de %(patient)s.")
        )
        return {"whose": identity.UNNAMED, "warning": warning % told}
    return {"whose": identity.SAME, "warning": ""}


def _who(said: dict[str, Any]) -> str:
    born = identity.birth_date(said)
    name = identity.name(said) or _("sans nom")
    return _("%(name)s, né(e) le %(born)s") % {"name": name, "born": f"{born:%d/%m/%Y}"} if born else name


def _drawn(blocks: Iterator[bytes], order: dict[str, Any], who: str) -> Iterator[bytes]:
    """As `reader.drawn` says; an object with an error, for the whole, when there was nothing to draw."""
    try:
        yield process.read(blocks, order, who=who)
    except process.Failed as failed:
        head = json.dumps({"error": str(failed)}).encode()
        yield gzip.compress(struct.pack("<I", len(head)) + head)
