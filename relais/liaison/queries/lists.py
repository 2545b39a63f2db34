"""The list of the doctor on call, and that of a nursing home."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Prefetch, Q, QuerySet, prefetch_related_objects
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from relais.accounts.models import User
from relais.core.actor import Actor
from relais.core.doors import any_of
from relais.core.written import written
from relais.directory.models import Service
from relais.dossiers.models import Participant
from relais.liaison import delays
from relais.liaison.models import Decision, Departure, HandOver, Request
from relais.liaison.queries.measures import fresh, measured
from relais.liaison.queries.missing import missing
from relais.liaison.queries.people import Line, in_rooms, lines_now
from relais.liaison.queries.request import expected, telling
from relais.liaison.queries.sbar import in_words, signs
from relais.liaison.queries.unread import Unread, unread
from relais.liaison.workflow import IN_HAND, OPEN, WAITING, State
from relais.oncall.models import PoolMember
from relais.oncall.queries import services_of
from relais.patients.models import CareLink, Patient
from relais.patients.queries import homonyms
from relais.questionnaires.queries import words
from relais.rooms.models import Peer

MOST = 200  # open requests of one list that wait for nobody; those that press are never left out
LATER = timedelta(days=3650)
RECENT, TODAY = timedelta(days=7), timedelta(hours=24)
ENDED = 30
RESIDENTS = 80
KNOWN = 500  # that a tablet knows by name without network: no nursing home has as many
RINGING = ("vitale", "urgente")


@dataclass(frozen=True)
class Row:
    """A request on a list."""

    demand: Request
    deadline: datetime | None
    due: bool  # a re-evaluation whose hour has come
    overdue: bool  # its opinion, or the complement that it waits for, did not come in time
    mine: bool
    twin: bool  # another one of the list has the same name
    unread: Unread  # urgent notes and answers: only of what they have or take over
    line: Line | None  # where a nursing home calls about it now
    visio: Peer | None  # somebody of another place, who waits in its room for those of the reader's
    hand_over: HandOver | None
    taking: bool  # the hand-over is proposed to the reader
    expected: str
    motive: str
    signs: str
    missing: int  # answers that a vital request still lacks
    covid: str  # *Confirmé*, *Suspect* or *Contact*; "" otherwise
    wants_video: bool
    news2: str  # *au moins 6* where a sign is missing
    to_measure: bool  # the nursing home has yet to take the vital signs for it
    rings: bool
    may_take: bool


def on_call_rows(actor: Actor) -> list[Row]:
    """The open requests of the services for which the actor answers: by urgency and remaining time."""
    return _rows(actor, home=False)


def relief(actor: Actor, rows: list[Row]) -> tuple[list[Row], list[Row]]:
    """Of the rows of their list, those whose hand-over is proposed to the actor, or to nobody, and those that they pass on."""
    handed = [(row, row.hand_over) for row in rows if row.hand_over]
    going = [row for row, one in handed if one.leaving_id == actor.user_id]
    coming = [row for row, one in handed if one.leaving_id != actor.user_id and (row.taking or one.taking_id is None)]
    return coming, going


def home_rows(actor: Actor) -> list[Row]:
    """The open requests of the nursing home, the most urgent first."""
    return _rows(actor, home=True)


def drafts(actor: Actor) -> list[tuple[Request, str]]:
    """What is typed for the nursing home and was not sent, with who began it where that is somebody else."""
    rows = Request.objects.filter(state=State.DRAFT, establishment_id=actor.here).select_related("patient", "dossier")
    found = list(rows.order_by("drafted_at", "pk")[:20])
    authors = User.objects.in_bulk({one.dossier.opened_by for one in found if one.dossier.opened_by} - {actor.me})
    return [(one, author.full_name if (author := authors.get(one.dossier.opened_by)) else "") for one in found]


@written
def own_drafts(actor: Actor) -> QuerySet[Request]:
    """What a doctor began to type for a nursing home."""
    rows = Request.objects.filter(state=State.DRAFT, dossier__opened_by=actor.me).exclude(establishment_id=actor.here)
    return rows.select_related("patient", "establishment").order_by("drafted_at", "pk")[:20]


def closed_rows(actor: Actor) -> list[tuple[Request, Unread]]:
    """What the nursing home asked and that ended within seven days, the last first, with what is to be read of it still."""
    since = timezone.now() - RECENT
    rows = Request.objects.filter(state=State.CLOSED, establishment_id=actor.here, closed_at__gte=since)
    found = list(rows.select_related("patient", "responsible").order_by("-closed_at", "-pk")[:20])
    news = unread(actor, [one.pk for one in found], home=True)
    return [(one, news[one.pk]) for one in found]


@written
def ended_rows(actor: Actor, now: datetime) -> QuerySet[Request]:
    """What ended since yesterday at the services for which the actor answers, the last first: today's list has it too."""
    rows = _served(actor).filter(state=State.CLOSED, closed_at__gte=now - TODAY)
    return rows.select_related("patient", "establishment", "responsible").order_by("-closed_at", "-pk")[:ENDED]


