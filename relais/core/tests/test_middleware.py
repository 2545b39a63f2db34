"""What every request passes: where a refusal leads back to."""

import pytest
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.test import RequestFactory

from relais.core.errors import Refused
from relais.core.middleware import ClosedByDefault, DomainErrors

OURS = "http://testserver"


def back_from(rf: RequestFactory, referer: str) -> str:
    """Where a refused form leads to; empty when its sentence stands on a page of its own."""
    request = rf.post("/teleconsultation/verbe/", headers={"Referer": referer})
    request.session = SessionStore()
    request._messages = FallbackStorage(request)
    answer = DomainErrors(lambda each: None).process_exception(request, Refused("Ce créneau est pris."))
    return answer.headers.get("Location", "")


@pytest.mark.parametrize("page", ["/agenda/", "/agenda/?jour=2026-11-21", "/"])
def test_a_refusal_is_said_on_the_page_one_came_from(rf: RequestFactory, page: str) -> None:
    assert back_from(rf, OURS + page) == page


@pytest.mark.parametrize(
    "referer",
    [
        "https://ailleurs.test/agenda/",
        f"{OURS}//ailleurs.test/agenda/",
        f"{OURS}///ailleurs.test",
        f"{OURS}/\\ailleurs.test/",
        "//ailleurs.test/",
        "/agenda/",
        OURS,
        "",
        f"{OURS}/teleconsultation/verbe/",
    ],
)
def test_a_refusal_leads_to_no_other_site_and_never_in_a_circle(rf: RequestFactory, referer: str) -> None:
    assert back_from(rf, referer) == ""


@pytest.mark.parametrize(
    ("address", "following"),
    [
        (f"{OURS}/agenda/?jour=2026-11-21", "%2Fagenda%2F%3Fjour%3D2026-11-21"),
        (f"{OURS}//ailleurs.test/", "%2F"),
        ("https://ailleurs.test/", "%2F"),
    ],
)
def test_a_fragment_asked_for_after_the_session_leads_to_the_sign_in_and_back_here(
    rf: RequestFactory, address: str, following: str
) -> None:
    request = rf.get("/fragment/", headers={"HX-Request": "true", "HX-Current-URL": address})
    answer = ClosedByDefault._sign_in(request)
    assert answer.headers["HX-Redirect"].endswith(f"?next={following}")
