"""What scripts send."""

import json
import re
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.utils.translation import gettext as _

from relais.core.errors import NotFound, Refused

BODY_MAX = 400_000
NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")  # as JSON writes it


def read_json(request: HttpRequest) -> dict[str, Any]:
    """The JSON object of a request's body. Raises Refused for anything else, and for what no database keeps: a NUL
    character, half of a pair, NaN and the infinite.
    """
    try:
        body = json.loads(request.body) if len(request.body) <= BODY_MAX else None
        again = json.dumps(body, ensure_ascii=False, allow_nan=False)
        again.encode()
    except (ValueError, RecursionError):
        body, again = None, ""
    if not isinstance(body, dict) or NUL.search(again):
        raise Refused(_("La page a envoyé une donnée incorrecte. Rechargez-la."))
    return body


def read_id(value: Any) -> UUID:
    """A UUID as a page sends it. Raises NotFound for what is none."""
    try:
        return UUID(str(value))
    except ValueError:
        raise NotFound from None
