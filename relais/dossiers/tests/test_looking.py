"""A document looked at in the page: the same doors and the same trace as a download, images of the right patient."""

import json
from dataclasses import replace
from datetime import date
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from relais.accounts.testing import client_of, make_establishment, make_practitioner
from relais.audit.models import Entry
from relais.dossiers import actions as dossiers
from relais.dossiers.models import Document, Dossier
from relais.expertise.actions import answering
from relais.expertise.testing import make_asked
from relais.files import actions as files
from relais.files import looking
from relais.files.dicom import phantom
from relais.files.tests import make
from relais.files.tests.test_dicom import opened
from relais.patients.testing import make_patient

pytestmark = [pytest.mark.django_db, pytest.mark.req("TE-01")]


class Scene:
    """An expert's request, with a document of its requester's."""

    def __init__(self, content: bytes, name: str) -> None:
        requester = make_practitioner(make_establishment("EHPAD des Lilas"))
        patient = make_patient("Zola", "Jeanne", birth_date=date(1938, 2, 1), seen_by=requester.establishment)
        self.asked = make_asked(requester=requester, patient=patient)
        self.document = filed(self.asked.asked.dossier, self.asked.asker, content, name)
        self.address = f"/expertise/document/{self.document.pk}/"
        self.browser = client_of(self.asked.expert)

    def looked(self) -> tuple[Any, str]:
        """The page, and the proof that it gives to what it asks next."""
        page = self.browser.get(f"{self.address}?regarder")
        return page, page.context["seen"]

    @property
    def traces(self) -> int:
        return Entry.objects.filter(action="document.read", about=self.document.dossier_id).count()


def filed(dossier: Dossier, actor: Any, content: bytes, name: str) -> Document:
    file = files.store(actor=actor, upload=content, name=name)
    return dossiers.add_document(actor=actor, dossier=dossier, file=file, kind="other", title="Scanner de ce matin")


def read(response: Any) -> bytes:
    return b"".join(response.streaming_content)


def scan(**said: Any) -> bytes:
    return phantom.written(phantom.image(size=16, **{"name": "ZOLA^JEANNE", "born": date(1938, 2, 1), **said}))


def test_a_look_leaves_one_trace_as_a_download_does() -> None:
    scene = Scene(scan(), "coupe.dcm")
    page, seen = scene.looked()
    assert page.status_code == 200
    assert scene.traces == 1
    told = json.loads(read(scene.browser.get(f"{scene.address}?serie&vu={seen}")))
    assert (told["whose"], told["warning"], told["series"][0]["images"]) == ("same", "", [[0, 0]])
    answer = scene.browser.get(f"{scene.address}?images=0.0&vu={seen}")
    [(head, pixels)] = opened(read(answer))
    assert (answer["Content-Encoding"], head["rows"], len(set(pixels.flat)) > 9) == ("gzip", 16, True)
    assert scene.traces == 1
    scene.browser.get(scene.address)
    scene.browser.get(f"{scene.address}?images=0.0")
    scene.browser.get(f"{scene.address}?images=0.0&vu=invented")
    assert scene.traces == 4
    for asked in ("", "voir&", "regarder&", "regarder&serie&"):  # a download, and what would renew its own proof
        before = scene.traces
        scene.browser.get(f"{scene.address}?{asked}vu={seen}")
        assert scene.traces == before + 1, asked


def test_the_proof_of_a_look_opens_no_door_and_is_nobody_else_s() -> None:
    scene = Scene(scan(), "coupe.dcm")
    _page, seen = scene.looked()
    stranger = client_of(make_practitioner(make_establishment("Clinique d’en Face")))
    for asked in ("", "?regarder", "?voir", "?serie", "?images=0.0"):
        for browser in (stranger, Client()):
            answer = browser.get(f"{scene.address}{asked}{'&' if asked else '?'}vu={seen}")
            assert answer.status_code in (302, 404)
    assert scene.traces == 1
    client_of(scene.asked.requester).get(f"{scene.address}?serie&vu={seen}")
    assert scene.traces == 2
    for actor, theirs in ((scene.asked.doctor, True), (replace(scene.asked.doctor, establishment_id=uuid4()), False)):
        request = SimpleNamespace(GET={"serie": "", "vu": seen}, actor=actor)
        assert looking.goes_on(request, scene.document.file) is theirs, "in another establishment it is another look"
    dossiers.withdraw_document(actor=scene.asked.doctor, document=scene.document, why="Autre patient")
    assert scene.browser.get(f"{scene.address}?images=0.0&vu={seen}").status_code == 404