def _served(actor: Actor) -> QuerySet[Request]:
    mine = Participant.objects.filter(PoolMember.objects.of(actor).serve("service_id"), until=None)
    return Request.objects.filter(dossier__in=mine.values("dossier_id"))


def residents(actor: Actor) -> list[Patient]:
    """Those in the nursing home's care, by name, the deceased and those who left it for good left out; `KNOWN` at most:
    screens list the first `RESIDENTS`, beyond one searches."""
    links = CareLink.objects.live().filter(establishment_id=actor.here).values("patient_id")
    left = Departure.objects.lasting().filter(demand__establishment_id=actor.here).values("demand__patient_id")
    here = Patient.objects.filter(pk__in=links, deceased_on=None).exclude(pk__in=left)
    return list(here.order_by("birth_family_name", "pk")[:KNOWN])


@written
def services(actor: Actor) -> QuerySet[Service]:
    return services_of(actor).order_by("name", "pk")


@dataclass(frozen=True)
class Orphan:
    """A request that nobody has, as a manager sees it: the services that take part, and one whose rota they keep, if any."""

    demand: Request
    again_at: datetime
    services: list[Service]
    mine: Service | None


def kept_services(actor: Actor) -> list[UUID]:
    """The services of the establishment that the actor manages."""
    held = Service.objects.filter(establishment_id=actor.here, active=True)
    return list(held.order_by("name", "pk").values_list("pk", flat=True))


def nobody_rows(actor: Actor) -> list[Orphan]:
    """The open requests that nobody has, of the nursing home or of the services that the actor manages, the oldest first."""
    now = timezone.now()
    kept = Participant.objects.filter(service__establishment_id=actor.here, until=None)
    mine = Q(establishment_id=actor.here) | Q(dossier__in=kept.values("dossier_id"))
    rows = Request.objects.filter(mine, state__in=OPEN, responsible=None, unowned_since__isnull=False)
    found = list(rows.select_related("dossier", "establishment", "service").order_by("unowned_since", "pk")[:MOST])
    asked: dict[UUID, list[Service]] = {one.pk: [] for one in found}
    taking_part = Participant.objects.filter(dossier__in=asked, until=None).exclude(service=None)
    for part in taking_part.select_related("service").order_by("created_at", "pk"):
        if part.service:
            asked[part.dossier_id].append(part.service)
    return [
        Orphan(
            one,
            delays.next_alarm(one.urgency, one.unowned_since, now),
            services := asked[one.pk],
            next((service for service in services if service.establishment_id == actor.here), None),
        )
        for one in found
        if one.unowned_since
    ]


def _open(actor: Actor, *, home: bool) -> QuerySet[Request]:
    rows = Request.objects.filter(establishment_id=actor.here) if home else _served(actor)
    known = rows.select_related("patient", "establishment", "responsible", "service", "response__questionnaire")
    return known.filter(state__in=OPEN).defer("response__questionnaire__source").order_by("-submitted_at", "-pk")


@written
def _newest(actor: Actor, most: int, *, home: bool) -> QuerySet[Request]:
    return _open(actor, home=home)[:most]


@written
def _handed(ids: list[UUID]) -> QuerySet[HandOver]:
    rows = HandOver.objects.filter(any_of("demand_id", ids), accepted_at=None, dropped_at=None)
    return rows.select_related("leaving", "taking").order_by("pk")


