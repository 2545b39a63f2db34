"""What follows from each change: who is told, which page looks again, what may still be done, to the second."""

import uuid
from datetime import timedelta
from unittest import mock

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from relais.accounts.models import Role
from relais.accounts.testing import actor_for, client_of, make_member, make_practitioner
from relais.audit.models import Entry
from relais.core import live
from relais.core.errors import Refused
from relais.notifications.actions import outcomes
from relais.notifications.models import Message
from relais.notifications.registry import TYPES
from relais.patients.models import Grant, Patient
from relais.patients.testing import let_in, make_patient
from relais.rooms.models import Room
from relais.rooms.queries import people
from relais.teleconsultation import content, queries
from relais.teleconsultation.actions import access, booking, call, record
from relais.teleconsultation.models import Teleconsultation
from relais.teleconsultation.testing import make_tele
from relais.teleconsultation.tests.test_access import png
from relais.teleconsultation.tests.test_booking import form

pytestmark = pytest.mark.django_db
MOBILE = {"phone": "+33639981234"}


def url(name, *args):
    return reverse(f"teleconsultation:{name}", args=args)


def in_hours(hours):
    return timezone.now() + timedelta(hours=hours)


def at(moment):
    return mock.patch.object(timezone, "now", return_value=moment)


@pytest.fixture
def pings(monkeypatch):
    """The topics that were pinged."""
    heard = []
    real = live.ping

    def ping(*topics, urgent=False):
        heard.extend(topics)
        real(*topics, urgent=urgent)

    for module in ("core.live", "rooms.actions.rooms", "rooms.actions.calls"):
        monkeypatch.setattr(f"relais.{module}.ping", ping)
    return heard


def booked(**contact):
    doctor = make_practitioner()
    return booking.book(
        actor=actor_for(doctor), patient=make_patient(seen_by=doctor.establishment), practitioner_id=doctor.user_id,
        starts_at=in_hours(48), minutes=20, reason="CONSULTATION", contact=access.Contact(**{"email": "a@exemple.test", "phone": "", **contact}),
    )  # fmt: skip


def actor_of(tele):
    return actor_for(tele.practitioner.memberships.get())


# Live


def test_a_refused_message_shows_at_once_on_the_dashboard_and_in_the_dossier(pings):
    tele = booked()
    message = Message.objects.get(type="tele.booked")
    pings.clear()
    Message.objects.filter(pk=message.pk).update(attempts=1, state="sending", attempted_at=timezone.now())
    outcomes.refuse(Message.objects.get(pk=message.pk), "Boîte inconnue")
    assert {f"dashboard:{tele.establishment_id}", f"dossier:{tele.pk}"} <= set(pings)


@pytest.mark.parametrize("what", ["cancel", "reassign", "reschedule", "share", "hide", "withdraw"])
def test_the_open_page_of_the_patient_looks_again_after(what, pings):
    scene = make_tele(starts_at=in_hours(48))
    actor = actor_for(scene.practitioner)
    other = make_practitioner(scene.practitioner.establishment)
    document = record.add_document(
        actor=actor, tele=scene.tele, upload=png(), title="", shared=what in ("hide", "withdraw")
    )
    staff = client_of(scene.practitioner)
    pings.clear()
    if what == "cancel":
        booking.cancel(actor=actor, tele=scene.tele, why=booking.CANCEL_REASONS[0])
    elif what == "reassign":
        booking.reassign(actor=actor, tele=scene.tele, practitioner_id=other.user_id)
    elif what == "reschedule":
        booking.reschedule(actor=actor, tele=scene.tele, starts_at=in_hours(50), minutes=20)
    else:
        word = {"share": "partager", "hide": "masquer", "withdraw": "retirer"}[what]
        staff.post(url("document_verb", document.pk, word), {"why": "Erreur"})
    assert f"space:{scene.tele.pk}" in pings


def test_a_withdrawn_document_leaves_the_count_of_the_dashboard_at_once(pings):
    scene = make_tele()
    document = record.add_document(
        actor=actor_for(scene.practitioner), tele=scene.tele, upload=png(), title="", shared=False
    )
    assert f"dashboard:{scene.tele.establishment_id}" in pings
    pings.clear()
    client_of(scene.practitioner).post(url("document_verb", document.pk, "retirer"), {"why": "Erreur"})
    assert f"dashboard:{scene.tele.establishment_id}" in pings


# Hours, to the second


@pytest.mark.parametrize(("seconds", "late"), [(15 * 60, False), (15 * 60 + 1, True)])
@pytest.mark.req("TC-08")
def test_late_from_fifteen_minutes_past_the_hour(seconds, late):
    scene = make_tele()
    with at(scene.tele.starts_at + timedelta(seconds=seconds)):
        [row] = queries.rows_of(actor_for(scene.practitioner), [scene.tele])
    assert row.late is late


