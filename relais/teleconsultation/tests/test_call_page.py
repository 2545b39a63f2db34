"""What stands beside the picture during the call."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from relais.accounts.models import Role
from relais.accounts.testing import actor_for, client_of, make_establishment, make_member, make_practitioner
from relais.dossiers.actions import topic
from relais.teleconsultation.actions import call, record
from relais.teleconsultation.testing import make_tele

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene():
    made = make_tele()
    call.join(actor=actor_for(made.practitioner), tele=made.tele)
    return made


def page(scene):
    return reverse("teleconsultation:call", args=[scene.tele.pk])


def documents_alone(browser, scene):
    """What the open call asks for at a ping."""
    return browser.get(page(scene), HTTP_HX_REQUEST="true", HTTP_HX_TARGET="call-documents")


def file_one(scene):
    upload = SimpleUploadedFile("talon.txt", b"Rougeur au talon", "text/plain")
    doctor = actor_for(scene.practitioner)
    record.add_document(actor=doctor, tele=scene.tele, upload=upload, title="Photo du talon", shared=False)


@pytest.mark.req("TC-42")
def test_a_document_filed_during_the_call_stands_beside_the_picture_at_the_next_ping(scene):
    browser = client_of(scene.practitioner)
    whole = browser.get(page(scene)).content.decode()
    assert "Aucun document pour l’instant." in whole
    assert f'id="call-documents" data-live="{topic(scene.tele.pk)}:' in whole
    file_one(scene)
    answer = documents_alone(browser, scene).content.decode()
    assert "Photo du talon" in answer
    assert "<html" not in answer
    assert "Photo du talon" in browser.get(page(scene)).content.decode()


def test_who_is_not_in_the_call_gets_no_list(scene):
    file_one(scene)
    place = scene.practitioner.establishment
    for member in (
        make_practitioner(place),
        make_member(place, Role.SECRETARY),
        make_practitioner(make_establishment("Ailleurs")),
    ):
        answer = documents_alone(client_of(member), scene)
        assert answer.status_code in (403, 404)
        assert "Photo du talon" not in answer.content.decode()
