"""The appointments of the demo region: every state, true times, documents that open, the same for the same seed."""

import hashlib
from collections import Counter
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
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

NIGHT = datetime(2026, 11, 21, 2, 7, tzinfo=UTC)
IGNORED = {"django_migrations", "django_content_type", "auth_permission"}


def build(seed: int = 1, **options) -> None:
    call_command("demo_region", size="small", seed=seed, stdout=StringIO(), **options)


def persona(key: str) -> User:
    return User.objects.get(email=next(one.email for one in PERSONAS if one.key == key))


def client_of_persona(key: str) -> Client:
    user = persona(key)
    return client_of(user, user.memberships.get().establishment)


@pytest.mark.django_db
def test_the_small_region_has_every_state_and_what_goes_with_it() -> None:
    build()
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


@pytest.mark.django_db
def test_times_are_those_of_the_story_and_never_to_come() -> None:
    build()
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


@pytest.mark.django_db
def test_every_document_opens_and_is_what_its_row_says() -> None:
    build()
    kinds = set()
    for document in Document.objects.select_related("file", "dossier__patient"):
        content = files.read(document.file)
        assert hashlib.sha256(content).hexdigest() == document.file.sha256
        assert len(content) == document.file.size
        assert content[:3] in (b"%PD", b"\xff\xd8\xff", b"PK\x03")
        kinds.add(document.kind)
    assert kinds == {"report", "prescription", "patient", "other"}
    assert PDF.content_type in set(Document.objects.values_list("file__content_type", flat=True))


@pytest.mark.django_db
@pytest.mark.parametrize("at", [NIGHT, None])
def test_the_personas_find_work_waiting_at_any_hour(at: datetime | None) -> None:
    build(**({"at": at} if at else {}))
    for key in ("doctor", "secretary", "caregiver"):
        place = persona(key).memberships.get().establishment
        waiting = Teleconsultation.objects.awaited().filter(establishment=place)
        moment = at or timezone.now()
        assert waiting.filter(starts_at__lt=moment - timedelta(minutes=15)).exists(), key
        assert waiting.filter(starts_at__range=(moment, moment + timedelta(hours=3))).count() >= 2, key
        assert Message.objects.filter(about__in=waiting.values("pk"), state=Sent.REFUSED).exists(), key


@pytest.mark.django_db
def test_their_pages_open(client: Client) -> None:
    build()
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


@pytest.mark.django_db
def test_the_traps_are_set() -> None:
    build()
    names = Counter(Patient.objects.values_list("birth_family_name", "birth_given_names"))
    assert names["Dubois", "Marie"] >= 2
    twins = Patient.objects.filter(birth_family_name="Diallo", birth_date="2020-02-29")
    assert set(twins.values_list("birth_given_names", flat=True)) == {"Aminata", "Ibrahima"}
    assert Patient.objects.filter(birth_date__month=2, birth_date__day=29).count() >= 3
    for family in ("O'Neil", "d'Arc", "Çelik", "Nguyễn"):
        assert Patient.objects.filter(birth_family_name=family).exists()
    dead = Patient.objects.get(deceased_on__isnull=False)
    assert not Message.objects.filter(
        about__in=dead.dossiers.values("pk"), send_after__date__gte=dead.deceased_on
    ).exists()


@pytest.mark.django_db
def test_the_patient_of_each_appointment_to_come_is_invited_to_its_room() -> None:
    build()
    for tele in Teleconsultation.objects.awaited():
        grant = Grant.objects.exclude(holder=Holder.GUEST).get(about=tele.pk)
        assert grant.is_live()
        assert Invitation.objects.filter(room__about=tele.pk, room__ended_at=None, holder_id=grant.pk).exists()


def digest() -> dict[str, str]:
    """One for each table: every row, every column but the salted hash of the personas' password."""
    found = {}
    with connection.cursor() as cursor:
        for table in sorted(set(connection.introspection.table_names(cursor)) - IGNORED):
            row = "(t.*)::text"
            if table == "accounts_user":
                row = "(to_jsonb(t) - 'password')::text"
            cursor.execute(f"SELECT md5(coalesce(string_agg({row}, '|' ORDER BY {row}), '')) FROM \"{table}\" t")
            found[table] = cursor.fetchone()[0]
    return found


@pytest.mark.django_db(transaction=True)
def test_the_same_seed_is_the_same_rows_ids_included() -> None:
    found = []
    for seed in (2, 1, 1):  # erasing sets the counters of numbered rows back
        build(seed, at=NIGHT, replace=bool(found))
        found.append(digest())
    assert found[1] == found[2]
    assert found[1]["teleconsultation_teleconsultation"] != found[0]["teleconsultation_teleconsultation"]


@pytest.mark.django_db
def test_some_patients_have_prepared_with_answers_that_the_form_takes() -> None:
    build()
    responses = list(Response.objects.select_related("questionnaire").filter(questionnaire__name="tlc-preparation"))
    assert responses
    for response in responses:
        checked = logic.check(response.questionnaire.form, response.answers, response.ended_at.date())
        assert (checked.errors, checked.answers) == ({}, response.answers)
