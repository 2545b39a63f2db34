"""What every request passes: headers, the closed door, and domain errors turned into answers."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.defaults import bad_request

from relais.core.errors import NotFound, Refused

Answer = Callable[[HttpRequest], HttpResponse]
PERMISSIONS_POLICY = "camera=(self), microphone=(self), fullscreen=(self), geolocation=(), payment=(), usb=()"


class SecurityHeaders:
    """Headers that Django does not set itself; pages with patients in them are never cached."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        if not request.path.startswith(settings.STATIC_URL):
            response.headers.setdefault("Cache-Control", "no-store")
        return response


def patient_path(path: str) -> bool:
    """Pages and streams of patients: there the actor comes from the grant's own cookie, never from a session."""
    return path.startswith(("/p/", "/live/p/", "/upload/p/"))


class CsrfOfEachSide:
    """Patients' pages have a CSRF cookie of their own, as they have their own cookie of entry.

    A professional who signs in changes the cookie of that side alone: the patient's page in the same browser still
    sends its forms. Stands before CsrfViewMiddleware, which knows one name, and exchanges the two for it.
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not patient_path(request.path):
            return self.get_response(request)
        usual, theirs = settings.CSRF_COOKIE_NAME, settings.PATIENT_CSRF_COOKIE_NAME
        request.COOKIES.pop(usual, None)
        if theirs in request.COOKIES:
            request.COOKIES[usual] = request.COOKIES[theirs]
        response = self.get_response(request)
        if made := response.cookies.pop(usual, None):
            made.set(theirs, made.value, made.coded_value)
            response.cookies[theirs] = made
        return response


def page_of_ours(request: HttpRequest, address: str) -> str:
    """The path and query of a full address of this site; empty for any other.

    Also for a path that a browser would read as another site: `//elsewhere`, or backslashes in the place of slashes.
    """
    page = urlsplit(address)
    path = page.path + (f"?{page.query}" if page.query else "")
    ours = page.netloc == request.get_host() and page.path.startswith("/")
    return path if ours and url_has_allowed_host_and_scheme(path, allowed_hosts=None) else ""


class ClosedByDefault:
    """Refuse every view to everyone but a professional in an establishment, unless relais.core.access opened it."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: Any, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        match = request.resolver_match
        access = getattr(
            view,
            "access",
            "user" if match and match.url_name in settings.ACCOUNT_URL_NAMES else "professional",
        )
        if access == "public" or (match and match.url_name in settings.PUBLIC_URL_NAMES):
            return None
        actor = request.actor
        if access == "inside" and actor:
            return None
        if access == "inside" and "text/event-stream" in request.headers.get("Accept", ""):
            return HttpResponse("event: out\ndata: {}\n\n", content_type="text/event-stream")
        if access == "patient" or patient_path(request.path):
            return None if actor and actor.grant_id and access == "patient" else redirect("patient:lost")
        if not request.user.is_authenticated:
            return self._sign_in(request)
        if access == "user" or (actor and actor.establishment_id):
            if (roles := getattr(view, "roles", None)) and (not actor or not actor.has_role(*roles)):
                raise Http404
            return None
        return redirect("accounts:choose")

    @staticmethod
    def _sign_in(request: Any) -> HttpResponse:
        """To the sign-in, which leads back to the page asked for, or to the one that a form or fragment came from."""
        if "application/json" in request.headers.get("Accept", ""):
            return JsonResponse({"error": "Votre session est terminée. Connectez-vous."}, status=401)
        fragment = request.headers.get("HX-Request")
        back = request.get_full_path()
        if fragment or request.method != "GET":
            back = page_of_ours(request, request.headers.get("HX-Current-URL") or request.headers.get("Referer", ""))
        address = f"{settings.SIGN_IN_URL}?{urlencode({'next': back or '/'})}"
        return HttpResponse(status=401, headers={"HX-Redirect": address}) if fragment else redirect(address)


class NoNul:
    """A NUL character is typed by nobody and kept by no database: what carries one is refused as a whole (400)."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        typed = (text for name, values in request.POST.lists() for text in (name, *values))
        if "%00" in request.META.get("QUERY_STRING", "") or any("\0" in str(text) for text in typed):
            return bad_request(request, SuspiciousOperation("NUL"))
        return None


class DomainErrors:
    """NotFound becomes 404; a Refused that no view caught is said on the page one came from."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: Any, error: Exception) -> HttpResponse | None:
        if isinstance(error, NotFound):
            raise Http404 from error
        if not isinstance(error, Refused):
            return None
        if "application/json" in request.headers.get("Accept", ""):
            return JsonResponse({"error": error.message}, status=409)
        back = page_of_ours(request, request.headers.get("Referer", ""))
        if back and not request.headers.get("HX-Request") and urlsplit(back).path != request.path:
            messages.error(request, error.message)
            return redirect(back)
        return render(request, "core/refused.html", {"message": error.message}, status=409)