@pytest.mark.parametrize(
    ("said", "whose", "words"),
    [
        ({"name": "DUPONT^JEAN", "born": date(1950, 1, 2)}, "other", "DUPONT JEAN, né(e) le 02/01/1950"),
        ({"born": date(1983, 2, 1)}, "other", "Ce dossier est celui de ZOLA Jeanne (01/02/1938)"),
        ({"name": "ZOLA", "born": None}, "unnamed", "Ces images disent seulement « ZOLA » : vérifiez"),
        ({"name": "ZOLA EMILE", "born": None}, "other", "Ces images portent une autre identité : ZOLA EMILE."),
        ({"name": "", "born": None}, "unnamed", "vérifiez qu’elles sont bien celles de ZOLA Jeanne"),
    ],
)
def test_images_of_somebody_else_or_of_nobody_are_said_to_be(said: dict[str, Any], whose: str, words: str) -> None:
    scene = Scene(scan(**said), "coupe.dcm")
    told = json.loads(read(scene.browser.get(f"{scene.address}?serie")))
    assert told["whose"] == whose
    assert words in told["warning"]


def test_a_series_in_a_zip_with_one_image_of_somebody_else_is_said_to_be() -> None:
    content = make.archive(**{"a.dcm": scan(), "b.dcm": scan(name="DUPONT^JEAN")})
    scene = Scene(content, "serie.zip")
    told = json.loads(read(scene.browser.get(f"{scene.address}?serie")))
    assert (told["whose"], len(told["series"][0]["images"])) == ("other", 2)


def test_images_of_a_series_that_cannot_be_read_are_said_to_be_missing() -> None:
    scene = Scene(make.archive(**{"a.dcm": scan(), "b.dcm": scan()[:400], "c.dcm": scan()[:500]}), "serie.zip")
    told = json.loads(read(scene.browser.get(f"{scene.address}?serie")))
    assert "2 images de ce fichier sont illisibles" in told["missing"]
    assert "data-look-missing hidden" in scene.looked()[0].content.decode()


def test_a_player_reads_a_video_by_its_parts_within_one_look() -> None:
    scene = Scene(make.MP4, "film.mp4")
    _page, seen = scene.looked()
    answer = scene.browser.get(f"{scene.address}?voir&vu={seen}", headers={"range": "bytes=4-7"})
    assert (answer.status_code, read(answer), scene.traces) == (206, make.MP4[4:8], 1)


def test_what_cannot_be_read_is_said_and_still_downloaded() -> None:
    scene = Scene(make.DICOM, "coupe.dcm")
    assert "ne contient pas d’image" in scene.looked()[0].content.decode()
    assert json.loads(read(scene.browser.get(f"{scene.address}?serie"))) == {"error": "nothing"}
    [(head, _none)] = opened(read(scene.browser.get(f"{scene.address}?images=0.0")))
    assert head["error"] == "unreadable"
    assert read(scene.browser.get(scene.address)) == make.DICOM
    for wrong in ("", "0", "0.0,1.0", "-1.0", "0.0-" * looking.MOST_TOGETHER + "0.0"):
        assert scene.browser.get(scene.address, {"images": wrong}).status_code == 404


def test_whoever_writes_the_opinion_has_the_documents_beside() -> None:
    scene = Scene(scan(), "coupe.dcm")
    answering.take(actor=scene.asked.doctor, asked=scene.asked.asked)
    page = scene.browser.get(f"/expertise/{scene.asked.asked.pk}/avis/").content.decode()
    assert f'<a href="{scene.address}?regarder" data-look>' in page


def test_a_pdf_is_framed_by_our_pages_alone_and_a_letter_is_downloaded() -> None:
    scene = Scene(make.pdf(), "lettre.pdf")
    page, seen = scene.looked()
    assert f"{scene.address}?voir&amp;vu={seen}" in page.content.decode()
    for answer in (page, scene.browser.get(f"{scene.address}?voir&vu={seen}")):
        assert answer["X-Frame-Options"] == "SAMEORIGIN"
        assert "frame-ancestors 'self'" in answer["Content-Security-Policy"]
    assert scene.browser.get(f"/expertise/{scene.asked.asked.pk}/")["X-Frame-Options"] == "DENY"
    letter = filed(scene.asked.asked.dossier, scene.asked.asker, make.docx(), "lettre.docx")
    shown = scene.browser.get(f"/expertise/{scene.asked.asked.pk}/").content.decode()
    assert f'<a href="{scene.address}?regarder" data-look>' in shown
    assert f'<a href="/expertise/document/{letter.pk}/">' in shown
    said = scene.browser.get(f"/expertise/document/{letter.pk}/?regarder").content.decode()
    assert "ne peut pas être montré ici" in said
