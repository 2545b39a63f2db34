"""What the screens of teleconsultation need, in a constant number of queries."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Func, Q, QuerySet, TextField, Value
from django.urls import reverse
from django.utils import timezone

from relais.accounts.models import Membership, Role, User
from relais.accounts.queries import names
from relais.audit import actions as audit
from relais.core import workflow
from relais.core.actor import Actor
from relais.core.paris import midnight
from relais.core.written import written
from relais.dossiers import queries as dossiers
from relais.notifications import queries as outbox
from relais.patients.models import Grant, Holder, Patient
from relais.patients.queries import homonyms
from relais.questionnaires import queries as questionnaires
from relais.questionnaires.models import Response
from relais.rooms import queries as rooms
from relais.rooms.models import DeviceTest
from relais.teleconsultation import permissions as may
from relais.teleconsultation.actions.call import too_early_or_late
from relais.teleconsultation.models import Reason, Teleconsultation, TeleconsultationQuerySet
from relais.teleconsultation.topics import report_about
from relais.teleconsultation.workflow import AFTER, State

PRINTED = (
    "establishment", "state", "reason", "starts_at", "ends_at", "dossier__reference",
    *(f"dossier__patient__{name}" for name in ("birth_family_name", "birth_given_names", "used_family_name", "used_given_name", "birth_date", "sex")),
    *(f"practitioner__{name}" for name in ("title", "family_name", "given_name")),
)  # fmt: skip
PREPARATION, COVID = "tlc-preparation", "tlc-covid"  # questionnaires/ beside this file
LATE = timedelta(minutes=15)  # domain.md §2.2
MOST_OF_PATIENT = 50


class Traits(NamedTuple):
    """What a line prints of a patient."""

    family_name: str
    given_name: str
    birth_date: date | None
    sex: str

    @property
    def full_name(self) -> str:
        return f"{self.family_name.upper()} {self.given_name}"


class Tested(NamedTuple):
    """The last self-test."""

    outcome: str
    created_at: datetime


@dataclass(frozen=True)
class Row:
    """All that a line of the dashboard prints, as plain values: two equal rows are drawn alike (`tele.dashboard_cells`)."""

    pk: UUID
    state: str
    reason: str
    starts_at: datetime
    patient: Traits
    practitioner: str
    place: str  # where the patient is now: "", space, waiting or call
    waiting_since: datetime | None
    test: Tested | None
    problem: str  # of the message to put right, in words
    late: bool
    documents: int
    prepared: bool  # the patient answered the questions before the appointment
    may_join: bool
    clinical: bool
    twin: bool

    @property
    def day(self) -> date:
        """The day it falls on in Paris, under which it stands."""
        return timezone.localtime(self.starts_at).date()

    @property
    def soon(self) -> bool:
        return self.starts_at - timezone.now() < timedelta(hours=24)

    @property
    def mark(self) -> str:
        if self.place == "waiting":
            return "is-present"
        return "is-late" if self.late else ""

    @property
    def reason_words(self) -> str:
        return str(Reason(self.reason).label)


@dataclass(frozen=True)
class PatientSide:
    """What the dossier's page says of the patient: their way in, where they are, their test, what was sent to them."""

    grant: Grant | None
    place: str  # as in Row
    waiting_since: datetime | None
    test: DeviceTest | None
    problem: str
    messages: list[outbox.Line]  # to the patient and guests; not the practitioner's own codes


def base(actor: Actor) -> TeleconsultationQuerySet:
    """The appointments of the establishment chosen, with what a row prints and no more: lists are drawn all day."""
    rows = Teleconsultation.objects.filter(establishment_id=actor.here)
    return rows.select_related("dossier__patient", "practitioner").only(*PRINTED)


def of_patient(actor: Actor, patient: Patient, *, seen: dict[str, list[str]] | None = None) -> list[Teleconsultation]:
    """The appointments of one patient that the establishment chosen holds, the last first, with the trace."""
    if not may.can_book(actor):
        return []
    rows = list(base(actor).filter(dossier__patient=patient).order_by("-starts_at", "pk")[:MOST_OF_PATIENT])
    audit.record_list(actor=actor, action="teleconsultation.list", ids=[tele.pk for tele in rows], seen=seen)
    return rows


def awaited(
    actor: Actor, *, practitioner_id: UUID | None = None, day: date | None = None, reason: str = ""
) -> QuerySet[Teleconsultation]:
    """Those still to be held, however late (TC-05 … TC-08), filtered by practitioner, day and reason."""
    rows = base(actor).awaited()
    if practitioner_id:
        rows = rows.filter(practitioner_id=practitioner_id)
    if day:
        rows = rows.filter(starts_at__gte=midnight(day), starts_at__lt=midnight(day + timedelta(days=1)))
    return rows.filter(reason=reason) if reason else rows


def history(
    actor: Actor, *, text: str = "", practitioner_id: UUID | None = None, state: str = ""
) -> QuerySet[Teleconsultation]:
    """Those held, missed or cancelled, searched by name or reference (TC-44)."""
    states = [state] if state in {*AFTER, State.CLOSED, State.CANCELLED} else [*AFTER, State.CLOSED, State.CANCELLED]
    rows = base(actor).filter(state__in=states)
    if practitioner_id:
        rows = rows.filter(practitioner_id=practitioner_id)
    for word in text.split():
        folded = Func(Value(word), function="relais_fold", output_field=TextField())
        rows = rows.filter(Q(dossier__patient__search_name__contains=folded) | Q(dossier__reference__iexact=word))
    return rows