def _rows(actor: Actor, *, home: bool) -> list[Row]:
    now = timezone.now()
    found = _newest(actor, MOST + 1, home=home)
    if len(found) > MOST:
        rows = _open(actor, home=home)
        pressing = Q(state__in=WAITING) | Q(red=True) | Q(responsible=None) | Q(state__in=IN_HAND, review_at__lte=now)
        found = [*rows.filter(pressing), *rows.exclude(pressing)[:MOST]]
    promised = Prefetch("decisions", Decision.objects.only("demand", "created_at", "code"))
    read = [one for one in found if fresh(one) or one.state == State.ORIENTATION]
    prefetch_related_objects(read, promised)  # for `measured` and `expected`
    ids = [one.pk for one in found]
    news = unread(actor, ids, home=home)
    rooms = in_rooms(ids)
    called = lines_now(found, now) if home else {}
    handed = {one.demand_id: one for one in _handed(ids)}
    alike = homonyms(one.patient for one in found)
    made = [
        _row(
            actor,
            one,
            now,
            home=home,
            twin=one.patient_id in alike,
            news=news[one.pk],
            inside=rooms.get(one.pk, []),
            line=called.get(one.pk),
            hand_over=handed.get(one.pk),
        )
        for one in found
    ]
    return sorted(made, key=_place)


def _row(
    actor: Actor,
    one: Request,
    now: datetime,
    *,
    home: bool,
    twin: bool,
    news: Unread,
    inside: list[Peer],
    line: Line | None,
    hand_over: HandOver | None,
) -> Row:
    deadline = one.deadline
    unanswered = one.state in WAITING and (one.urgency in RINGING or one.red)
    due = one.state in IN_HAND and one.review_at is not None and one.review_at <= now
    overdue = one.awaits_opinion and deadline is not None and deadline <= now
    to_measure = due and not measured(one)
    awaited = home if one.state == State.COMPLEMENT else not home and one.responsible_id == actor.user_id
    pressing = overdue and awaited  # of the reader
    taking = hand_over is not None and hand_over.taking_id == actor.user_id
    concerned = home or taking or one.responsible_id == actor.user_id
    called = concerned or one.responsible_id is None or one.state in WAITING
    missed = called and all(peer.invitation.establishment_id != actor.establishment_id for peer in inside)
    return Row(
        demand=one,
        deadline=deadline,
        due=due,
        overdue=overdue,
        mine=one.responsible_id == actor.user_id,
        twin=twin,
        unread=news if concerned else replace(news, urgent=None, answer=None),
        line=line,
        visio=inside[0] if inside and missed else None,
        hand_over=hand_over,
        expected=str(_("Accepter la relève")) if taking else expected(one, home=home),
        motive=_motive(one),
        signs=signs(one),
        missing=len(missing(one)),
        news2=in_words(one.response.answers) if one.response else "",
        covid=telling(one, "fg.covid.statut"),
        wants_video=bool(telling(one, "fg.visio")),
        to_measure=to_measure,
        taking=taking,
        rings=one.responsible_id is None or pressing or (to_measure if home else unanswered or due or taking),
        may_take=not home and one.state in WAITING and actor.has_role("practitioner"),
    )


def _place(row: Row) -> tuple[Any, ...]:
    """Red first, then the urgency of what waits for an answer, then the time that is left."""
    one = row.demand
    waits = one.state in (*WAITING, State.TAKEN) or row.due or row.overdue or row.taking
    calm = (not waits, not one.red)
    moment = row.deadline or (one.submitted_at or timezone.now()) + LATER
    return (*calm, delays.ORDER.index(one.urgency), moment, str(one.pk))


def is_cut(rows: list[Row]) -> bool:
    """Whether the oldest of those that do not press may be missing: the page says so."""
    calm = [one for one in rows if one.demand.state not in WAITING and not (one.demand.red or one.due)]
    return sum(one.demand.responsible_id is not None for one in calm) >= MOST


def _motive(one: Request) -> str:
    item = one.response.questionnaire.form.by_id.get("fg.motif") if one.response else None
    return words(item, one.motive) if item else one.motive
