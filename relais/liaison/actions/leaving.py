"""A resident who leaves or dies while a request is open: nobody is left without an owner, nothing is asked for in vain.

In another nursing home of the platform the request goes on in a dossier of that home, with the same patient, doctor,
clocks and alarms; the home that is left keeps its own, closed. Elsewhere it stays where it is, and says so.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.utils import timezone
from django.utils.translation import gettext as _

from relais.core.actor import SYSTEM_ACTOR, Actor
from relais.core.errors import NotFound, Refused
from relais.core.transactions import whole
from relais.directory.models import Establishment
from relais.dossiers import actions as dossiers
from relais.dossiers.models import Participant
from relais.liaison import messages, scores
from relais.liaison import permissions as may
from relais.liaison.actions import notes, owning, rooming
from relais.liaison.actions.measuring import FILES
from relais.liaison.actions.states import OVER_NOW, hold_resident, lock, move, tell_pages
from relais.liaison.models import Closing, Decision, Departure, Note, Request
from relais.liaison.queries.sbar import sbar
from relais.liaison.workflow import OPEN, State
from relais.oncall.queries import route
from relais.patients import actions as patients
from relais.patients.models import Patient
from relais.questionnaires import actions as questionnaires
from relais.questionnaires.actions import Times, Who
from relais.questionnaires.models import Relation, Response

EARLIEST = timedelta(days=30)
LONGEST = 300  # characters of a reason
# What goes on as it is: who is asked and who has it, since when, and what was promised.
CARRIED = (
    "urgency", "motive", "red", "news2", "qsofa", "submitted_at", "service", "line", "responsible", "unowned_since",
    "asked_at", "asked", "late_told_at", "taken_at", "advised_at", "review_at", "review_told_at",
)  # fmt: skip
WAITS_FOR_NOBODY = (State.SUBMITTED, State.TO_SAMU, State.TRANSFERRED, State.ADVISED, State.REVIEW)


@dataclass(frozen=True)
class Leaving:
    """When the resident left, and why, as said."""

    at: datetime
    why: str


def _checked(actor: Actor, demand: Request, said: Leaving) -> Request:
    """The request, held. Raises NotFound, and Refused without a reason, for a moment that cannot be, or once it is over."""
    locked = lock(actor, demand.pk)
    if not may.can_tell_departure(actor, locked):
        raise NotFound
    if locked.state not in OPEN:
        raise Refused(_(OVER_NOW))
    if not said.why.strip():
        raise Refused(_("Indiquez la raison."), field="why")
    if len(said.why.strip()) > LONGEST:
        raise Refused(_("Cette raison est trop longue : 300 caractères au plus."), field="why")
    now = timezone.now()
    if not now - EARLIEST <= said.at <= now + timedelta(minutes=1):
        raise Refused(_("Ce moment ne peut pas être le bon : vérifiez le jour et l’heure."), field="at")
    return locked


def _note(actor: Actor, demand: Request, said: Leaving, **where: Any) -> Departure:
    return Departure.objects.create(demand=demand, by_id=actor.me, at=said.at, why=said.why.strip(), **where)


@whole
def go_elsewhere(*, actor: Actor, demand: Request, said: Leaving, place: str) -> Request:
    """The resident left for a place that is not in the platform: the request stays with its doctor, who is told."""
    locked = _checked(actor, demand, said)
    if not place.strip():
        raise Refused(_("Indiquez où est parti le résident."), field="place")
    _note(actor, locked, said, kind=Departure.Kind.ELSEWHERE, place=place.strip()[:160])
    dossiers.record(locked.dossier, "moved_away", actor)
    _tell_doctor(actor, locked)
    tell_pages(locked, urgent=True)
    return locked


@whole
def go_to_home(*, actor: Actor, demand: Request, said: Leaving, home: Establishment) -> Request:
    """The resident entered another nursing home: the request goes on there; returns the one that goes on.

    The new home gets answers, decisions, documents and a summary; its on-call is asked to take part, and the doctor keeps
    the request. What the old home did stays its own. Raises Refused for a home that cannot be.
    """
    hold_resident(demand.patient_id)  # as `died` does: what goes on elsewhere is about somebody who lives
    locked = _checked(actor, demand, said)
    if locked.patient.deceased_on:
        raise Refused(_("Ce résident est décédé : la demande n’a plus à le suivre ailleurs."))
    if home.kind not in may.HOMES or not home.active or home.pk == locked.establishment_id:
        raise Refused(_("Choisissez un autre EHPAD dans la liste."), field="home")
    now = timezone.now()
    made = _go_on(actor, locked, home)
    _note(actor, locked, said, kind=Departure.Kind.HOME, home=home, place=home.name, sequel=made)
    notes.summarise(actor=actor, demand=made, text=_summary(locked, said, now))
    dossiers.record(made.dossier, "arrived", actor)
    _end(locked, Closing.ELSEWHERE, now)
    dossiers.record(locked.dossier, "moved_on", actor)
    _tell_doctor(actor, made)
    duty = next(iter(route(home, now)), None)
    if duty:
        owning.join(actor, made, duty.service)
        if duty.user and duty.user.pk != made.responsible_id:
            messages.tell(messages.ASKED, made, duty.user)
    tell_pages(made, urgent=True)
    return made


def _go_on(actor: Actor, demand: Request, home: Establishment) -> Request:
    """The same request in a dossier of the new home, with whoever took part."""
    dossier = dossiers.create(
        actor=actor, kind="liaison", patient=demand.patient, establishment=home, origin_id=demand.pk
    )
    carried = {name: getattr(demand, name) for name in CARRIED}
    response = _copy_answers(actor, demand, dossier.pk)
    made = Request.objects.create(
        dossier=dossier, patient=demand.patient, establishment=home, state=demand.state, response=response, **carried
    )
    taking_part = Participant.objects.filter(dossier=demand.pk, until=None).exclude(service=None)
    for one in taking_part.select_related("service__establishment").order_by("created_at", "pk"):
        if one.service:
            owning.join(actor, made, one.service)
    for decision in demand.decisions.order_by("created_at", "pk"):
        was = decision.created_at
        decision.pk, decision.demand = uuid4(), made
        decision.save(force_insert=True)
        Decision.objects.filter(pk=decision.pk).update(created_at=was)
    dossiers.copy_documents(actor=actor, source=demand.dossier, target=dossier)
    return made


def _copy_answers(actor: Actor, demand: Request, about: Any) -> Response:
    before = demand.response
    if before is None:
        raise NotFound
    return questionnaires.answer(
        actor=actor, about=about, questionnaire=before.questionnaire, request_key=uuid4(), unfinished=True,
        answers={name: values for name, values in before.answers.items() if name != FILES},
        times=Times(before.started_at, before.ended_at), who=Who(relation=Relation.PROFESSIONAL),
    ).response  # fmt: skip


def _summary(demand: Request, said: Leaving, now: datetime) -> str:
    texts = sbar(demand, now)
    head = _("Suite de la demande %(reference)s de « %(home)s ». Raison du départ : %(why)s.") % {
        "reference": demand.dossier.reference, "home": demand.establishment.name, "why": said.why.strip().rstrip("."),
    }  # fmt: skip
    tel = scores.first(demand.response.answers, "fg.tel") if demand.response else ""
    call = _("Téléphone de l’EHPAD quitté : %s.") % (tel or demand.establishment.phone)
    asked = demand.notes.filter(kind=Note.Kind.ASKED).order_by("-created_at", "-pk").first()
    awaited = [_("Complément demandé : %s") % asked.text] if asked and demand.state == State.COMPLEMENT else []
    return "\n".join([head, *awaited, call, *(text for text in texts.values() if text)])[: notes.NOTE_MAX]


@whole
def died(*, actor: Actor, demand: Request, said: Leaving, in_hospital: bool) -> Request:
    """The resident died: noted in their identity, and what was planned for them anywhere ends (see `follow_death`)."""
    hold_resident(demand.patient_id)  # before any of their requests: said of two of them at once, one waits
    locked = _checked(actor, demand, said)
    place = _("Hôpital") if in_hospital else locked.establishment.name
    _note(actor, locked, said, kind=Departure.Kind.DIED, place=place[:160])
    patients.record_death(actor=actor, patient=locked.patient, on=timezone.localdate(said.at))
    if not Request.objects.filter(pk=locked.pk, state__in=OPEN).exists() and in_hospital:
        Request.objects.filter(pk=locked.pk).update(closing=Closing.DIED_IN_HOSPITAL)
    return Request.objects.get(pk=locked.pk)


def follow_death(actor: Actor, patient: Patient) -> None:
    """What waited for somebody of a person who died is closed; what a doctor has in hand stays theirs until they close it.

    Of each the doctor is told, and so are the pages.
    """
    now = timezone.now()
    for pk in Request.objects.filter(patient=patient, state__in=OPEN).order_by("pk").values_list("pk", flat=True):
        demand = lock(SYSTEM_ACTOR, pk)
        dossiers.record(demand.dossier, "died", actor)
        if demand.state in WAITS_FOR_NOBODY:
            _end(demand, Closing.DIED_HERE, now)
        elif demand.state == State.COMPLEMENT:
            move(actor=SYSTEM_ACTOR, demand=demand, verb="stop_asking", review_at=None)
        else:
            Request.objects.filter(pk=pk).update(review_at=None)
        _tell_doctor(actor, demand)
        tell_pages(demand, urgent=True)


def _end(demand: Request, why: str, now: datetime) -> None:
    """Close by the system: hand-overs, alarms, re-evaluations and the room end with it."""
    owning.drop_hand_overs(demand, now)
    rooming.end(actor=SYSTEM_ACTOR, demand=demand)
    move(
        actor=SYSTEM_ACTOR, demand=demand, verb="end", closing=why, closed_at=now, review_at=None, unowned_since=None,
    )  # fmt: skip


def _tell_doctor(actor: Actor, demand: Request) -> None:
    if demand.responsible and demand.responsible_id != actor.user_id:
        messages.tell(messages.NEWS, demand, demand.responsible)