def rows_of(actor: Actor, teles: list[Teleconsultation]) -> list[Row]:
    """The facts around these appointments: seven queries for any number of rows."""
    ids = [tele.pk for tele in teles]
    here = _patients_here(ids)
    tests = rooms.last_tests(ids)
    problems = outbox.problems(ids)
    counts = dossiers.document_counts(ids)
    prepared = questionnaires.answered(ids, PREPARATION)
    alike = homonyms(tele.dossier.patient for tele in teles)
    now = timezone.now()
    clinical = may.can_read_clinical(actor)
    return [
        Row(
            pk=tele.pk,
            state=tele.state,
            reason=tele.reason,
            starts_at=tele.starts_at,
            patient=_traits(tele.dossier.patient),
            practitioner=tele.practitioner.full_name,
            place=here[tele.pk].place if tele.pk in here else "",
            waiting_since=here[tele.pk].since if tele.pk in here and here[tele.pk].waits else None,
            test=Tested(tests[tele.pk].outcome, tests[tele.pk].created_at) if tele.pk in tests else None,
            problem=problems[tele.pk].words if tele.pk in problems else "",
            late=tele.state == State.PLANNED and now > tele.starts_at + LATE,
            documents=counts.get(tele.pk, 0),
            prepared=tele.pk in prepared,
            may_join=may.can_join(actor, tele),
            clinical=clinical,
            twin=tele.dossier.patient_id in alike,
        )
        for tele in teles
    ]


def _traits(patient: Patient) -> Traits:
    return Traits(patient.family_name, patient.given_name, patient.birth_date, patient.sex)


def _patients_here(ids: list[UUID]) -> dict[UUID, rooms.Here]:
    """Where the patient (or proxy) of each appointment is now, for those who are somewhere."""
    grants = Grant.objects.filter(about__in=ids, revoked_at=None).exclude(holder=Holder.GUEST)
    holders = set(grants.order_by().values_list("pk", flat=True))
    found = {}
    for about, present in rooms.presences(ids).items():
        mine = [one for one in present if one.holder_id in holders]
        if mine:
            found[about] = min(mine, key=lambda one: rooms.NEAREST[rooms.Place(one.place)])
    return found


@written
def of_dossier(dossier_id: UUID) -> QuerySet[Teleconsultation]:
    """The appointment of a dossier, none where it is of another kind."""
    rows = Teleconsultation.objects.filter(pk=dossier_id).order_by("pk")
    return rows.select_related("dossier__patient", "dossier__establishment", "practitioner", "establishment")


def patient_side(tele: Teleconsultation) -> PatientSide:
    """Four queries."""
    grants = list(Grant.objects.filter(about=tele.pk).order_by("-created_at"))
    mine = [one for one in grants if one.revoked_at is None and one.holder != Holder.GUEST]
    here = rooms.presence_of(tele.pk, [one.pk for one in mine])
    lines, problem = outbox.story(tele.pk)
    known = {one.pk for one in grants}
    return PatientSide(
        grant=mine[0] if mine else None,
        place=here.place if here else "",
        waiting_since=here.since if here and here.waits else None,
        test=rooms.last_test(tele.pk),
        problem=problem.words if problem else "",
        messages=[line for line in lines if line.message.holder_id in known],
    )


def practitioners(establishment_id: UUID) -> list[User]:
    """Those who can be booked in an establishment, by name."""
    members = Membership.objects.filter(
        establishment_id=establishment_id, role=Role.PRACTITIONER, ended_at=None
    ).values("user_id")
    return list(
        User.objects.filter(pk__in=members, is_active=True).only("title", "family_name", "given_name", "specialty")
    )


def week(actor: Actor, practitioner_id: UUID, monday: date) -> list[Teleconsultation]:
    """A practitioner's appointments of one week here, for the agenda; cancelled ones left out."""
    return list(
        base(actor)
        .filter(
            practitioner_id=practitioner_id,
            starts_at__gte=midnight(monday),
            starts_at__lt=midnight(monday + timedelta(days=7)),
        )
        .exclude(state=State.CANCELLED)
        .order_by("starts_at", "pk")
    )


def verbs(actor: Actor, tele: Teleconsultation) -> list[str]:
    """The verbs whose buttons this actor gets now, from the transition table and the clock."""
    return [verb for verb in workflow.possible(tele, actor) if verb not in too_early_or_late(tele)]


def filled(tele: Teleconsultation) -> dict[str, Response]:
    """The questionnaires answered about this appointment, as last corrected, by name: one query."""
    newest_first = list(questionnaires.responses(tele.pk))
    return {response.questionnaire.name: response for response in reversed(newest_first)}


def read_preparation(tele: Teleconsultation, response: Response | None) -> list[questionnaires.Section]:
    """What the patient answered as professionals read it, with their door to its photograph; nothing without."""
    if response is None:
        return []
    return questionnaires.shown(
        response, lambda pk: reverse("teleconsultation:preparation_file", args=[tele.pk, pk]) + "?voir"
    )


def forms_of(tele: Teleconsultation) -> dict[str, Any]:
    """What the dossier's page shows of its questionnaires."""
    found = filled(tele)
    prepared = found.get(PREPARATION)
    return {"prepared": prepared, "sections": read_preparation(tele, prepared), "covid": found.get(COVID)}


def others_writing(actor: Actor, tele: Teleconsultation) -> list[str]:
    """Names of those who have the report open beside this actor, in the order in which they came: two queries at most."""
    ids = [one.holder_id for one in rooms.present(report_about(tele)) if one.holder_id != actor.user_id]
    named = names(ids)
    return [named[one] for one in ids if one in named]
