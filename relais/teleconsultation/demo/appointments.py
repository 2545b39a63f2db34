"""The teleconsultations of the demo region (domain.md §9.1, §9.4), and the appointment that always starts now."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.utils import timezone

from relais.accounts.models import Role
from relais.core.actor import PROFESSIONAL
from relais.core.demo import Region, new_id
from relais.core.errors import Refused
from relais.core.paris import PARIS, to_utc
from relais.dossiers.actions import ALPHABET
from relais.dossiers.models import Document, Dossier, Event, Note, Participant, Step
from relais.files.models import StoredFile
from relais.notifications.models import Channel, Message
from relais.notifications.workflow import State as MessageState
from relais.patients.models import Basis, CareLink, Grant
from relais.rooms.models import DeviceTest, Room
from relais.teleconsultation import messages
from relais.teleconsultation.actions import booking
from relais.teleconsultation.models import Opening, Reason, Teleconsultation
from relais.teleconsultation.workflow import PHASES, State

BATCH = 2000
SAMPLE_TITLES = {"report": "Compte-rendu", "prescription": "Ordonnance", "patient": "Photo envoyée par le patient"}
INCIDENTS = ["Plus de son du côté du patient", "Image figée, appel repris par téléphone", "Réseau coupé deux fois"]
REASONS = booking.CANCEL_REASONS
HOURS = [9, 10, 11, 14, 15, 16, 17, 12, 18]
WEIGHTS = [15, 15, 15, 12, 12, 11, 10, 5, 5]  # 45 % in the morning, 45 % in the afternoon (domain.md §9.4)


@dataclass
class Rows:
    """What one batch inserts, in the order of the foreign keys."""

    dossiers: list[Dossier] = field(default_factory=list)
    teles: list[Teleconsultation] = field(default_factory=list)
    rooms: list[Room] = field(default_factory=list)
    links: list[CareLink] = field(default_factory=list)
    participants: list[Participant] = field(default_factory=list)
    grants: list[Grant] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    tests: list[DeviceTest] = field(default_factory=list)
    stored: list[StoredFile] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    documents: list[Document] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    def insert(self) -> None:
        for rows in vars(self).values():
            if rows:
                type(rows[0])._base_manager.bulk_create(rows, batch_size=BATCH)
                rows.clear()


def build(region: Region, rng: random.Random) -> None:
    """Practitioners' hours and appointments in every state around `region.now`."""
    Opening.objects.bulk_create(list(_openings(region, rng)), batch_size=BATCH)
    rows = Rows()
    for count, plan in enumerate(_plans(region, rng), 1):
        _appointment(region, rng, rows, *plan)
        if count % BATCH == 0:
            rows.insert()
    rows.insert()
    region.teleconsultations += list(
        Teleconsultation.objects.values_list("pk", flat=True)[: region.volumes.teleconsultations]
    )


def _practices(region: Region) -> list[tuple[Any, UUID]]:
    """(practitioner, establishment id) pairs, the persona's own first so that every size shows a full dashboard."""
    pairs = [
        (user, establishment_id)
        for establishment_id, by_role in region.members.items()
        for user in by_role.get(Role.PRACTITIONER, [])
    ]
    home = region.places["hospital"].pk
    return sorted(pairs, key=lambda pair: (pair[1] != home, pair[0] != region.personas["doctor"]))


def _openings(region: Region, rng: random.Random) -> Iterator[Opening]:
    for user, establishment_id in _practices(region):
        for weekday in rng.sample(range(5), 4):
            for starts, ends in ((time(9), time(12)), (time(14), time(17))):
                yield Opening(
                    pk=new_id(rng), practitioner=user, establishment_id=establishment_id, weekday=weekday,
                    starts=starts, ends=ends, minutes=20,
                )  # fmt: skip


