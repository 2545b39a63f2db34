"""Two at once, with real threads on the real database: one wins, the other is told, nothing is half-way."""

import uuid
from datetime import time, timedelta

import pytest
from django.utils import timezone

from relais.accounts.testing import actor_for, make_practitioner
from relais.core.testing.races import at_once
from relais.dossiers import actions as dossiers
from relais.dossiers.models import Document, Dossier
from relais.notifications.models import Message
from relais.patients.models import Grant
from relais.patients.testing import make_patient
from relais.rooms.models import Room
from relais.teleconsultation.actions import access, agenda, booking, call, record
from relais.teleconsultation.models import Opening, ReportDraft, Teleconsultation
from relais.teleconsultation.testing import make_tele
from relais.teleconsultation.tests.test_access import png

pytestmark = pytest.mark.django_db(transaction=True)


def refused(results):
    return [one for one in results if isinstance(one, Exception)]


def fresh():
    return Teleconsultation.objects.select_related("dossier").get()


def test_two_doctors_join_and_both_are_in():
    """It began once, when the first came; the patient is called once."""
    scene = make_tele(grant_fields={"phone": "+33639981234"})
    second = make_practitioner(scene.practitioner.establishment)
    actors = [actor_for(scene.practitioner), actor_for(second)]
    results = at_once(*[lambda actor=actor: call.join(actor=actor, tele=scene.tele) for actor in actors])
    assert not refused(results)
    assert Room.objects.get().invitations.filter(part="host", revoked_at=None).count() == 2
    assert Message.objects.filter(type="tele.ready").count() == 1


def test_who_joins_second_does_not_change_when_it_began():
    """Even from a page that was read before the first came."""
    scene = make_tele()
    stale = Teleconsultation.objects.get()
    call.join(actor=actor_for(scene.practitioner), tele=scene.tele)
    began = fresh().started_at
    call.join(actor=actor_for(make_practitioner(scene.practitioner.establishment)), tele=stale)
    assert fresh().started_at == began


def test_cancelling_while_the_doctor_joins_leaves_one_of_both():
    scene = make_tele()
    actor = actor_for(scene.practitioner)
    results = at_once(
        lambda: booking.cancel(actor=actor, tele=scene.tele, why=booking.CANCEL_REASONS[0]),
        lambda: call.join(actor=actor, tele=scene.tele),
    )
    tele = fresh()
    assert len(refused(results)) == 1
    assert tele.state in ("cancelled", "in_call")
    assert Message.objects.filter(type="tele.cancelled").exists() is (tele.state == "cancelled")
    assert (Room.objects.get().ended_at is not None) is (tele.state == "cancelled")


def test_moving_while_the_doctor_joins_never_leaves_a_call_at_another_hour():
    scene = make_tele()
    actor = actor_for(scene.practitioner)
    later = timezone.now() + timedelta(days=2)
    results = at_once(
        lambda: booking.reschedule(actor=actor, tele=scene.tele, starts_at=later, minutes=20),
        lambda: call.join(actor=actor, tele=scene.tele),
    )
    tele = fresh()
    assert len(refused(results)) == 1
    assert (tele.state, tele.starts_at == later) in (("planned", True), ("in_call", False))
    assert Grant.objects.filter(revoked_at=None).count() == 1


def test_the_report_added_while_the_call_is_ended_is_added_once_and_the_call_ended_once():
    scene = make_tele(state="in_call")
    actor = actor_for(scene.practitioner)
    record.save_section(actor=actor, tele=scene.tele, key="conclusion", text="Vu", version=0)
    results = at_once(
        lambda: record.add_report(actor=actor, tele=scene.tele, shared=True),
        lambda: call.finish(actor=actor, tele=scene.tele),
    )
    assert not isinstance(results[0], Exception)
    assert Document.objects.filter(kind="report").count() == 1
    assert (fresh().state, fresh().dossier.phase) == ("done", "done")
    assert fresh().dossier.events.filter(verb="finish").count() == 1


def test_a_report_sent_twice_at_once_is_one():
    scene = make_tele(state="in_call")
    actor = actor_for(scene.practitioner)
    written = {"conclusion": ("Vu", 0)}

    def send():
        return record.write_report(actor=actor, tele=scene.tele, written=written, shared=True)

    first, second = at_once(send, send)
    assert first == second
    assert Document.objects.count() == 1


def test_a_prescription_sent_twice_at_once_is_one():
    scene = make_tele(state="in_call")
    actor, key = actor_for(scene.practitioner), uuid.uuid4()

    def send():
        return record.add_prescriptions(
            actor=actor, tele=scene.tele, items=[png()], channel="email", checked_at=timezone.now(), request_key=key
        )

    assert not refused(at_once(send, send))
    assert Document.objects.filter(kind="prescription").count() == 1


