"""What is known of a message is never more than what happened: each failure of a real server, one by one."""

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from relais.core import live
from relais.notifications import queries, sending
from relais.notifications.models import Channel, Message
from relais.notifications.registry import Attachment
from relais.notifications.testing import MailServer, SmsGateway, drain
from relais.notifications.tests.make import E164, EMAIL, PHONE, make_message
from relais.notifications.tests.types import LINK, Note
from relais.notifications.workflow import State

pytestmark = pytest.mark.django_db
Run = Callable[[], int]


def due_now(message: Message) -> None:
    """The time of the next attempt has come."""
    Message.objects.filter(pk=message.pk).update(send_after=timezone.now() - timedelta(seconds=1))


def state(message: Message) -> str:
    message.refresh_from_db()
    return message.state


def test_a_mail_says_the_same_in_text_and_html_with_one_button(
    note: Note, mail_server: MailServer, run_jobs: Run
) -> None:
    note.attachments = [Attachment("rendez-vous.ics", "text/calendar", b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n")]
    message = make_message()
    run_jobs()
    message.refresh_from_db()
    (mail,) = mail_server.received
    html = mail.get_body(("html",)).get_content()  # type: ignore[union-attr]
    assert mail["Subject"] == "Votre rendez-vous vidéo"
    assert mail["Message-ID"] == message.message_id
    assert mail["Auto-Submitted"] == "auto-generated"
    assert html.count('class="button"') == 1
    assert f'href="{LINK}"' in html
    assert "Bonjour Camille," in html
    assert "Bonjour Camille," in mail_server.text()
    (calendar,) = mail.iter_attachments()
    assert (calendar.get_filename(), calendar.get_content_type()) == ("rendez-vous.ics", "text/calendar")
    assert (message.state, message.attempts, message.error) == (State.HANDED, 1, "")


def test_a_name_in_a_mail_is_words_never_markup(note: Note, mail_server: MailServer, run_jobs: Run) -> None:
    make_message(context={"first_name": "<script>alert(1)</script>"})
    run_jobs()
    assert "<script>" not in mail_server.received[0].get_body(("html",)).get_content()  # type: ignore[union-attr]


def test_the_mail_server_down_what_was_done_stands_and_the_message_waits(
    note: Note, mail_server: MailServer, run_jobs: Run
) -> None:
    """Next attempt after 1, 5, 15, then 60 minutes; the state says so; it leaves when the server is back."""
    mail_server.stop()
    with transaction.atomic():
        message = make_message(secret={"password": "bato-milu-73"})
    for attempt, minutes in enumerate((1, 5, 15, 60, 60), start=1):
        run_jobs()
        assert state(message) == State.WAITING
        assert message.attempts == attempt
        assert minutes - 0.5 < (message.send_after - timezone.now()).total_seconds() / 60 <= minutes
        due_now(message)
    assert message.error == "Le serveur de messagerie est injoignable."
    assert queries.problems([message.about])[message.about].words == "E-mail en attente, 5 essais sans succès"
    mail_server.start()
    run_jobs()
    assert state(message) == State.HANDED
    assert "bato-milu-73" in mail_server.text()
    assert message.secret is None
    assert not queries.problems([message.about])


def test_after_a_day_without_server_it_is_refused_and_the_other_channel_tried(
    note: Note, mail_server: MailServer, sms_gateway: SmsGateway, run_jobs: Run
) -> None:
    mail_server.stop()
    message = make_message(phone=PHONE)
    Message.objects.filter(pk=message.pk).update(attempts=sending.ATTEMPTS - 1)
    run_jobs()
    assert state(message) == State.REFUSED
    assert len(sms_gateway.to(E164)) == 1


def test_the_attempts_span_a_day() -> None:
    waits = [sending.BACK_OFF[min(number, len(sending.BACK_OFF)) - 1] for number in range(1, sending.ATTEMPTS)]
    assert timedelta(hours=23) < timedelta(minutes=sum(waits)) <= timedelta(hours=24)


def test_a_refused_address_is_flagged_and_the_other_channel_gets_it_secret_included(
    note: Note, mail_server: MailServer, sms_gateway: SmsGateway, run_jobs: Run
) -> None:
    """Expectations D16: the fallback that was tried shows beside the refusal, which names no address."""
    mail_server.refused.add(EMAIL)
    message = make_message(phone=PHONE, secret={"password": "bato-milu-73"})
    run_jobs()
    assert state(message) == State.REFUSED
    assert message.error.startswith("550 5.1.1")
    assert EMAIL not in message.error
    (text,) = sms_gateway.to(E164)
    assert "bato-milu-73" in text
    fallback = message.fallbacks.get()
    assert (fallback.state, fallback.secret, fallback.channel) == (State.HANDED, None, Channel.SMS)
    assert queries.states([message.about])[message.about].words == "E-mail refusé, puis SMS remis au serveur"
    assert not queries.problems([message.about])


def test_when_both_channels_refuse_it_is_flagged_and_nothing_goes_round(
    note: Note, mail_server: MailServer, sms_gateway: SmsGateway, run_jobs: Run
) -> None:
    mail_server.refused.add(EMAIL)
    sms_gateway.refused.add(E164)
    message = make_message(channel=Channel.SMS, phone=PHONE)
    run_jobs()
    assert Message.objects.count() == 2
    assert queries.problems([message.about])[message.about].words == "SMS refusé, puis E-mail refusé"


@pytest.mark.req("TC-48")
def test_what_was_sent_by_both_channels_is_not_sent_twice_by_one(
    note: Note, mail_server: MailServer, sms_gateway: SmsGateway, run_jobs: Run
) -> None:
    about, holder = uuid4(), uuid4()
    mail_server.refused.add(EMAIL)
    for channel in Channel:
        make_message(about=about, holder_id=holder, channel=channel, phone=PHONE)
    run_jobs()
    assert len(sms_gateway.to(E164)) == 1
    assert queries.problems([about])[about].words == "E-mail refusé"


def test_a_type_without_fallback_has_none(
    note: Note, mail_server: MailServer, sms_gateway: SmsGateway, run_jobs: Run
) -> None:
    note.fallback = False
    mail_server.refused.add(EMAIL)
    make_message(phone=PHONE)
    run_jobs()
    assert not sms_gateway.received


def test_it_is_asked_again_just_before_each_channel(note: Note, mail_server: MailServer, run_jobs: Run) -> None:
    """Expectations C29: what is no longer wanted does not leave, nor does its fallback."""
    message = make_message(secret={"password": "bato-milu-73"})
    note.wanted = False
    run_jobs()
    assert state(message) == State.CANCELLED
    assert message.secret is None
    assert note.asked == [Channel.EMAIL]
    assert not mail_server.received


def test_a_greylisted_address_waits(note: Note, mail_server: MailServer, run_jobs: Run) -> None:
    mail_server.postponed.add(EMAIL)
    message = make_message(phone=PHONE)
    run_jobs()
    assert state(message) == State.WAITING
    mail_server.postponed.clear()
    due_now(message)
    run_jobs()
    assert state(message) == State.HANDED


@pytest.mark.parametrize(("answer", "expected"), [("554 5.7.1 spam", State.REFUSED), ("452 4.3.1 full", State.WAITING)])
def test_an_answer_to_the_content_decides(
    note: Note, mail_server: MailServer, run_jobs: Run, answer: str, expected: str
) -> None:
    mail_server.refuse_data = answer
    message = make_message()
    run_jobs()
    assert state(message) == expected
    assert message.error == answer


def test_a_connection_lost_after_the_content_is_uncertain_and_not_sent_again(
    note: Note, mail_server: MailServer, run_jobs: Run
) -> None:
    mail_server.drop_after_data = True
    message = make_message(phone=PHONE, secret={"password": "bato-milu-73"})
    run_jobs()
    mail_server.drop_after_data = False
    due_now(message)
    run_jobs()
    assert state(message) == State.UNCERTAIN
    assert message.secret is None
    assert mail_server.attempts == 1
    assert queries.problems([message.about])[message.about].words == "E-mail incertain : peut-être non reçu"


def test_a_wrong_password_of_ours_is_no_refusal_of_theirs(
    note: Note, monkeypatch: pytest.MonkeyPatch, run_jobs: Run
) -> None:
    server = MailServer(user="relais", password="juste")
    server.start()
    try:
        monkeypatch.setitem(settings.ENV, "SMTP_URL", server.url.replace("juste", "faux"))
        message = make_message()
        run_jobs()
        assert state(message) == State.WAITING
        assert message.error.startswith("535")
        monkeypatch.setitem(settings.ENV, "SMTP_URL", server.url)
        due_now(message)
        run_jobs()
        assert state(message) == State.HANDED
    finally:
        server.stop()


def test_a_bug_in_a_text_keeps_the_message_waiting_and_is_reported(
    note: Note, mail_server: MailServer, run_jobs: Run
) -> None:
    note.broken = True
    message = make_message()
    with pytest.raises(KeyError):
        run_jobs()
    assert state(message) == State.WAITING
    assert (message.attempts, message.error) == (1, "Le message n’a pas pu être préparé.")
    note.broken = False
    due_now(message)
    run_jobs()
    assert state(message) == State.HANDED


def test_a_type_that_no_module_registers_any_more_is_refused(
    note: Note, mail_server: MailServer, run_jobs: Run
) -> None:
    message = make_message(type="test.gone")
    run_jobs()
    assert state(message) == State.REFUSED


def test_every_change_pings_the_pages_that_show_it(
    note: Note, mail_server: MailServer, run_jobs: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []
    monkeypatch.setattr(live, "ping", lambda topic, **more: heard.append(topic))
    about = uuid4()
    make_message(about=about)
    run_jobs()
    assert heard == [f"messages:{about}"] * 3  # queued, sending, handed over


def test_a_worker_that_died_leaves_uncertain_after_ten_minutes(
    note: Note, mail_server: MailServer, run_jobs: Run
) -> None:
    message = make_message(secret={"password": "bato-milu-73"})
    assert sending._claim(message.pk)
    sending.mark_uncertain()
    assert state(message) == State.SENDING
    Message.objects.update(attempted_at=timezone.now() - timedelta(minutes=10, seconds=1))
    sending.mark_uncertain()
    run_jobs()
    assert (state(message), message.secret) == (State.UNCERTAIN, None)
    assert not mail_server.received


def test_an_outcome_that_comes_after_all_corrects_uncertain(note: Note, mail_server: MailServer) -> None:
    """The worker was slow, not dead."""
    message = make_message()
    claimed = sending._claim(message.pk)
    assert claimed
    Message.objects.update(attempted_at=timezone.now() - timedelta(minutes=11))
    sending.mark_uncertain()
    sending._record(claimed[0], sending.channels.Outcome(sending.channels.HANDED))
    assert state(message) == State.HANDED


def test_one_message_in_five_refused_everybody_is_reached_or_flagged(
    note: Note, mail_server: MailServer, sms_gateway: SmsGateway, run_jobs: Run
) -> None:
    """Expectations D16, injected faults: refusals reach the other channel in the same run of the queue."""
    people = [(f"p{number}@exemple.test", f"06399801{number:02d}") for number in range(20)]
    for number, (email, phone) in enumerate(people):
        if number % 5 == 0:
            mail_server.refused.add(email)
        if number % 10 == 0:
            sms_gateway.refused.add(f"+33{phone[1:]}")
        make_message(email=email, phone=phone)
    assert drain() == 24
    reached = {mail["To"] for mail in mail_server.received} | {body["to"] for body in sms_gateway.received}
    assert len(reached) == 18
    assert len(queries.problems(Message.objects.values_list("about", flat=True))) == 2
    assert not ProcrastinateJob.objects.exists()
