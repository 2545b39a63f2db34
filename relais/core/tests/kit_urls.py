"""The style page alone, seen by a professional, with a page that answers as an expired token does."""

from uuid import uuid4

from django.http import HttpRequest, HttpResponse
from django.urls import path

from relais.core import views, views_kit
from relais.core.access import public
from relais.core.actor import PROFESSIONAL, Actor


@public
def kit(request: HttpRequest) -> HttpResponse:
    request.actor = Actor(kind=PROFESSIONAL, user_id=uuid4(), establishment_id=uuid4())  # type: ignore[attr-defined]
    return views_kit.kit(request)


@public
def expired(request: HttpRequest) -> HttpResponse:
    return views.csrf_failure(request)


urlpatterns = [
    path("", kit, name="kit"),
    path("aide/", kit, name="kit_help"),
    path("p/kit/", views_kit.kit, name="kit_patient"),
    path("expired/", expired),
]
