"""The page around a page, and the pages that say what went wrong."""

from uuid import uuid4

import pytest
from bs4 import BeautifulSoup
from django.contrib.staticfiles import finders
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.utils.safestring import SafeString

from relais.core import navigation
from relais.core.actor import PATIENT, PROFESSIONAL, Actor
from relais.core.views_kit import kit


@pytest.fixture
def request_of(rf: RequestFactory, monkeypatch: pytest.MonkeyPatch):
    """A request by a professional of one establishment, a patient, or nobody."""
    monkeypatch.setattr(
        navigation,
        "_identify",
        [lambda actor: navigation.Identity(name="Dr Claire Roussel", establishment="CH de Créteil", can_switch=True)],
    )

    monkeypatch.setattr(navigation, "_trays", [])

    def make(kind: str = "", path: str = "/") -> HttpRequest:
        request = rf.get(path)
        request.actor = Actor(kind=kind, user_id=uuid4(), establishment_id=uuid4()) if kind else None
        return request

    return make


def soup(html: str) -> BeautifulSoup:
    return BeautifulSoup(html, "html.parser")


@pytest.mark.req("TC-02")
def test_a_service_stands_in_the_top_banner_and_in_the_left_rail(request_of, monkeypatch: pytest.MonkeyPatch) -> None:
    item = navigation.NavItem(key="t", label="Téléconsultation", icon="video", url_name="health", in_banner=True)
    other = navigation.NavItem(key="u", label="Absent", icon="video", url_name="nowhere:yet")
    monkeypatch.setattr(navigation, "_items", {"t": item, "u": other})
    page = soup(render_to_string("core/base.html", request=request_of(PROFESSIONAL)))
    for place in ("in-banner", "rail"):
        link = page.find("nav", class_=place).a
        assert link.get_text(strip=True) == "Téléconsultation"
        assert link.svg
    assert "Absent" not in page.get_text()


def test_what_comes_to_a_professional_stands_in_the_top_bar_of_theirs_alone(request_of, monkeypatch) -> None:
    monkeypatch.setattr(
        navigation, "_trays", [lambda actor, place: SafeString(f"<b>On frappe {place}</b>"), lambda actor, place: ""]
    )
    page = soup(render_to_string("core/base.html", request=request_of(PROFESSIONAL)))
    assert page.find("header", class_="topbar").b.get_text() == "On frappe page"
    call = soup(render_to_string("core/call.html", request=request_of(PROFESSIONAL)))
    assert call.find("section", class_="call-trays").b.get_text() == "On frappe call"
    assert not soup(render_to_string("core/call.html", request=request_of(PATIENT))).find(
        "section", class_="call-trays"
    )
    assert navigation.trays_for(Actor(kind=PATIENT, grant_id=uuid4())) == []


def test_an_entry_is_shown_only_to_those_it_is_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(navigation, "_items", {})
    navigation.register(navigation.NavItem(key="p", label="P", icon="video", url_name="health"))
    navigation.register(
        navigation.NavItem(key="m", label="M", icon="video", url_name="health", visible=lambda a: a.has_role("manager"))
    )
    manager = Actor(kind=PROFESSIONAL, roles=frozenset({"manager"}))
    assert [item.key for item in navigation.items_for(manager)] == ["m", "p"]
    assert [item.key for item in navigation.items_for(Actor(kind=PROFESSIONAL))] == ["p"]
    assert navigation.items_for(Actor(kind=PATIENT)) == []
    assert navigation.items_for(None) == []


def test_two_entries_of_one_key_are_a_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(navigation, "_items", {})
    item = navigation.NavItem(key="p", label="P", icon="video", url_name="health")
    navigation.register(item)
    navigation.register(item)
    with pytest.raises(ValueError, match="twice"):
        navigation.register(navigation.NavItem(key="p", label="Q", icon="video", url_name="health"))


@pytest.mark.req("TC-64", "SU-04")
@pytest.mark.parametrize("shell", ["base", "patient", "public", "call"])
def test_help_is_on_every_page(request_of, monkeypatch: pytest.MonkeyPatch, shell: str) -> None:
    monkeypatch.setattr("relais.core.context.url_or_none", lambda name: f"/{name}/")
    path = "/p/" if shell == "patient" else "/"
    page = soup(render_to_string(f"core/{shell}.html", request=request_of(PROFESSIONAL, path)))
    links = [link["href"] for link in page.find("header").find_all("a") if "Besoin d’aide ?" in link.get_text()]
    assert links == ["/portal:patient_help/" if shell == "patient" else "/portal:help/"]


