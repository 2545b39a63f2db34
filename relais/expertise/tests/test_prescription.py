"""The prescription that comes with an opinion: asked for when it is said, led to, and told to other systems (domain.md §2.1)."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from relais.accounts.testing import client_of
from relais.dossiers.testing import of, read_bundle
from relais.expertise.actions import answering, correcting, drafting, keeping
from relais.expertise.models import Opinion
from relais.expertise.testing import ANSWER, make_asked, opinion_page, posted
from relais.files.tests import make

pytestmark = pytest.mark.django_db
SAID = {**ANSWER, "tr.prescription": ["true"]}


def url(scene):
    return f"/expertise/{scene.asked.pk}/avis/"


def page_of(member, scene):
    return client_of(member).get(f"/expertise/{scene.asked.pk}/").content.decode()


def exported(scene):
    return read_bundle(client_of(scene.requester).get(f"/expertise/{scene.asked.pk}/fhir.json"))


@pytest.mark.req("TE-01")
def test_a_prescription_that_is_said_and_not_joined_is_asked_for_and_nothing_is_lost():
    scene = make_asked(state="prise-en-charge")
    browser = client_of(scene.expert)
    refused = browser.post(url(scene), posted(SAID))
    assert refused.status_code == 422
    for words in (
        "Joignez l’ordonnance, en bas de cette page, ou répondez « Non »",
        "Surveillance deux fois par jour.",
    ):
        assert words in refused.content.decode(), words
    assert (Opinion.objects.count(), scene.again().state) == (0, "prise-en-charge")
    assert (
        browser.post(
            url(scene), posted(SAID, prescription=SimpleUploadedFile("ordonnance.pdf", make.pdf(), "application/pdf"))
        ).status_code
        == 302
    )
    document = scene.asked.dossier.documents.get(kind="prescription")
    assert (document.author_id, document.title) == (scene.expert.user_id, "Ordonnance")
    page = page_of(scene.requester, scene)
    assert f"/expertise/document/{document.pk}/" in page.split("Prescription jointe")[1][:200]
    assert client_of(scene.requester).get(f"/expertise/document/{document.pk}/").status_code == 200


def test_a_prescription_that_was_chosen_stays_chosen_while_something_else_is_corrected():
    scene = make_asked(state="prise-en-charge")
    browser = client_of(scene.expert)
    refused = browser.post(
        url(scene),
        posted({**SAID, "tr.cat": [""]}, prescription=SimpleUploadedFile("ordo.pdf", make.pdf(), "application/pdf")),
    )
    assert refused.status_code == 422
    (kept,) = refused.context["ahead"]
    assert kept["handle"] in refused.content.decode()
    assert browser.post(url(scene), posted(ANSWER, prescription_handle=kept["handle"])).status_code == 302
    assert scene.asked.dossier.documents.filter(kind="prescription").count() == 1
    assert Opinion.objects.get().response.answers["tr.prescription"] == [True], "who joins it says it"


def test_what_the_expert_joined_before_is_the_prescription_and_the_requester_s_documents_are_not():
    scene = make_asked(state="prise-en-charge")
    drafting.attach(actor=scene.asker, asked=scene.again(), upload=make.pdf(), title="ECG")
    assert client_of(scene.expert).post(url(scene), posted(SAID)).status_code == 422
    wrong = drafting.attach(actor=scene.doctor, asked=scene.again(), upload=make.pdf(), title="Autre patient")
    keeping.withdraw(actor=scene.doctor, asked=scene.again(), document=wrong, why="Autre patient")
    assert client_of(scene.expert).post(url(scene), posted(SAID)).status_code == 422
    joined = drafting.attach(actor=scene.doctor, asked=scene.again(), upload=make.pdf(), title="Ordonnance de ce jour")
    assert client_of(scene.expert).post(url(scene), posted(SAID)).status_code == 302
    assert f"/expertise/document/{joined.pk}/" in page_of(scene.requester, scene).split("Prescription jointe")[1][:200]


@pytest.mark.req("TE-01")
def test_it_leaves_as_a_medication_request_that_names_its_document():
    scene = make_asked(state="prise-en-charge")
    page = opinion_page()
    first = answering.answer(actor=scene.doctor, asked=scene.asked, page=page)
    assert of(exported(scene), "MedicationRequest") == []
    assert "Prescription jointe" not in page_of(scene.requester, scene)
    drafting.attach(actor=scene.doctor, asked=scene.again(), upload=make.pdf(), title="Ordonnance")
    correcting.correct(
        actor=scene.doctor, asked=scene.again(), opinion=first, page=opinion_page(tr__prescription=[True]), why="Ajout."
    )
    found = exported(scene)
    (made,) = of(found, "MedicationRequest")
    assert (made["status"], made["intent"]) == ("draft", "proposal")
    assert made["basedOn"] == [{"reference": f"ServiceRequest/{scene.asked.pk}"}]
    (paper,) = made["supportingInformation"]
    assert found[paper["reference"]]["description"] == "Ordonnance"
    assert found[made["requester"]["reference"]]["practitioner"]["identifier"]["value"] == scene.expert.user.rpps
