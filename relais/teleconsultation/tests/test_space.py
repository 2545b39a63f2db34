"""The patient space through HTTP (TC-24, TC-25, TC-27 … TC-36)."""

import io
from datetime import timedelta
from unittest import mock

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from relais.accounts.testing import actor_for, client_of
from relais.dossiers.models import Document
from relais.patients.testing import let_in, make_patient
from relais.rooms.models import Invitation, Room
from relais.teleconsultation.actions import booking, call, record
from relais.teleconsultation.testing import make_tele

pytestmark = pytest.mark.django_db
HOME, JOIN, CALL = "/p/rendez-vous/", "/p/rendez-vous/rejoindre/", "/p/rendez-vous/appel/"


def png():
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(out, "PNG")
    return SimpleUploadedFile("photo.png", out.getvalue(), "image/png")


def at(moment):
    return mock.patch.object(timezone, "now", return_value=moment)


def space(scene):
    """A browser let in with the scene's grant, whose holder has a place in the room."""
    room = Room.objects.get(about=scene.tele.pk)
    Invitation.objects.get_or_create(
        room=room, holder_id=scene.grant.pk, defaults={"part": "patient", "name": "Patient", "authenticated": True}
    )
    return let_in(Client(), scene.grant)


@pytest.mark.req("TC-29")
def test_the_space_shows_the_appointment():
    scene = make_tele(patient=make_patient(given="Camille"), starts_at=timezone.now() + timedelta(days=2))
    page = space(scene).get(HOME).content.decode()
    for part in ("Camille", scene.practitioner.user.full_name, scene.practitioner.establishment.name):
        assert part in page


@pytest.mark.req("TC-27")
@pytest.mark.parametrize(("seconds", "may"), [(-1201, False), (-1200, True), (-1199, True), (3600, True)])
def test_rejoindre_opens_twenty_minutes_before_exactly(seconds, may):
    """At −20:01 it is too early, at −20:00 it is open, and being late closes nothing."""
    scene = make_tele(starts_at=timezone.now() + timedelta(hours=2))
    browser = space(scene)
    with at(scene.tele.starts_at + timedelta(seconds=seconds)):
        page = browser.get(HOME).content.decode()
        answer = browser.post(JOIN, headers={"Referer": f"http://testserver{HOME}"})
    assert (f'action="{JOIN}"' in page) is may
    assert (answer.url == CALL) is may


@pytest.mark.req("TC-27", "TC-28")
def test_the_space_itself_is_open_from_the_booking():
    """Documents and test are there days before; only the room waits."""
    scene = make_tele(starts_at=timezone.now() + timedelta(days=9))
    browser = space(scene)
    for name in ("home", "documents", "test", "readers"):
        assert browser.get(reverse(f"space:{name}")).status_code == 200, name


@pytest.mark.req("TC-28")
def test_rejoindre_ends_when_the_consultation_is_done():
    scene = make_tele(state="done")
    browser = space(scene)
    assert JOIN not in browser.get(HOME).content.decode()
    assert browser.get(CALL).url == HOME


@pytest.mark.req("TC-28")
@pytest.mark.parametrize(("seconds", "opens"), [(0, True), (1, False)])
def test_the_space_stays_thirty_days_from_done_exactly(seconds, opens):
    scene = make_tele(state="in_call", starts_at=timezone.now() - timedelta(minutes=10))
    call.finish(actor=actor_for(scene.practitioner), tele=scene.tele)
    scene.tele.refresh_from_db()
    browser = space(scene)
    with at(scene.tele.ended_at + timedelta(days=30, seconds=seconds)):
        answer = browser.get(HOME)
    assert (answer.status_code == 200) is opens


@pytest.mark.req("TC-28")
def test_never_held_it_stays_thirty_days_from_the_planned_end():
    scene = make_tele(starts_at=timezone.now() - timedelta(hours=1))
    call.mark_absent(actor=actor_for(scene.practitioner), tele=scene.tele, who="patient")
    scene.grant.refresh_from_db()
    assert scene.grant.valid_until == scene.tele.ends_at + timedelta(days=30)


@pytest.mark.req("TC-28")
def test_a_later_sharing_renews_the_space():
    scene = make_tele(state="done", starts_at=timezone.now() - timedelta(days=20))
    actor = actor_for(scene.practitioner)
    record.add_document(actor=actor, tele=scene.tele, upload=png(), title="Résultat", shared=True)
    scene.grant.refresh_from_db()
    assert abs(scene.grant.valid_until - timezone.now() - timedelta(days=30)) < timedelta(minutes=1)


@pytest.mark.req("TC-24", "TC-25", "TC-30")
@pytest.mark.parametrize("state", ["planned", "in_call", "done"])
def test_the_patient_deposits_and_the_doctor_sees_it(state):
    """Before, during and after: never refused in one of the states (C25)."""
    scene = make_tele(state=state)
    space(scene).post("/p/rendez-vous/documents/", {"file": png(), "title": "Ordonnance de ville"})
    document = Document.objects.get()
    assert (document.kind, document.author_grant_id) == ("patient", scene.grant.pk)
    page = client_of(scene.practitioner).get(reverse("teleconsultation:dossier", args=[scene.tele.pk])).content.decode()
    assert "Ordonnance de ville" in page
    assert "déposé par le patient" in page