def test_only_a_patient_who_is_in_can_leave(request_of, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("relais.core.context.url_or_none", lambda name: f"/{name}/")
    inside = soup(render_to_string("core/patient.html", request=request_of(PATIENT, "/p/")))
    assert (inside.footer.form["method"], inside.footer.form["action"]) == ("post", "/patient:leave/")
    assert soup(render_to_string("core/patient.html", request=request_of("", "/p/"))).footer.form is None


def test_a_patient_s_page_has_no_menu_and_says_whom_to_call(request_of) -> None:
    page = soup(render_to_string("core/patient.html", request=request_of(PATIENT, "/p/")))
    assert page.find("nav") is None
    assert [link["href"] for link in page.find(class_="urgency").find_all("a")] == ["tel:15", "sms:114"]


@pytest.mark.parametrize("shell", ["base", "patient", "public", "call"])
def test_a_shell_has_a_language_a_title_one_heading_and_a_way_past_the_menu(request_of, shell: str) -> None:
    page = soup(render_to_string(f"core/{shell}.html", request=request_of(PROFESSIONAL)))
    assert page.html["lang"] == "fr"
    assert len(page.find_all("h1")) == 1
    assert page.find(id=page.find(class_="skip-link")["href"][1:]).name == "main"


@pytest.mark.parametrize("shell", ["base", "patient", "public", "call"])
def test_no_page_carries_inline_script_or_style(request_of, rf: RequestFactory, shell: str) -> None:
    """The Content-Security-Policy would refuse them."""
    request = request_of(PROFESSIONAL)
    request.GET = rf.get("/", {"shell": shell}).GET
    page = soup(kit(request).content.decode())
    assert list(page.find_all(style=True)) == []
    assert all(tag.has_attr("src") for tag in page.find_all("script"))
    assert [tag.name for tag in page.find_all() if any(name.startswith("on") for name in tag.attrs)] == []


def test_a_late_scheduler_shows_in_a_banner(request_of, monkeypatch: pytest.MonkeyPatch) -> None:
    calm = soup(render_to_string("core/base.html", request=request_of(PROFESSIONAL))).find(id="relais-banner")
    assert calm.get_text(strip=True) == ""
    monkeypatch.setattr("relais.core.health.scheduler_late", lambda: True)
    late = soup(render_to_string("core/base.html", request=request_of(PROFESSIONAL))).find(id="relais-banner")
    assert "Les rappels ont du retard" in late.get_text()


# Errors


@pytest.mark.parametrize(
    ("kind", "path", "shell"),
    [(PROFESSIONAL, "/x/", "shell"), ("", "/x/", "onecol"), (PATIENT, "/p/x/", "onecol")],
)
@pytest.mark.parametrize("template", ["404.html", "403.html"])
def test_an_error_page_stands_in_the_shell_of_who_meets_it(
    request_of, template: str, kind: str, path: str, shell: str
) -> None:
    page = soup(render_to_string(template, request=request_of(kind, path)))
    assert page.find("body").find(class_=shell)
    assert "Rien n’a été modifié" in page.get_text()


@pytest.mark.parametrize("template", ["400.html", "500.html"])
def test_the_page_of_a_fault_needs_nothing_around_it(template: str) -> None:
    page = soup(render_to_string(template))
    for link in page.find_all("link"):
        assert finders.find(link["href"].removeprefix("/static/"))
    assert page.find("a", href="tel:15")


def test_an_expired_token_gives_back_what_was_typed(request_of) -> None:
    fields = [("note", "Prévoir\nun interprète & une chaise"), ("reason", "")]
    html = render_to_string(
        "core/csrf_failure.html", {"fields": fields, "path": "/x/?y=1"}, request=request_of(PROFESSIONAL)
    )
    page = soup(html)
    form = page.find("main").form
    assert form["action"] == "/x/?y=1"
    assert [(area["name"], area.get_text()) for area in form.find_all("textarea")] == fields
    assert form.find("input", {"name": "csrfmiddlewaretoken"})["value"]
    assert page.body.has_attr("data-draft-keep")


def test_a_refused_action_says_its_sentence(request_of) -> None:
    context = {"message": "Ce créneau vient d’être pris."}
    page = soup(render_to_string("core/refused.html", context, request=request_of(PROFESSIONAL)))
    assert page.find(attrs={"data-refused": True}).get_text() == "Ce créneau vient d’être pris."
