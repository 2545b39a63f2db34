"""Booking through the page (TC-12 … TC-22)."""

import threading
import uuid
from datetime import datetime, time, timedelta
from unittest import mock
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from relais.accounts.models import Role
from relais.accounts.testing import actor_for, client_of, make_establishment, make_member, make_practitioner, sign_in
from relais.core.actor import Actor
from relais.core.errors import NotFound, Refused
from relais.dossiers.models import Dossier
from relais.notifications.models import Message
from relais.patients.identity import key_of
from relais.patients.models import Grant, Patient
from relais.patients.testing import make_patient
from relais.teleconsultation.actions import access, booking
from relais.teleconsultation.models import Opening, Teleconsultation
from relais.teleconsultation.testing import make_tele

PARIS = ZoneInfo("Europe/Paris")
TOMORROW = timezone.localdate() + timedelta(days=1)
URL = "/teleconsultation/reserver/"


@pytest.fixture
def doctor(db):
    return make_practitioner()


@pytest.fixture
def secretary(doctor, client):
    return sign_in(client, make_member(doctor.establishment, Role.SECRETARY))


def form(doctor, **changes):
    return {
        "practitioner": str(doctor.user_id),
        "date": TOMORROW.isoformat(),
        "time": "10:00",
        "minutes": "20",
        "reason": "CONSULTATION",
        "family_name": "O'Neil",
        "given_name": "Maëlle",
        "email": "maelle@exemple.test",
        "phone": "06 39 98 12 34",
        "holder": "self",
        "request_key": str(uuid.uuid4()),
        **changes,
    }


@pytest.mark.req("TC-12", "TC-13", "TC-16", "TC-17", "TC-20")
def test_four_fields_and_an_hour_are_enough(doctor, secretary):
    """A booking creates the patient, the appointment and the télédossier that carries its data."""
    answer = secretary.post(URL, form(doctor))
    tele = Teleconsultation.objects.get()
    assert answer.status_code == 302
    assert answer.url == reverse("teleconsultation:dossier", args=[tele.pk])
    assert tele.dossier.patient.full_name == "O'NEIL Maëlle"
    assert tele.starts_at == datetime.combine(TOMORROW, time(10), tzinfo=PARIS)
    assert (tele.dossier.kind, tele.dossier.phase, tele.state) == ("teleconsultation", "open", "planned")
    assert tele.dossier.reference.startswith("TC-")


@pytest.mark.req("TC-13")
def test_a_slot_of_the_grid_wins_over_the_free_entry(doctor, secretary):
    start = datetime.combine(TOMORROW, time(14, 20), tzinfo=PARIS)
    secretary.post(URL, form(doctor, slot=f"{start.isoformat()}~30", date="", time=""))
    tele = Teleconsultation.objects.get()
    assert (tele.starts_at, tele.ends_at - tele.starts_at) == (start, timedelta(minutes=30))


@pytest.mark.req("TC-14")
def test_a_reason_must_be_chosen(doctor, secretary):
    answer = secretary.post(URL, form(doctor, reason=""))
    assert answer.status_code == 422
    assert not Teleconsultation.objects.exists()
    for exact in ("CONSULTATION", "COVID_19"):
        assert f'value="{exact}"' in answer.content.decode()


