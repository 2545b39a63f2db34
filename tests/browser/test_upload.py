"""Files between a real browser and the real server: sent ahead with their progress, shown safely, never in the way."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from relais.accounts.models import Membership
from relais.accounts.testing import make_practitioner
from relais.core.actor import SYSTEM_ACTOR
from relais.dossiers import actions as dossiers
from relais.dossiers.models import Document, Dossier
from relais.files import actions
from relais.files.tests import make
from relais.teleconsultation.testing import make_tele

pytestmark = pytest.mark.browser
LARGE = b"Le patient tousse la nuit.\n" * 60_000  # 1.6 MB of text


@pytest.fixture
def doctor(site: Any) -> Membership:
    return make_practitioner(title="Dr", family_name="Martin", given_name="Claire")


@pytest.fixture
def page(page_of: Any, doctor: Membership) -> Any:
    """The doctor's page of a dossier, the form that adds a document open."""
    tele = make_tele(practitioner=doctor).tele
    page = page_of(doctor, f"/teleconsultation/{tele.pk}/")
    page.locator("details.step-menu > summary").click()
    return page


def choose(page: Any, name: str, content: bytes, kind: str = "text/plain") -> None:
    page.locator("#d-file").set_input_files({"name": name, "mimeType": kind, "buffer": content})


def add(page: Any) -> None:
    page.get_by_role("button", name="Ajouter ce document").click()
    page.wait_for_load_state()


def test_a_large_file_goes_ahead_of_its_form_and_is_filed_with_it(page: Any) -> None:
    choose(page, "toux.txt", LARGE)
    page.get_by_text("Fichier reçu, prêt à être ajouté.").first.wait_for()
    expect(page.locator("input[name=file_handle]")).to_have_count(1)
    assert page.locator("#d-file").get_attribute("name") is None
    with page.expect_request("**/document/") as sent:
        add(page)
    assert len(sent.value.post_data_buffer or b"") < 10_000
    assert actions.read(Document.objects.get().file) == LARGE


def test_another_choice_takes_the_place_of_the_first(page: Any) -> None:
    choose(page, "un.txt", LARGE)
    page.get_by_text("Fichier reçu").first.wait_for()
    choose(page, "deux.txt", b"deux " * 100_000)
    page.locator("input[name=file_handle]").wait_for(state="attached")
    add(page)
    assert Document.objects.get().file.name == "deux.txt"


def test_a_small_file_goes_with_its_form(page: Any) -> None:
    choose(page, "note.txt", b"Toux")
    expect(page.locator("input[name=file_handle]")).to_have_count(0)
    add(page)
    assert actions.read(Document.objects.get().file) == b"Toux"


def test_when_sending_ahead_fails_the_form_carries_the_file(page: Any) -> None:
    page.expected.append("net::ERR_FAILED")
    page.route("**/upload/", lambda route: route.abort())
    choose(page, "toux.txt", LARGE)
    page.get_by_text("Le fichier partira avec le formulaire.").first.wait_for()
    add(page)
    assert Document.objects.get().file.size == len(LARGE)


def test_a_refused_file_is_told_beside_its_field_and_not_filed(page: Any) -> None:
    page.expected.append("422")
    choose(page, "page.pdf", make.HTML, "application/pdf")
    add(page)
    assert page.get_by_text("n’est pas celui d’un fichier « .pdf »").count() >= 1
    assert not Document.objects.exists()


def test_a_pdf_is_shown_by_the_browser_and_a_text_is_downloaded(page: Any, site: Any) -> None:
    choose(page, "bilan.pdf", make.pdf(pages=2), "application/pdf")
    add(page)
    document = Document.objects.get()
    answer = page.context.request.get(f"{site.base}/teleconsultation/document/{document.pk}/?voir")
    assert answer.body() == actions.read(document.file)
    assert answer.headers["content-disposition"].startswith("inline")
    assert "sandbox" not in answer.headers["content-security-policy"]
    answer = page.context.request.get(f"{site.base}/teleconsultation/document/{document.pk}/")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["content-security-policy"]


def test_what_happens_meanwhile_waits_until_the_form_is_sent_or_somebody_asks_to_see_it(page: Any) -> None:
    """A live refetch takes neither the open form nor the file chosen in it."""
    choose(page, "note.txt", b"Toux")
    dossiers.record(Dossier.objects.get(), "note_added", SYSTEM_ACTOR)
    mark = page.locator("[data-live-mark]")
    mark.wait_for()
    assert page.evaluate("document.querySelector('#d-file').files.length") == 1
    mark.click()
    page.locator("details.step-menu:not([open])").wait_for(state="attached")


@pytest.fixture
def stalled(site: Any, doctor: Membership) -> Iterator[list[socket.socket]]:
    """Forty uploads that began and send nothing more: more than the pages have threads."""
    cookie = "; ".join(f"{each['name']}={each['value']}" for each in site.cookies_of(doctor))
    head = f"POST /upload/ HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\nContent-Length: 1000000\r\n\r\nx"
    found = []
    for _index in range(40):
        found.append(socket.create_connection(("localhost", site.server.port)))
        found[-1].sendall(head.encode())
    yield found
    for each in found:
        each.close()


def test_slow_uploads_do_not_keep_pages_waiting(stalled: list, page_of: Any, doctor: Membership) -> None:
    page = page_of(doctor, "/teleconsultation/")
    expect(page.locator("h1")).to_have_count(1)
