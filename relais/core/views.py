"""Answers that belong to no module."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

NEVER_SHOWN_AGAIN = ("csrfmiddlewaretoken", "password", "password1", "password2", "oldpassword", "code")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form sent with an expired token (a tab left open overnight): what was typed is kept and can be sent again."""
    fields: list[tuple[str, Any]] = [
        (name, value) for name, values in request.POST.lists() if name not in NEVER_SHOWN_AGAIN for value in values
    ]
    return render(request, "core/csrf_failure.html", {"fields": fields, "path": request.get_full_path()}, status=403)