@pytest.mark.req("TC-18", "TC-19")
def test_the_fields_of_a_nursing_home_and_the_consent_are_kept(doctor, secretary):
    secretary.post(
        URL,
        form(
            doctor, birth_date="12/03/1938", sex="F", insurance_scheme="Régime général",
            social_security_number=f"2 38 03 75 116 001 {key_of('2380375116001')}", consent="on", consent_by="sa fille, Mme Petit",
            holder="family", holder_name="Anne Petit",
        ),
    )  # fmt: skip
    tele = Teleconsultation.objects.select_related("dossier__patient").get()
    patient = tele.dossier.patient
    assert (patient.birth_date.isoformat(), patient.sex, patient.insurance_scheme) == (
        "1938-03-12",
        "F",
        "Régime général",
    )
    assert patient.social_security_number == "2380375116001" + key_of("2380375116001")
    assert tele.consent_by == "sa fille, Mme Petit"
    assert tele.consent_at is not None
    assert (Grant.objects.get().holder, Grant.objects.get().holder_name) == ("family", "Anne Petit")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"social_security_number": "238037511600100"}, "social_security_number"),
        ({"email": "pas une adresse"}, "email"),
        ({"phone": "12"}, "phone"),
        ({"email": "", "phone": ""}, "email"),
        ({"date": "2020-01-06"}, "time"),
        ({"date": "2027-03-28", "time": "02:30"}, "time"),
        ({"date": "2031-01-06"}, "date"),
        ({"family_name": " "}, "family_name"),
        ({"minutes": "500"}, "minutes"),
        ({"holder": "guardian", "holder_name": ""}, "holder_name"),
        ({"practitioner": str(uuid.uuid4())}, "practitioner"),
    ],
)
def test_bad_input_gets_a_sentence_beside_the_field_and_loses_nothing(doctor, secretary, change, field):
    """Wrong key, impossible contact, past hour, the hour that does not exist: nothing is written, all is kept."""
    answer = secretary.post(URL, form(doctor, **change))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert answer.context["form"].errors[field]
    assert "Maëlle" in page
    assert not Teleconsultation.objects.exists()
    assert not Patient.objects.exists()
    assert not Message.objects.exists()


@pytest.mark.req("TC-16")
def test_a_likely_duplicate_is_proposed_before_a_new_patient_is_made(doctor, secretary):
    known = make_patient("Oneil", "Maelle", seen_by=doctor.establishment, phone="+33639981234")
    answer = secretary.post(URL, form(doctor))
    assert answer.status_code == 200
    assert [one.patient for one in answer.context["duplicates"]] == [known]
    assert Patient.objects.count() == 1
    secretary.post(URL, form(doctor, patient=str(known.pk)))
    assert Teleconsultation.objects.get().dossier.patient == known


def test_another_person_with_the_same_name_can_still_be_made(doctor, secretary):
    make_patient("O'Neil", "Maëlle", seen_by=doctor.establishment)
    secretary.post(URL, form(doctor, other_person="1"))
    assert Patient.objects.count() == 2
    assert Teleconsultation.objects.count() == 1


def test_a_patient_of_another_establishment_cannot_be_booked_by_id(doctor, secretary):
    stranger = make_patient(seen_by=make_establishment("Ailleurs"))
    answer = secretary.post(URL, form(doctor, patient=str(stranger.pk)))
    assert answer.status_code == 422
    assert "plus accessible" in answer.content.decode()
    assert stranger.full_name not in answer.content.decode()
    with pytest.raises(NotFound):
        booking.book(
            actor=actor_for(doctor), patient=stranger, practitioner_id=doctor.user_id,
            starts_at=timezone.now() + timedelta(hours=1), minutes=20, reason="CONSULTATION",
            contact=access.Contact("a@exemple.test", ""),
        )  # fmt: skip
    assert not Teleconsultation.objects.exists()
    assert not Patient.objects.visible_to(actor_for(doctor)).exists()


def test_sent_twice_books_once(doctor, secretary):
    """A double click carries the same key."""
    twice = form(doctor)
    first, second = secretary.post(URL, twice), secretary.post(URL, {**twice, "other_person": "1"})
    assert first.url == second.url
    assert Teleconsultation.objects.count() == Patient.objects.count() == 1