@pytest.mark.parametrize(("seconds", "opens"), [(60 * 60, True), (60 * 60 + 1, False)])
def test_the_professional_enters_from_an_hour_before(seconds, opens):
    scene = make_tele()
    with at(scene.tele.starts_at - timedelta(seconds=seconds)):
        if opens:
            call.join(actor=actor_for(scene.practitioner), tele=scene.tele)
        else:
            with pytest.raises(Refused):
                call.join(actor=actor_for(scene.practitioner), tele=scene.tele)
    scene.tele.refresh_from_db()
    assert (scene.tele.state == "in_call") is opens


@pytest.mark.parametrize(("seconds", "opens"), [(60 * 60, True), (60 * 60 + 1, False)])
def test_a_consultation_is_not_continued_by_telephone_before_it_could_begin(seconds, opens):
    scene = make_tele()
    with at(scene.tele.starts_at - timedelta(seconds=seconds)):
        try:
            call.continue_by_phone(actor=actor_for(scene.practitioner), tele=scene.tele, incident="Plus de son")
        except Refused:
            assert not opens
    scene.tele.refresh_from_db()
    assert (scene.tele.state == "incident") is opens


@pytest.mark.parametrize(("seconds", "noted"), [(0, True), (-1, False)])
def test_an_absence_is_noted_from_the_hour_itself(seconds, noted):
    scene = make_tele()
    with at(scene.tele.starts_at + timedelta(seconds=seconds)):
        try:
            call.mark_absent(actor=actor_for(scene.practitioner), tele=scene.tele, who="patient")
        except Refused:
            assert not noted
    scene.tele.refresh_from_db()
    assert (scene.tele.state == "absent_patient") is noted


# The professional is ready


@pytest.mark.req("TC-37")
def test_the_patient_is_not_called_before_they_may_enter_and_is_called_then():
    """« Touchez Rejoindre » is never said while the button is not there yet."""
    scene = make_tele(grant_fields=MOBILE)
    actor = actor_for(scene.practitioner)
    for minutes, told in ((45, 0), (21, 0), (20, 1), (5, 1)):
        with at(scene.tele.starts_at - timedelta(minutes=minutes)):
            call.join(actor=actor, tele=Teleconsultation.objects.get())
        assert Message.objects.filter(type="tele.ready").count() == told, minutes


def test_a_message_whose_hour_is_written_in_another_zone_is_still_wanted():
    tele = booked()
    message = Message.objects.get(type="tele.booked")
    message.context["starts_at"] = timezone.localtime(tele.starts_at).isoformat()
    assert TYPES["tele.booked"].still_wanted(message)


def test_nobody_is_told_of_a_document_that_was_hidden_before_the_message_left():
    scene = make_tele(state="done", grant_fields=MOBILE)
    actor = actor_for(scene.practitioner)
    document = record.add_document(actor=actor, tele=scene.tele, upload=png(), title="", shared=True)
    message = Message.objects.filter(type="tele.document").first()
    assert TYPES["tele.document"].still_wanted(message)
    record.share(actor=actor, tele=scene.tele, document=document, shared=False)
    assert not TYPES["tele.document"].still_wanted(message)


def test_sharing_twice_tells_once():
    scene = make_tele(state="done")
    document = record.add_document(
        actor=actor_for(scene.practitioner), tele=scene.tele, upload=png(), title="", shared=True
    )
    count = Message.objects.filter(type="tele.document").count()
    client_of(scene.practitioner).post(url("document_verb", document.pk, "partager"))
    assert Message.objects.filter(type="tele.document").count() == count


@pytest.mark.req("TC-28")
def test_sharing_renews_the_space_of_one_that_was_never_marked():
    """Forgotten on the dashboard for 40 days: what is shared now can be opened."""
    scene = make_tele(starts_at=in_hours(-24 * 40), grant_fields={"valid_until": in_hours(-24 * 10)})
    record.add_document(actor=actor_for(scene.practitioner), tele=scene.tele, upload=png(), title="", shared=True)
    assert Grant.objects.get().is_live()


def test_sharing_before_the_appointment_never_shortens_the_space():
    scene = make_tele(starts_at=in_hours(24 * 60), grant_fields={"valid_until": in_hours(24 * 90)})
    before = Grant.objects.get().valid_until
    record.add_document(actor=actor_for(scene.practitioner), tele=scene.tele, upload=png(), title="", shared=True)
    assert Grant.objects.get().valid_until == before


# Changes


def test_moving_to_the_same_hour_changes_and_sends_nothing():
    """The second of two clicks on « Déplacer »."""
    tele = booked()
    before = (Message.objects.count(), Grant.objects.get().pk)
    booking.reschedule(actor=actor_of(tele), tele=tele, starts_at=tele.starts_at, minutes=20)
    assert (Message.objects.count(), Grant.objects.get().pk) == before