def test_closing_while_the_draft_saves_itself_never_leaves_a_text_in_a_closed_dossier():
    """Either the text was first and closing is refused, or the text is refused and stays in its page."""
    scene = make_tele(state="done")
    actor = actor_for(scene.practitioner)
    results = at_once(
        lambda: record.save_section(actor=actor, tele=scene.tele, key="conclusion", text="Presque", version=0),
        lambda: record.close(actor=actor, tele=scene.tele),
    )
    assert len(refused(results)) == 1
    assert ReportDraft.objects.exists() is (fresh().state == "done")


def test_two_who_save_one_section_at_once_lose_nothing():
    scene = make_tele(state="in_call")
    other = make_practitioner(scene.practitioner.establishment)
    results = at_once(
        *[
            lambda actor=actor, text=text: record.save_section(
                actor=actor, tele=scene.tele, key="findings", text=text, version=0
            )
            for actor, text in ((actor_for(scene.practitioner), "Un"), (actor_for(other), "Deux"))
        ]
    )
    saved = ReportDraft.objects.get().sections["findings"]
    [stale] = [one for one in results if isinstance(one, record.StaleSection)]
    assert (stale.text, stale.version, saved["version"]) == (saved["text"], 1, 1)


def test_a_document_is_withdrawn_once_and_never_shared_meanwhile():
    scene = make_tele(state="done")
    actor = actor_for(scene.practitioner)
    document = record.add_document(actor=actor, tele=scene.tele, upload=png(), title="", shared=False)
    copies = [Document.objects.select_related("dossier", "file").get() for _one in range(3)]
    at_once(
        lambda: record.share(actor=actor, tele=scene.tele, document=copies[0], shared=True),
        lambda: dossiers.withdraw_document(actor=actor, document=copies[1], why="Premier"),
        lambda: dossiers.withdraw_document(actor=actor, document=copies[2], why="Second"),
    )
    document.refresh_from_db()
    assert document.withdrawn_at is not None
    assert Dossier.objects.get().events.filter(verb="document_withdrawn").count() == 1


def test_of_two_appointments_given_to_one_doctor_at_once_one_is_refused():
    here = make_practitioner()
    target = make_practitioner(here.establishment)
    other = make_practitioner(here.establishment)
    start = timezone.now() + timedelta(days=1)
    scenes = [make_tele(practitioner=one, starts_at=start) for one in (here, other)]
    results = at_once(
        *[
            lambda scene=scene: booking.reassign(actor=actor_for(here), tele=scene.tele, practitioner_id=target.user_id)
            for scene in scenes
        ]
    )
    assert len(refused(results)) == 1
    assert Teleconsultation.objects.filter(practitioner=target.user).count() == 1


def test_one_form_sent_twice_at_once_books_once_and_both_lead_there():
    doctor = make_practitioner()
    patient, key = make_patient(seen_by=doctor.establishment), uuid.uuid4()

    def book():
        return booking.book(
            actor=actor_for(doctor), patient=patient, practitioner_id=doctor.user_id, minutes=20,
            starts_at=timezone.now().replace(microsecond=0) + timedelta(days=1), reason="CONSULTATION",
            contact=access.Contact("a@exemple.test", ""), request_key=key,
        )  # fmt: skip

    first, second = at_once(book, book)
    assert first == second
    assert Dossier.objects.count() == 1


def test_of_two_who_add_the_same_hours_at_once_one_is_refused():
    doctor = make_practitioner()

    def add():
        return agenda.add_opening(
            actor=actor_for(doctor),
            practitioner_id=doctor.user_id,
            weekday=0,
            starts=time(9),
            ends=time(12),
            minutes=20,
        )

    assert len(refused(at_once(add, add))) == 1
    assert Opening.objects.count() == 1


def test_an_absence_undone_while_its_hour_is_booked_gives_the_hour_once():
    scene = make_tele()
    call.mark_absent(actor=actor_for(scene.practitioner), tele=scene.tele, who="patient")
    start = fresh().starts_at + timedelta(minutes=10)
    patient = make_patient(seen_by=scene.practitioner.establishment)
    results = at_once(
        lambda: call.reopen(actor=actor_for(scene.practitioner), tele=scene.tele),
        lambda: booking.book(
            actor=actor_for(scene.practitioner), patient=patient, practitioner_id=scene.practitioner.user_id,
            starts_at=start, minutes=20, reason="CONSULTATION", contact=access.Contact("a@exemple.test", ""),
        ),
    )  # fmt: skip
    assert len(refused(results)) == 1
