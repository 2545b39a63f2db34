"""The self-test of a device: its page, the small transfers that it times, its result and its report."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from relais.core.access import anyone_inside
from relais.core.errors import NotFound
from relais.rooms import actions, turn
from relais.rooms.queries import last_test
from relais.rooms.views.bodies import read_json
from relais.rooms.views.call import link

SAMPLE = bytes(range(256)) * 1200  # 300 KB: some 2 s on a line that is just good enough for a video


def about_of(request: Any) -> UUID:
    """What a test is about: what a patient's grant opens; for a professional, themselves."""
    about: UUID | None = request.actor.about or request.actor.user_id
    if about is None:
        raise NotFound
    return about


def context(request: HttpRequest) -> dict[str, Any]:
    """What the include rooms/selftest.html needs, on any page."""
    return {
        "last_test": last_test(about_of(request)),
        "selftest_config": {
            "urls": {name: link(request, f"test_{name}") for name in ("save", "sample", "servers")},
            "report": link(request, "test_report"),
        },
    }


@require_GET
@anyone_inside
def page(request: Any) -> HttpResponse:
    return render(
        request,
        "rooms/selftest_page.html",
        {**context(request), "back_url": "/p/" if request.path.startswith("/p/") else "/"},
    )


@require_GET
@anyone_inside
def servers(request: Any) -> JsonResponse:
    """The relays to try; asked for when the test begins, since their credentials live for a time."""
    return JsonResponse({"configured": turn.configured(), "servers": turn.credentials(request.actor.holder_id)})


@anyone_inside
def sample(request: Any) -> HttpResponse:
    """GET: bytes to time (?size=0 for the delay alone). POST: takes bytes and drops them."""
    if request.method == "POST":
        return JsonResponse({"size": len(request.body)})
    size = b"" if request.GET.get("size") == "0" else SAMPLE
    return HttpResponse(size, content_type="application/octet-stream", headers={"Content-Encoding": "identity"})


@require_POST
@anyone_inside
def save(request: Any) -> JsonResponse:
    """{parts, facts}: keep the result."""
    body: dict[str, Any] = read_json(request)
    test = actions.record_test(
        actor=request.actor,
        about=about_of(request),
        parts=body.get("parts"),
        facts=body.get("facts"),
        device=request.headers.get("User-Agent", ""),
    )
    return JsonResponse({"outcome": test.outcome})


@require_GET
@anyone_inside
def report(request: Any) -> HttpResponse:
    """The last test as a text file for the support: nothing about a patient in it."""
    test = last_test(about_of(request))
    if test is None:
        raise NotFound
    moment = timezone.localtime(test.created_at)
    text = render(request, "rooms/selftest_report.txt", {"test": test, "details": test.details}).content
    name = f"test-equipement-{moment:%Y%m%d-%H%M}.txt"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(text, content_type="text/plain; charset=utf-8", headers=headers)
