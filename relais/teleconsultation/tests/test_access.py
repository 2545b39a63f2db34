"""Whose is it: every way to a dossier that is not one's own (another room, another dossier, left yesterday, guest)."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from relais.accounts.actions import change_role, remove_member
from relais.accounts.models import Role
from relais.accounts.testing import actor_for, client_of, make_establishment, make_member, make_practitioner
from relais.core.actor import SYSTEM_ACTOR, Actor
from relais.core.errors import NotFound, Refused
from relais.dossiers import actions as dossiers
from relais.dossiers.models import Document, Dossier
from relais.notifications.models import Message
from relais.patients.models import Patient
from relais.patients.testing import let_in, make_grant, make_patient
from relais.rooms import actions as rooms
from relais.rooms.models import Capture, Invitation, Room
from relais.teleconsultation.actions import access, booking, call, record
from relais.teleconsultation.testing import make_tele

pytestmark = pytest.mark.django_db


def png(name="photo.png"):
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(out, "PNG")
    return SimpleUploadedFile(name, out.getvalue(), "image/png")


def url(name, *args):
    return reverse(f"teleconsultation:{name}", args=args)


def filed(scene, *, shared=False, title="Radiographie"):
    """A document of the practitioner in the dossier."""
    return record.add_document(
        actor=actor_for(scene.practitioner), tele=scene.tele, upload=png(), title=title, shared=shared
    )


def left_for_elsewhere(scene):
    """The practitioner of `scene` was removed from its establishment yesterday and works elsewhere today."""
    elsewhere = make_member(make_establishment("Ailleurs"), Role.PRACTITIONER, user=scene.practitioner.user)
    make_member(scene.practitioner.establishment, Role.MANAGER)
    remove_member(actor=SYSTEM_ACTOR, membership_id=scene.practitioner.pk)
    return elsewhere


def test_who_left_the_establishment_sees_its_dossiers_no_more():
    """Having been the practitioner of the appointment opens nothing from another establishment."""
    doctor = make_practitioner()
    tele = booking.book(
        actor=actor_for(doctor), patient=make_patient(seen_by=doctor.establishment), practitioner_id=doctor.user_id, minutes=20,
        starts_at=make_tele().tele.starts_at.replace(year=2027), reason="CONSULTATION",
        contact=access.Contact("a@exemple.test", ""),
    )  # fmt: skip
    elsewhere = make_member(make_establishment("Ailleurs"), Role.PRACTITIONER, user=doctor.user)
    remove_member(actor=SYSTEM_ACTOR, membership_id=doctor.pk)
    browser = client_of(elsewhere)
    assert browser.get(url("dossier", tele.pk)).status_code == 404
    assert browser.get(url("readers", tele.pk)).status_code == 404
    assert browser.post(url("add_note", tele.pk), {"text": "Encore moi"}).status_code == 404
    assert not Patient.objects.visible_to(actor_for(elsewhere)).exists()


def test_who_takes_part_from_another_establishment_sees_it_from_there_alone():
    scene = make_tele()
    there = make_establishment("CHU")
    expert = make_practitioner(there)
    dossiers.add_participant(
        actor=actor_for(scene.practitioner), dossier=scene.tele.dossier, user=expert.user, role="expert",
        establishment=there,
    )  # fmt: skip
    third = make_member(make_establishment("Ailleurs"), Role.PRACTITIONER, user=expert.user)
    assert Dossier.objects.visible_to(actor_for(expert)).exists()
    assert not Dossier.objects.visible_to(actor_for(third)).exists()


def test_the_actions_themselves_refuse_a_practitioner_of_another_establishment():
    """Pages are not the only callers: what checks is the action."""
    scene = make_tele(state="done")
    document = filed(scene)
    stranger = actor_for(make_practitioner(make_establishment("Ailleurs")))
    dossier = scene.tele.dossier
    attempts = [
        lambda: record.add_document(actor=stranger, tele=scene.tele, upload=png(), title="", shared=True),
        lambda: dossiers.add_note(actor=stranger, dossier=dossier, text="x"),
        lambda: dossiers.add_step(actor=stranger, dossier=dossier, kind="document"),
        lambda: dossiers.share_document(actor=stranger, document=document, shared=True),
        lambda: dossiers.withdraw_document(actor=stranger, document=document, why="x"),
        lambda: record.share(actor=stranger, tele=scene.tele, document=document, shared=True),
        lambda: record.addendum(actor=stranger, tele=scene.tele, text="x"),
        lambda: call.invite_guest(actor=stranger, tele=scene.tele, name="x", email="a@exemple.test", phone=""),
    ]
    for attempt in attempts:
        with pytest.raises(NotFound):
            attempt()
    assert Document.objects.count() == 1


def test_who_is_removed_during_a_call_leaves_it_at_once_and_does_not_come_back_from_elsewhere():
    scene = make_tele()
    room = call.join(actor=actor_for(scene.practitioner), tele=scene.tele)
    rooms.join(actor=actor_for(scene.practitioner), room=room)
    elsewhere = left_for_elsewhere(scene)
    assert not room.invitations.get(part="host").peers.filter(left_at=None).exists()
    browser = client_of(elsewhere)
    entered = browser.post(reverse("rooms:join", args=[room.pk]), headers={"Accept": "application/json"})
    assert entered.status_code == 409
    assert browser.get(url("call", scene.tele.pk)).status_code == 404


def test_who_becomes_a_secretary_during_a_call_leaves_it_and_who_practises_again_comes_back():
    scene = make_tele()
    actor = actor_for(scene.practitioner)
    rooms.join(actor=actor, room=call.join(actor=actor, tele=scene.tele))
    change_role(actor=SYSTEM_ACTOR, membership_id=scene.practitioner.pk, role=Role.SECRETARY)
    with pytest.raises(Refused):
        rooms.join(actor=actor, room=Room.objects.get(about=scene.tele.pk))
    change_role(actor=SYSTEM_ACTOR, membership_id=scene.practitioner.pk, role=Role.PRACTITIONER)
    assert rooms.join(actor=actor, room=call.join(actor=actor, tele=scene.tele))


# The patient's side


def patient_of(scene):
    return let_in(Client(), scene.grant)


def space_document(document):
    return reverse("space:document", args=[document.pk])


def test_a_patient_reads_what_is_shared_until_it_is_hidden_or_withdrawn():
    scene = make_tele(state="done")
    document, browser = filed(scene), patient_of(scene)
    assert browser.get(space_document(document)).status_code == 404
    staff = client_of(scene.practitioner)
    staff.post(url("document_verb", document.pk, "partager"))
    assert browser.get(space_document(document)).status_code == 200
    staff.post(url("document_verb", document.pk, "masquer"))
    assert browser.get(space_document(document)).status_code == 404
    staff.post(url("document_verb", document.pk, "partager"))
    staff.post(url("document_verb", document.pk, "retirer"), {"why": "Mauvais patient"})
    assert browser.get(space_document(document)).status_code == 404
    assert "Radiographie" not in browser.get(reverse("space:documents")).content.decode()


def test_a_patient_never_reads_the_document_of_another_dossier_even_their_own():
    """One way in opens one appointment (TC-22)."""
    patient = make_patient()
    first, second = (make_tele(patient=patient, state="done") for _number in range(2))
    assert patient_of(second).get(space_document(filed(first, shared=True))).status_code == 404


def test_a_withdrawn_document_cannot_be_shared_again():
    scene = make_tele(state="done")
    document = filed(scene)
    dossiers.withdraw_document(actor=actor_for(scene.practitioner), document=document, why="Mauvais patient")
    client_of(scene.practitioner).post(url("document_verb", document.pk, "partager"))
    document.refresh_from_db()
    assert document.shared_at is None
    assert not Message.objects.filter(type="tele.document").exists()


def test_a_guest_has_the_room_and_nothing_of_the_space():
    scene = make_tele(state="in_call")
    grant, _secrets = make_grant(scene.patient, about=scene.tele.pk, holder="guest", holder_name="Interprète")
    guest = let_in(Client(), grant)
    assert guest.get(reverse("space:home")).url == reverse("space:call")
    for page in ("documents", "readers", "test"):
        assert guest.get(reverse(f"space:{page}")).status_code == 404, page
    assert guest.get(space_document(filed(scene, shared=True))).status_code == 404
    assert guest.post(reverse("space:documents"), {"file": png()}).status_code == 404
    assert guest.post(reverse("space:join")).status_code == 404


def test_a_guest_at_the_door_is_not_the_patient_in_the_waiting_room():
    scene = make_tele()
    grant, _secrets = make_grant(scene.patient, about=scene.tele.pk, holder="guest", holder_name="Sa fille")
    rooms.beat(actor=Actor(kind="guest", grant_id=grant.pk, about=scene.tele.pk), about=scene.tele.pk, place="waiting")
    page = client_of(scene.practitioner).get(url("dashboard")).content.decode()
    assert "Non connecté" in page


# A picture of the call


@pytest.fixture
def pictured():
    """A scene in call and the agreement of its patient to one photograph, asked by its practitioner."""
    scene = make_tele(state="in_call")
    room = Room.objects.get(about=scene.tele.pk)
    host = Invitation.objects.create(room=room, holder_id=scene.practitioner.user_id, part="host", name="Dr")
    subject = Invitation.objects.create(room=room, holder_id=scene.grant.pk, part="patient", name="Patient")
    consent = Capture.objects.create(
        asked_by=host, subject=subject, kind="photo", agreed=True, answered_at=scene.tele.starts_at
    )
    return scene, consent


def keep(browser, scene, consent, upload=None):
    return browser.post(
        url("capture", scene.tele.pk),
        {"file": upload or png(), "kind": "photo", "consent": str(consent)},
        headers={"Accept": "application/json"},
    )


@pytest.mark.req("TC-42")
def test_a_picture_that_was_agreed_to_goes_to_the_dossier_once(pictured):
    """One agreement is for one picture: a double click, or a second picture, keeps nothing more."""
    scene, consent = pictured
    browser = client_of(scene.practitioner)
    assert keep(browser, scene, consent.pk).status_code == 201
    assert keep(browser, scene, consent.pk).status_code == 409
    assert [one.kind for one in Document.objects.all()] == ["photo"]


@pytest.mark.req("TC-42")
@pytest.mark.parametrize("consent", ["", "x", "8c5e1f5e-4c0b-4f43-9f5e-6a7d0f0f6b11"])
def test_without_an_agreement_no_picture_is_kept(pictured, consent):
    scene, _consent = pictured
    assert keep(client_of(scene.practitioner), scene, consent).status_code == 409
    assert not Document.objects.exists()


@pytest.mark.req("TC-42")
def test_an_agreement_given_in_another_room_or_to_another_host_keeps_nothing(pictured):
    scene, consent = pictured
    other = make_tele(practitioner=make_practitioner(scene.practitioner.establishment), state="in_call")
    assert keep(client_of(scene.practitioner), other, consent.pk).status_code == 409
    assert keep(client_of(other.practitioner), scene, consent.pk).status_code == 409
    Capture.objects.update(agreed=False)
    assert keep(client_of(scene.practitioner), scene, consent.pk).status_code == 409
    assert not Document.objects.exists()


@pytest.mark.req("TC-42")
def test_who_agreed_to_a_photograph_did_not_agree_to_a_film(pictured):
    scene, consent = pictured
    clip = SimpleUploadedFile("clip.webm", b"\x1aE\xdf\xa3" + b"\x42\x82\x84webm" + b"\x00" * 200, "video/webm")
    assert keep(client_of(scene.practitioner), scene, consent.pk, clip).status_code == 409
    assert not Document.objects.exists()