@pytest.mark.req("TC-19")
def test_a_patient_cannot_book(doctor, client):
    assert client.get(URL).status_code == 302
    with pytest.raises(NotFound):
        booking.book(
            actor=Actor(kind="patient"), patient=make_patient(), practitioner_id=doctor.user_id,
            starts_at=timezone.now() + timedelta(hours=1), minutes=20, reason="CONSULTATION",
            contact=access.Contact("a@exemple.test", ""),
        )  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_of_fifty_bookings_of_one_slot_at_once_one_wins():
    """The database gives a slot once; the others get a sentence."""
    doctor = make_practitioner()
    start = datetime.combine(TOMORROW, time(9), tzinfo=PARIS)
    actor = actor_for(doctor)
    patients = [make_patient(f"Patient {index}", seen_by=doctor.establishment) for index in range(50)]
    gate = threading.Barrier(50)
    results: list[str] = []

    def book(patient):
        try:
            gate.wait(timeout=30)
            booking.book(
                actor=actor, patient=patient, practitioner_id=doctor.user_id, starts_at=start, minutes=20,
                reason="CONSULTATION", contact=access.Contact("a@exemple.test", ""),
            )  # fmt: skip
            results.append("booked")
        except Refused as refused:
            results.append(refused.message)
        finally:
            connection.close()

    threads = [threading.Thread(target=book, args=[patient]) for patient in patients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert results.count("booked") == 1
    assert sum("vient d’être pris" in one for one in results) == 49
    assert Teleconsultation.objects.count() == Dossier.objects.count() == 1


@pytest.mark.req("TC-22")
def test_rescheduling_revokes_the_old_link_and_sends_a_new_one(doctor, secretary):
    scene = make_tele(practitioner=doctor, starts_at=timezone.now() + timedelta(days=2))
    answer = secretary.post(
        reverse("teleconsultation:reschedule", args=[scene.tele.pk]),
        {"r-date": TOMORROW.isoformat(), "r-time": "15:00", "r-minutes": "20"},
    )
    assert answer.status_code == 302
    scene.grant.refresh_from_db()
    scene.tele.refresh_from_db()
    assert scene.grant.revoked_at is not None
    new = Grant.objects.get(revoked_at=None)
    assert new.login != scene.grant.login
    assert timezone.localtime(scene.tele.starts_at, PARIS).hour == 15
    assert "tele.moved" in set(Message.objects.filter(holder_id=new.pk).values_list("type", flat=True))


def test_cancelling_wants_a_reason_and_tells_the_patient(doctor, secretary):
    scene = make_tele(practitioner=doctor, starts_at=timezone.now() + timedelta(days=2))
    url = reverse("teleconsultation:verb", args=[scene.tele.pk, "cancel"])
    secretary.post(url, {"why": "Il a la grippe"})
    scene.tele.refresh_from_db()
    assert scene.tele.state == "planned"
    secretary.post(url, {"why": "Empêchement du praticien"})
    scene.tele.refresh_from_db()
    assert (scene.tele.state, scene.tele.cancel_reason) == ("cancelled", "Empêchement du praticien")
    message = Message.objects.get(type="tele.cancelled")
    assert message.context["why"] == "Empêchement du praticien"


def test_reassigning_tells_the_patient_who_will_come(doctor, secretary):
    other = make_practitioner(doctor.establishment, family_name="Nguyễn", given_name="Minh")
    scene = make_tele(practitioner=doctor, starts_at=timezone.now() + timedelta(days=2))
    secretary.post(reverse("teleconsultation:reassign", args=[scene.tele.pk]), {"practitioner": str(other.user_id)})
    scene.tele.refresh_from_db()
    assert scene.tele.practitioner == other.user
    assert Message.objects.get(type="tele.reassigned").context["practitioner"] == "Dr Minh Nguyễn"


def test_a_stranger_cannot_move_an_appointment(doctor):
    scene = make_tele(practitioner=doctor, starts_at=timezone.now() + timedelta(days=2))
    stranger = client_of(make_practitioner(make_establishment("Ailleurs")))
    for name, args in (("reschedule", []), ("reassign", []), ("verb", ["cancel"])):
        answer = stranger.post(reverse(f"teleconsultation:{name}", args=[scene.tele.pk, *args]), {"why": "x"})
        assert answer.status_code == 404, name


def test_the_grid_offers_the_free_slots(doctor, secretary):
    Opening.objects.create(
        practitioner=doctor.user, establishment=doctor.establishment, weekday=TOMORROW.weekday(),
        starts=time(9), ends=time(10), minutes=30,
    )  # fmt: skip
    page = secretary.get(URL, {"praticien": str(doctor.user_id)}).content.decode()
    assert page.count('name="slot"') == 8  # two on this weekday of each of the next four weeks


def test_without_session_the_page_leads_to_sign_in(db):
    answer = Client().get(URL)
    assert answer.status_code == 302
    assert answer.url.startswith("/connexion/")


def test_mail_or_sms_down_never_stops_a_booking(doctor, secretary):
    """Messages wait in the outbox: the booking stands."""
    with mock.patch("smtplib.SMTP", side_effect=OSError("down")):
        secretary.post(URL, form(doctor))
    assert Teleconsultation.objects.count() == 1
    assert set(Message.objects.values_list("state", flat=True)) == {"waiting"}
