"""What patients are told (TC-15, TC-21, TC-37, TC-48, TC-52)."""

from datetime import timedelta

import pytest
from django.utils import timezone
from icalendar import Calendar

from relais.accounts.testing import actor_for, make_practitioner
from relais.notifications.models import Message
from relais.patients.testing import make_patient
from relais.teleconsultation import messages
from relais.teleconsultation.actions import access, booking, call
from relais.teleconsultation.testing import make_tele

pytestmark = pytest.mark.django_db


def book(email="famille@exemple.test", phone="+33639981234", reason="CONSULTATION", hours=48):
    doctor = make_practitioner()
    return booking.book(
        actor=actor_for(doctor), patient=make_patient(given="Camille", seen_by=doctor.establishment),
        practitioner_id=doctor.user_id, starts_at=timezone.now() + timedelta(hours=hours), minutes=20, reason=reason,
        contact=access.Contact(email, phone),
    )  # fmt: skip


def sent(**filters):
    return {(one.type, one.channel) for one in Message.objects.filter(**filters)}


def text_of(type_, channel, **context):
    example, secret = messages.TEXTS[0].example()
    text = next(one for one in messages.TEXTS if one.key == type_)
    return text.render(Message(type=type_, channel=channel, context={**example, **context}), secret)


@pytest.mark.req("TC-21")
def test_with_both_channels_the_password_goes_by_the_other_one():
    book()
    assert {("tele.booked", "email"), ("tele.password", "sms")} <= sent()
    mail = text_of("tele.booked", "email")
    assert "k7dm2p4x" in mail.text


@pytest.mark.req("TC-21")
@pytest.mark.parametrize(("email", "phone", "channel"), [("a@exemple.test", "", "email"), ("", "+33639981234", "sms")])
def test_with_one_channel_it_carries_all_three(email, phone, channel):
    """Link, login and password."""
    book(email, phone)
    assert ("tele.booked", channel) in sent()
    assert not Message.objects.filter(type="tele.password").exists()
    text = text_of("tele.booked", channel).text
    for part in ("/p/", "k7dm2p4x", "bato-milu-73"):
        assert part in text


@pytest.mark.req("TC-21")
def test_a_landline_gets_no_sms():
    """All three go by e-mail, reminders too."""
    book(phone="+33199001234")
    assert sent() == {("tele.booked", "email"), ("tele.reminder_24h", "email"), ("tele.reminder_1h", "email")}


@pytest.mark.req("TC-15")
@pytest.mark.parametrize("channel", ["email", "sms"])
def test_the_reason_covid_19_adapts_the_text_and_suggests_no_infection(channel):
    plain, covid = (text_of("tele.booked", channel, covid=value).text for value in (False, True))
    assert "mains" in covid
    assert "mains" not in plain
    assert "covid" not in covid.lower()


@pytest.mark.req("TC-63")
def test_the_mail_leads_to_the_step_by_step_guide():
    assert "/guides/" in text_of("tele.booked", "email").text


def test_the_calendar_entry_says_video_appointment_and_nothing_else():
    mail = text_of("tele.booked", "email")
    [event] = Calendar.from_ical(mail.attachments[0].content).walk("VEVENT")
    assert event["summary"] == "Rendez-vous vidéo"
    assert "Camille" not in mail.attachments[0].content.decode()
    assert "Moreau" not in mail.attachments[0].content.decode()


def test_reminders_are_due_24_hours_and_1_hour_before():
    tele = book()
    due = {one.type: tele.starts_at - one.send_after for one in Message.objects.filter(type__contains="reminder")}
    assert due == {"tele.reminder_24h": timedelta(hours=24), "tele.reminder_1h": timedelta(hours=1)}


def test_a_reminder_whose_hour_has_passed_is_not_sent():
    book(hours=3)
    assert {one for one, _channel in sent(type__contains="reminder")} == {"tele.reminder_1h"}


def test_a_reminder_of_a_cancelled_or_moved_appointment_is_no_longer_wanted():
    tele = book()
    reminder = Message.objects.get(type="tele.reminder_24h")
    text = next(one for one in messages.TEXTS if one.key == "tele.reminder_24h")
    assert text.still_wanted(reminder)
    booking.cancel(actor=actor_for(tele.practitioner.memberships.get()), tele=tele, why="Empêchement du praticien")
    assert not text.still_wanted(reminder)


@pytest.mark.req("TC-37")
def test_ready_is_sent_once_to_a_patient_who_is_not_connected():
    scene = make_tele(grant_fields={"phone": "+33639981234"})
    actor = actor_for(scene.practitioner)
    call.join(actor=actor, tele=scene.tele)
    scene.tele.refresh_from_db()
    call.join(actor=actor, tele=scene.tele)
    assert sent(type="tele.ready") == {("tele.ready", "sms")}
    assert Message.objects.filter(type="tele.ready").count() == 1
