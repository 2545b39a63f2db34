"""The appointments of the demo region: every state, true times, documents that open."""

import hashlib
from collections import Counter
from datetime import datetime, timedelta

import pytest
from django.db.models import F, Q
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from relais.accounts.demo import PERSONAS
from relais.accounts.models import User
from relais.accounts.testing import client_of
from relais.dossiers.models import Document, Event
from relais.files import actions as files
from relais.files.content import PDF
from relais.notifications.models import Message
from relais.notifications.workflow import State as Sent
from relais.patients.models import Grant, Holder, Patient
from relais.questionnaires import logic
from relais.questionnaires.models import Response
from relais.rooms.models import DeviceTest, Invitation
from relais.teleconsultation.models import Opening, ReportDraft, Teleconsultation
from relais.teleconsultation.workflow import State

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("region"), pytest.mark.xdist_group("demo")]


def persona(key: str) -> User:
    return User.objects.get(email=next(one.email for one in PERSONAS if one.key == key))


def client_of_persona(key: str) -> Client:
    user = persona(key)
    return client_of(user, user.memberships.get().establishment)


def test_the_small_region_has_every_state_and_what_goes_with_it() -> None:
    states = Counter(Teleconsultation.objects.values_list("state", flat=True))
    assert set(states) == set(State.values)
    assert sum(states.values()) == 260
    assert Patient.objects.count() == 200
    assert set(Message.objects.values_list("state", flat=True)) >= {
        Sent.WAITING,
        Sent.HANDED,
        Sent.DELIVERED,
        Sent.REFUSED,
        Sent.CANCELLED,
    }
    assert set(Grant.objects.values_list("holder", flat=True)) >= {Holder.SELF, Holder.PARENT, Holder.GUEST}
    assert set(DeviceTest.objects.values_list("outcome", flat=True)) == {"ok", "ko"}
    assert ReportDraft.objects.exists()
    assert Opening.objects.filter(practitioner=persona("doctor")).count() == 10
    days = {start.date() for start in Teleconsultation.objects.values_list("starts_at", flat=True)}
    assert min(days) <= timezone.localdate() - timedelta(days=5)
    assert max(days) >= timezone.localdate() + timedelta(days=5)


def test_times_are_those_of_the_story_and_never_to_come() -> None:
    now = timezone.now()
    assert not Event.objects.filter(at__gt=now).exists()
    assert not Event.objects.filter(at__lt=F("dossier__created_at")).exists()
    assert not Document.objects.filter(Q(created_at__gt=now) | Q(created_at__lt=F("dossier__created_at"))).exists()
    made = Teleconsultation.objects.filter(dossier__created_at__gt=F("starts_at"))
    assert not made.exists()
    assert not Message.objects.exclude(state=Sent.WAITING).filter(created_at__gt=now).exists()
    assert not Message.objects.filter(state=Sent.WAITING, send_after__lt=now - timedelta(minutes=5)).exists()
    assert not Teleconsultation.objects.filter(ended_at__lt=F("started_at")).exists()
    ends = dict(Event.objects.filter(verb="finish").values_list("dossier_id", "at"))
    for tele in Teleconsultation.objects.filter(state=State.CLOSED):
        assert ends[tele.pk] == tele.ended_at


def test_every_document_opens_and_is_what_its_row_says() -> None:
    kinds = set()
    for document in Document.objects.select_related("file", "dossier__patient"):
        content = files.read(document.file)
        assert hashlib.sha256(content).hexdigest() == document.file.sha256
        assert len(content) == document.file.size
        assert content[:3] in (b"%PD", b"\xff\xd8\xff", b"PK\x03")
        kinds.add(document.kind)
    assert kinds == {"report", "prescription", "patient", "other"}
    assert PDF.content_type in set(Document.objects.values_list("file__content_type", flat=True))


def find_work(moment: datetime) -> None:
    """Each persona has somebody late, somebody soon, and a message that was refused."""
    for key in ("doctor", "secretary", "caregiver"):
        place = persona(key).memberships.get().establishment
        waiting = Teleconsultation.objects.awaited().filter(establishment=place)
        assert waiting.filter(starts_at__lt=moment - timedelta(minutes=15)).exists(), key
        assert waiting.filter(starts_at__range=(moment, moment + timedelta(hours=3))).count() >= 2, key
        assert Message.objects.filter(about__in=waiting.values("pk"), state=Sent.REFUSED).exists(), key


def test_the_personas_find_work_waiting_now() -> None:
    find_work(timezone.now())


def test_their_pages_open(client: Client) -> None:
    doctor = client_of_persona("doctor")
    assert doctor.get(reverse("teleconsultation:dashboard")).status_code == 200
    assert doctor.get(reverse("teleconsultation:agenda")).status_code == 200
    assert doctor.get(reverse("teleconsultation:history")).status_code == 200
    place = persona("doctor").memberships.get().establishment
    for state in State.values:
        tele = Teleconsultation.objects.filter(establishment=place, state=state).first()
        assert tele is not None, state
        assert doctor.get(reverse("teleconsultation:dossier", args=[tele.pk])).status_code == 200
    document = Document.objects.filter(dossier__establishment=place, kind="report").first()
    opened = doctor.get(reverse("teleconsultation:document", args=[document.pk]))
    assert b"".join(opened.streaming_content).startswith(b"%PDF")


def test_the_traps_are_set() -> None:
    names = Counter(Patient.objects.values_list("birth_family_name", "birth_given_names"))
    assert names["Dubois", "Marie"] >= 2
    twins = Patient.objects.filter(birth_family_name="Diallo", birth_date="2020-02-29")
    assert set(twins.values_list("birth_given_names", flat=True)) == {"Aminata", "Ibrahima"}
    assert Patient.objects.filter(birth_date__month=2, birth_date__day=29).count() >= 3
    for family in ("O'Neil", "d'Arc", "Çelik", "Nguyễn"):
        assert Patient.objects.filter(birth_family_name=family).exists()
    dead = list(Patient.objects.filter(deceased_on__isnull=False))
    assert dead
    for one in dead:
        told = Message.objects.filter(about__in=one.dossiers.values("pk"), send_after__date__gte=one.deceased_on)
        assert not told.exists()


def test_the_patient_of_each_appointment_to_come_is_invited_to_its_room() -> None:
    for tele in Teleconsultation.objects.awaited():
        grant = Grant.objects.exclude(holder=Holder.GUEST).get(about=tele.pk)
        assert grant.is_live()
        assert Invitation.objects.filter(room__about=tele.pk, room__ended_at=None, holder_id=grant.pk).exists()


def test_some_patients_have_prepared_with_answers_that_the_form_takes() -> None:
    responses = list(Response.objects.select_related("questionnaire").filter(questionnaire__name="tlc-preparation"))
    assert responses
    for response in responses:
        checked = logic.check(response.questionnaire.form, response.answers, response.ended_at.date())
        assert (checked.errors, checked.answers) == ({}, response.answers)