def test_after_a_move_the_reminders_are_those_of_the_new_hour_only():
    tele = booked()
    booking.reschedule(actor=actor_of(tele), tele=tele, starts_at=in_hours(72), minutes=20)
    tele.refresh_from_db()
    waiting = Message.objects.filter(type__contains="reminder", state="waiting")
    assert {tele.starts_at - one.send_after for one in waiting.all()} == {timedelta(hours=24), timedelta(hours=1)}
    booking.cancel(actor=actor_of(tele), tele=tele, why=booking.CANCEL_REASONS[0])
    assert not waiting.exists()


def test_the_room_lists_the_patient_once_whatever_was_sent_again():
    tele = booked()
    booking.reschedule(actor=actor_of(tele), tele=tele, starts_at=in_hours(72), minutes=20)
    access.correct_contact(actor=actor_of(tele), tele=tele, email="b@exemple.test", phone="")
    assert len(people(Room.objects.get())) == 1


def test_correcting_an_address_leaves_the_guests_their_link():
    tele = booked()
    guest = call.invite_guest(actor=actor_of(tele), tele=tele, name="Interprète", email="i@exemple.test", phone="")
    access.correct_contact(actor=actor_of(tele), tele=tele, email="b@exemple.test", phone="")
    guest.refresh_from_db()
    assert guest.revoked_at is None


@pytest.mark.parametrize("state", ["in_call", "done", "closed"])
def test_a_wrong_address_is_corrected_after_the_hour_too(state):
    """The report's message came back: new codes go to the right address, the documents are still there."""
    scene = make_tele(state=state)
    until = scene.grant.valid_until
    answer = client_of(scene.practitioner).post(url("contact", scene.tele.pk), {"email": "juste@exemple.test"})
    assert answer.status_code == 302
    scene.grant.refresh_from_db()
    assert scene.grant.revoked_at is not None
    fresh = Grant.objects.get(revoked_at=None)
    assert fresh.email == "juste@exemple.test"
    assert abs(fresh.valid_until - until) < timedelta(hours=1)
    message = Message.objects.get(holder_id=fresh.pk)
    assert message.address == "juste@exemple.test"
    assert TYPES[message.type].still_wanted(message)


def test_a_cancelled_appointment_takes_no_new_address():
    scene = make_tele(state="cancelled")
    answer = client_of(scene.practitioner).post(url("contact", scene.tele.pk), {"email": "juste@exemple.test"})
    assert answer.status_code == 422
    assert "Annulée" in answer.content.decode()


def test_a_double_click_makes_one_patient_one_appointment_and_leads_to_it():
    doctor = make_practitioner()
    secretary = client_of(make_member(doctor.establishment, Role.SECRETARY))
    twice = form(doctor)
    first, second = (secretary.post(url("book"), twice) for _click in range(2))
    assert (first.status_code, second.status_code) == (302, 302)
    assert first.url == second.url
    assert (Patient.objects.count(), Teleconsultation.objects.count()) == (1, 1)


def test_the_key_of_another_establishments_form_opens_nothing():
    scene = make_tele(request_key=uuid.uuid4())
    doctor = make_practitioner()
    answer = client_of(doctor).post(url("book"), form(doctor, request_key=str(scene.tele.request_key)))
    assert answer.status_code == 422
    assert str(scene.tele.pk) not in answer.content.decode()


# An absence noted by mistake


@pytest.mark.parametrize("state", ["absent_patient", "absent_doctor"])
def test_an_absence_noted_by_mistake_is_undone_the_same_day(state):
    scene = make_tele(grant_fields=MOBILE)
    who = state.split("_")[1]
    call.mark_absent(actor=actor_for(scene.practitioner), tele=scene.tele, who=who)
    browser = client_of(scene.practitioner)
    page = browser.get(url("dossier", scene.tele.pk)).content.decode()
    assert url("verb", scene.tele.pk, "reopen") in page
    browser.post(url("verb", scene.tele.pk, "reopen"))
    tele = Teleconsultation.objects.select_related("dossier").get()
    assert (tele.state, tele.dossier.phase, tele.dossier.done_at, tele.ended_at) == ("planned", "open", None, None)
    call.join(actor=actor_for(scene.practitioner), tele=tele)
    assert let_in(Client(), scene.grant).post(reverse("space:join")).status_code == 302


def test_an_absence_is_not_undone_the_day_after():
    scene = make_tele()
    call.mark_absent(actor=actor_for(scene.practitioner), tele=scene.tele, who="patient")
    Teleconsultation.objects.update(ended_at=in_hours(-30))
    answer = client_of(scene.practitioner).post(url("verb", scene.tele.pk, "reopen"))
    assert answer.status_code == 409
    assert (
        url("verb", scene.tele.pk, "reopen")
        not in client_of(scene.practitioner).get(url("dossier", scene.tele.pk)).content.decode()
    )