def _plans(region: Region, rng: random.Random) -> Iterator[tuple[Any, UUID, datetime, str]]:
    """Who, where, when and in which state; a slot is never given twice to a practitioner."""
    practices = _practices(region)
    near = max(1, len(practices) // 60)
    taken: set[tuple[UUID, datetime]] = set()
    today = timezone.localtime(region.now, PARIS).date()
    made = 0
    while made < region.volumes.teleconsultations:
        # One in three at the first practices: their lists are what a newcomer opens.
        user, establishment_id = practices[rng.randrange(near)] if rng.random() < 0.3 else rng.choice(practices)
        start = _moment(rng, today, region.volumes.days)
        if start is None or (user.pk, start) in taken:
            continue
        taken.add((user.pk, start))
        made += 1
        yield user, establishment_id, start, _state(rng, start, region.now)


def _moment(rng: random.Random, today: date, days: int) -> datetime | None:
    """A slot of 20 minutes, nine in ten on a weekday, most of them past (domain.md §9.4)."""
    day = today + timedelta(days=rng.randint(-days, max(2, days // 14)))
    if day.weekday() >= 5 and rng.random() > 0.1:
        return None
    hour = rng.choices(HOURS, WEIGHTS)[0]
    try:
        return to_utc(day, time(hour, rng.choice([0, 20, 40])))
    except Refused:
        return None


def _state(rng: random.Random, start: datetime, now: datetime) -> str:
    if start > now:
        return State.CANCELLED if rng.random() < 0.05 else State.PLANNED
    if now - start < timedelta(hours=1):
        return State.PLANNED  # late, and still on the dashboard (TC-08)
    states = [State.DONE, State.CLOSED, State.ABSENT_PATIENT, State.INCIDENT, State.CANCELLED, State.ABSENT_DOCTOR]
    return rng.choices(states, [40, 45, 6, 2, 5, 2])[0]


def _appointment(
    region: Region, rng: random.Random, rows: Rows, user: Any, establishment_id: UUID, start: datetime, state: str
) -> None:
    patient = rng.choice(region.patients)
    end = start + timedelta(minutes=20)
    held = state in (State.DONE, State.CLOSED, State.INCIDENT)
    ended = start + timedelta(minutes=min(55, max(4, rng.lognormvariate(2.7, 0.5)))) if held else None
    booked = start - timedelta(days=rng.randint(1, 9), minutes=rng.randrange(600))
    text = "".join(rng.choices(ALPHABET, k=8))
    phase = PHASES[State(state)]
    dossier = Dossier(
        pk=new_id(rng), kind=booking.KIND, reference=f"TC-{text[:4]}-{text[4:]}", patient=patient,
        establishment_id=establishment_id, phase=phase, opened_by=user.pk,
        done_at=(ended or end) if phase in ("done", "closed") else None,
        closed_at=end + timedelta(days=1) if state == State.CLOSED else None,
    )  # fmt: skip
    reason = Reason.COVID_19 if rng.random() < 0.22 else Reason.CONSULTATION
    tele = Teleconsultation(
        dossier=dossier, establishment_id=establishment_id, practitioner=user, state=state, reason=reason,
        starts_at=start, ends_at=end, started_at=start if held else None, ended_at=ended,
        consent_by="le patient" if rng.random() < 0.8 else "", consent_at=booked,
        cancel_reason=rng.choice(REASONS) if state == State.CANCELLED else "",
        incident=rng.choice(INCIDENTS) if state == State.INCIDENT else "",
    )  # fmt: skip
    rows.dossiers.append(dossier)
    rows.teles.append(tele)
    rows.rooms.append(Room(pk=new_id(rng), about=dossier.pk, ended_at=ended))
    rows.links.append(
        CareLink(
            pk=new_id(rng), patient=patient, establishment_id=establishment_id, basis=Basis.EPISODE, about=dossier.pk
        )
    )
    rows.participants.append(
        Participant(
            pk=new_id(rng), dossier=dossier, user=user, role=Role.PRACTITIONER, establishment_id=establishment_id
        )
    )
    grant = Grant(
        pk=new_id(rng), patient=patient, about=dossier.pk, email=patient.email, phone=patient.phone,
        establishment_id=establishment_id, login=f"{rng.getrandbits(48):012x}",
        password_hash=UNUSABLE_PASSWORD_PREFIX, valid_from=booked, valid_until=(ended or end) + timedelta(days=30),
    )  # fmt: skip
    rows.grants.append(grant)
    rows.events.append(Event(dossier=dossier, verb="created", actor_kind=PROFESSIONAL, user=user))
    _messages(region, rng, rows, tele, grant, booked)
    if rng.random() < 0.7:
        outcome = "ko" if rng.random() < 0.08 else "ok"
        rows.tests.append(DeviceTest(pk=new_id(rng), about=dossier.pk, holder_id=grant.pk, outcome=outcome))
    if held:
        _record(rng, rows, tele, user)


def _messages(region: Region, rng: random.Random, rows: Rows, tele: Any, grant: Grant, booked: datetime) -> None:
    """The access by both channels; one SMS in sixty was refused."""
    for type_, channel in ((messages.BOOKED, Channel.EMAIL), (messages.PASSWORD, Channel.SMS)):
        refused = rng.random() < 1 / 60
        if not (grant.email if channel == Channel.EMAIL else grant.phone):
            continue
        rows.messages.append(
            Message(
                pk=new_id(rng),
                type=type_,
                about=tele.pk,
                holder_id=grant.pk,
                channel=channel,
                address=grant.email if channel == Channel.EMAIL else grant.phone,
                state=MessageState.REFUSED
                if refused
                else MessageState.DELIVERED
                if channel == Channel.SMS
                else MessageState.HANDED,
                send_after=booked,
                attempts=1,
                attempted_at=booked,
                handed_at=None if refused else booked,
                error="Numéro non attribué" if refused else "",
            )
        )


def _record(rng: random.Random, rows: Rows, tele: Any, user: Any) -> None:
    """Report in 71 %, prescription in 46 % (domain.md §9.4). Bulk files have no content on disk: see `sample_files`."""
    for kind, share in (("report", 0.71), ("prescription", 0.46)):
        if rng.random() > share:
            continue
        stored = StoredFile(
            pk=new_id(rng), name=f"{kind}.pdf", content_type="application/pdf", size=rng.randint(20_000, 90_000),
            sha256=f"{rng.getrandbits(256):064x}", created_by=user.pk,
        )  # fmt: skip
        step = Step(pk=new_id(rng), dossier=tele.dossier, kind=kind, author=user)
        rows.stored.append(stored)
        rows.steps.append(step)
        rows.documents.append(
            Document(
                pk=new_id(rng),
                dossier=tele.dossier,
                step=step,
                file=stored,
                kind=kind,
                title=SAMPLE_TITLES[kind],
                author=user,
                shared_at=tele.ended_at,
            )
        )
        rows.events.append(Event(dossier=tele.dossier, verb="document_added", actor_kind=PROFESSIONAL, user=user))