@pytest.mark.req("TC-25", "TC-30", "TC-47")
def test_the_patient_sees_their_own_documents_and_the_shared_ones_only():
    scene = make_tele(state="done")
    actor = actor_for(scene.practitioner)
    record.add_document(actor=actor, tele=scene.tele, upload=png(), title="Pour le patient", shared=True)
    record.add_document(actor=actor, tele=scene.tele, upload=png(), title="Interne", shared=False)
    browser = space(scene)
    page = browser.get("/p/rendez-vous/documents/").content.decode()
    assert "Pour le patient" in page
    assert "Interne" not in page
    shared, internal = Document.objects.order_by("created_at")
    assert browser.get(reverse("space:document", args=[shared.pk])).status_code == 200
    assert browser.get(reverse("space:document", args=[internal.pk])).status_code == 404


def test_a_hidden_again_document_is_gone_at_once():
    scene = make_tele(state="done")
    actor = actor_for(scene.practitioner)
    document = record.add_document(actor=actor, tele=scene.tele, upload=png(), title="Trop tôt", shared=True)
    browser = space(scene)
    record.share(actor=actor, tele=scene.tele, document=document, shared=False)
    assert browser.get(reverse("space:document", args=[document.pk])).status_code == 404


def test_another_patient_sees_nothing_of_it():
    scene, other = make_tele(), make_tele()
    actor = actor_for(scene.practitioner)
    document = record.add_document(actor=actor, tele=scene.tele, upload=png(), title="Secret", shared=True)
    assert space(other).get(reverse("space:document", args=[document.pk])).status_code == 404


def test_a_closed_dossier_takes_no_deposit_and_says_so():
    scene = make_tele(state="closed")
    answer = space(scene).post("/p/rendez-vous/documents/", {"file": png()})
    assert answer.status_code == 422
    assert "clôturé" in answer.content.decode()
    assert not Document.objects.exists()


def test_a_bad_file_gets_a_sentence_beside_the_field():
    scene = make_tele()
    empty = SimpleUploadedFile("vide.pdf", b"")
    answer = space(scene).post("/p/rendez-vous/documents/", {"file": empty, "title": "Mon titre"})
    assert answer.status_code == 422
    assert "vide" in answer.content.decode()


@pytest.mark.req("TC-31", "TC-32")
def test_the_self_test_is_advised_and_never_blocks():
    scene = make_tele()
    browser = space(scene)
    assert "vivement conseillé" in browser.get(HOME).content.decode()
    assert browser.post(JOIN).url == CALL


@pytest.mark.req("TC-33", "TC-35", "TC-36")
def test_the_patient_waits_until_the_professional_joins():
    scene = make_tele()
    browser = space(scene)
    invitation = Invitation.objects.get(holder_id=scene.grant.pk)
    browser.post(JOIN)
    invitation.refresh_from_db()
    assert invitation.admitted_at is None
    call.join(actor=actor_for(scene.practitioner), tele=scene.tele)
    invitation.refresh_from_db()
    assert invitation.admitted_at is not None


@pytest.mark.req("TC-36")
def test_before_rejoindre_by_the_professional_the_patient_is_not_in_call():
    scene = make_tele(starts_at=timezone.now() + timedelta(hours=3))
    browser = client_of(scene.practitioner)
    browser.post(reverse("teleconsultation:join", args=[scene.tele.pk]))
    scene.tele.refresh_from_db()
    assert scene.tele.state == "planned"  # more than an hour early: refused with a sentence


def test_a_cancelled_appointment_says_why_and_whom_to_call():
    scene = make_tele(starts_at=timezone.now() + timedelta(days=1))
    booking.cancel(actor=actor_for(scene.practitioner), tele=scene.tele, why="Empêchement du praticien")
    page = space(scene).get(HOME).content.decode()
    assert "Empêchement du praticien" in page
    assert JOIN not in page


def test_a_proxy_is_named_on_the_page():
    scene = make_tele(patient=make_patient(given="Léo"), grant_fields={"holder": "parent", "holder_name": "Anne Petit"})
    page = space(scene).get(HOME).content.decode()
    assert "Anne Petit" in page
    assert "Léo" in page


def test_the_patient_sees_who_has_read_the_file():
    scene = make_tele()
    client_of(scene.practitioner).get(reverse("teleconsultation:dossier", args=[scene.tele.pk]))
    assert scene.practitioner.user.full_name in space(scene).get("/p/rendez-vous/acces/").content.decode()


def test_a_guest_reaches_the_call_and_nothing_else():
    scene = make_tele(state="in_call")
    actor = actor_for(scene.practitioner)
    guest = call.invite_guest(actor=actor, tele=scene.tele, name="Anne Petit, sa fille", email="", phone="+33639981234")
    browser = let_in(Client(), guest)
    assert browser.get(HOME).url == CALL
    assert browser.get(CALL).status_code == 200
    for name in ("documents", "readers", "test"):
        assert browser.get(reverse(f"space:{name}")).status_code == 404, name


def test_at_most_two_guests_are_invited():
    scene = make_tele(state="in_call")
    url = reverse("teleconsultation:invite", args=[scene.tele.pk])
    browser = client_of(scene.practitioner)
    for _number in range(3):
        answer = browser.post(url, {"g-name": "Quelqu’un", "g-phone": "06 39 98 12 34"}, headers={"HX-Request": "true"})
    assert answer.status_code == 422
    assert Invitation.objects.filter(part="guest").count() == 2


def test_the_same_number_of_queries_with_one_document_as_with_three():

    scene = make_tele(state="done")
    browser = space(scene)
    counts = []
    for number in range(3):
        record.add_document(
            actor=actor_for(scene.practitioner), tele=scene.tele, upload=png(), title=f"N{number}", shared=True
        )
        browser.get("/p/rendez-vous/documents/")
        with CaptureQueriesContext(connection) as caught:
            browser.get("/p/rendez-vous/documents/")
        counts.append(len(caught))
    assert counts[0] == counts[2]