def test_an_absence_is_not_undone_once_the_hour_was_given_to_another():
    scene = make_tele()
    call.mark_absent(actor=actor_for(scene.practitioner), tele=scene.tele, who="patient")
    make_tele(practitioner=scene.practitioner, starts_at=scene.tele.starts_at)
    answer = client_of(scene.practitioner).post(url("verb", scene.tele.pk, "reopen"))
    assert answer.status_code == 409
    assert "un autre rendez-vous" in answer.content.decode()


# What the patient reads afterwards


@pytest.mark.parametrize(
    ("state", "words", "never"),
    [
        ("done", "est terminée", "n’a pas eu lieu"),
        ("closed", "est terminée", "n’a pas eu lieu"),
        ("absent_patient", "n’a pas eu lieu", "est terminée"),
        ("absent_doctor", "n’a pas eu lieu", "est terminée"),
        ("incident", "téléphone", "n’a pas eu lieu"),
    ],
)
def test_the_space_says_what_became_of_the_appointment(state, words, never):
    scene = make_tele(state=state)
    page = let_in(Client(), scene.grant).get(reverse("space:home")).content.decode()
    assert words in page
    assert never not in page
    assert "/rejoindre/" not in page


@pytest.mark.parametrize(
    ("state", "words"), [("absent_patient", "patient absent"), ("incident", "téléphone"), ("done", "Visioconférence")]
)
def test_a_report_says_by_which_means_or_that_it_was_not_held(state, words):
    """A report may follow an absence or an incident; it does not claim a video that was not."""
    scene = make_tele(state=state)
    made = content.report(actor_for(scene.practitioner), scene.tele, {"conclusion": "x"}, version=1, replaces=None)
    assert words in made.means
    answer = client_of(scene.practitioner).post(
        url("add_report", scene.tele.pk), {"text-conclusion": "x", "version-conclusion": "0"}
    )
    assert answer.status_code == 302


def test_what_an_invitation_answers_is_text_and_never_markup():
    scene = make_tele(state="in_call")
    answer = client_of(scene.practitioner).post(
        url("invite", scene.tele.pk), {"g-name": "x", "g-email": '"<b>moi</b>"@exemple.con'}
    )
    assert answer.status_code == 422
    assert "<b>" not in answer.content.decode()


# Traces


def test_every_page_that_shows_patients_leaves_its_trace():
    scene = make_tele(patient=make_patient())
    browser = client_of(scene.practitioner)
    pages = [
        (url("dashboard"), "teleconsultation.list"),
        (url("agenda"), "teleconsultation.list"),
        (url("of_patient", scene.patient.pk), "teleconsultation.list"),
        (url("book") + f"?patient={scene.patient.pk}", "patient.read"),
        (url("dossier", scene.tele.pk), "dossier.read"),
        (url("readers", scene.tele.pk), "dossier.read"),
        (url("contact", scene.tele.pk), "dossier.read"),
    ]
    for address, action in pages:
        browser = client_of(scene.practitioner)
        before = Entry.objects.filter(action=action).count()
        assert browser.get(address).status_code == 200
        assert Entry.objects.filter(action=action).count() == before + 1, address


def test_the_history_leaves_its_trace():
    scene = make_tele(state="done")
    client_of(scene.practitioner).get(url("history"))
    assert Entry.objects.get(action="teleconsultation.list").ids == [scene.tele.pk]


def test_every_page_of_the_patient_leaves_its_trace_at_each_look():
    scene = make_tele()
    browser = let_in(Client(), scene.grant)
    for page in ("home", "documents", "test", "readers", "home"):
        before = Entry.objects.filter(action="dossier.read", grant_id=scene.grant.pk).count()
        browser.get(reverse(f"space:{page}"))
        assert Entry.objects.filter(action="dossier.read", grant_id=scene.grant.pk).count() == before + 1, page


# What a secretary learns


def test_a_secretary_learns_nothing_of_what_was_written():
    scene = make_tele(state="in_call")
    doctor = client_of(scene.practitioner)
    doctor.post(url("add_document", scene.tele.pk), {"file": png(), "title": "Dépistage VIH"})
    doctor.post(url("add_note", scene.tele.pk), {"text": "Anxiété"})
    doctor.post(url("add_report", scene.tele.pk), {"text-conclusion": "Grossesse", "version-conclusion": "0"})
    secretary = client_of(make_member(scene.practitioner.establishment, Role.SECRETARY))
    for page in (url("dossier", scene.tele.pk), url("history"), url("dashboard")):
        text = secretary.get(page).content.decode()
        for word in ("VIH", "Anxiété", "Grossesse", "Compte-rendu", "Ordonnance"):
            assert word not in text, (page, word)
