"""One appointment told whole: booked, announced, tested, held or missed, written up and closed, at its true times."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX

from relais.accounts.models import Role, User
from relais.core.actor import PATIENT, PROFESSIONAL
from relais.core.demo import new_id
from relais.directory.models import Establishment
from relais.dossiers import actions as dossiers
from relais.dossiers.models import Dossier, Event, Participant
from relais.notifications.models import Channel
from relais.patients.models import Basis, CareLink, Grant, Holder, Patient
from relais.rooms.models import DeviceTest, Invitation, Outcome, Part, Room
from relais.teleconsultation import messages
from relais.teleconsultation.actions import access, booking
from relais.teleconsultation.demo import answers, post, record
from relais.teleconsultation.demo.papers import Press
from relais.teleconsultation.demo.rows import Rows
from relais.teleconsultation.models import Reason, Teleconsultation
from relais.teleconsultation.topics import staff_topics
from relais.teleconsultation.workflow import AWAITED, PHASES, State

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
INCIDENTS = ["Plus de son du côté du patient", "Image figée, appel repris par téléphone", "Réseau coupé deux fois"]
VERBS = {
    State.DONE: "finish",
    State.CLOSED: "finish",
    State.INCIDENT: "continue_by_phone",
    State.ABSENT_PATIENT: "patient_absent",
    State.ABSENT_DOCTOR: "doctor_absent",
}
DEVICES = ["Chrome 120, Android 11", "Safari 15, iOS 15", "Firefox 128, Windows 10", "Chrome 131, Windows 11"]
TROUBLES = {
    "camera": "La caméra est utilisée par une autre application.",
    "microphone": "Aucun son n’a été entendu.",
    "speaker": "Le son n’a pas été entendu.",
    "network": "Réception trop lente.",
}
ADULT, OLD = 15, 85


@dataclass(frozen=True)
class Plan:
    """Who, where, when, in which state; `refused`: the SMS did not arrive, and somebody should act."""

    practitioner: User
    establishment: Establishment
    patient: Patient
    starts_at: datetime
    state: str
    refused: bool = False
    shown: bool = False  # among those that a newcomer opens first: nothing is left out


class Story:
    """Adds the rows of one plan. `now` is the region's moment: nothing has happened after it."""

    def __init__(self, plan: Plan, rng: random.Random, rows: Rows, press: Press, now: datetime) -> None:
        self.plan, self.rng, self.rows, self.press, self.now = plan, rng, rows, press, now
        before = timedelta(days=rng.randint(1, 9), minutes=rng.randrange(600))
        self.booked = min(plan.starts_at - before, now - timedelta(minutes=rng.randrange(30, 3000)))
        self.held = plan.state in (State.DONE, State.CLOSED, State.INCIDENT)
        self.ended = self._ended()
        self.cancelled = min(self.booked + 60 * MINUTE, now)
        self.dossier = self._dossier()
        self.tele = self._tele()
        self.grant = self._grant()
        self.post = post.Post(self.tele, self.grant, self.booked, now, rng)

    def tell(self) -> None:
        """Everything that this appointment left in the database."""
        self.rows.dossiers.append(self.dossier)
        self.rows.teles.append(self.tele)
        self.rows.grants.append(self.grant)
        self.event(self.booked, "created")
        self.event(self.booked, "participant_added", user=str(self.tele.practitioner_id), role=Role.PRACTITIONER)
        self._care()
        self._room()
        self._test()
        if self.plan.state in AWAITED:
            answers.prepared(self)
        if self.plan.state == State.CANCELLED:
            self._cancelled()
        elif self.plan.state == State.IN_CALL:
            self._move(self.plan.starts_at, "join", State.PLANNED, State.IN_CALL)
            record.begun(self)
        elif self.ended:
            self._held()
        self.rows.messages += self.post.all(refused=self.plan.refused)

    def _ended(self) -> datetime | None:
        """When the consultation ended, or when somebody noted that it had not taken place."""
        if self.held:
            lasted = min(55.0, max(4.0, self.rng.lognormvariate(2.7, 0.5)))  # 17 minutes on average (domain.md §9.4)
        elif self.plan.state in (State.ABSENT_PATIENT, State.ABSENT_DOCTOR):
            lasted = self.rng.uniform(15, 30)
        else:
            return None
        return min(self.plan.starts_at + timedelta(seconds=round(lasted * 60)), self.now)

    def _dossier(self) -> Dossier:
        text = "".join(self.rng.choices(dossiers.ALPHABET, k=8))
        phase = PHASES[State(self.plan.state)]
        closed = None
        if self.plan.state == State.CLOSED and self.ended:
            closed = min(self.ended + timedelta(minutes=self.rng.randrange(20, 3000)), self.now)
        return Dossier(
            id=new_id(self.rng),
            kind=booking.KIND,
            reference=f"TC-{text[:4]}-{text[4:]}",
            patient=self.plan.patient,
            establishment=self.plan.establishment,
            phase=phase,
            opened_by=self.plan.practitioner.pk,
            created_at=self.booked,
            done_at=self.ended,
            closed_at=closed,
        )

    def _tele(self) -> Teleconsultation:
        plan, rng = self.plan, self.rng
        return Teleconsultation(
            dossier=self.dossier,
            establishment=plan.establishment,
            practitioner=plan.practitioner,
            state=plan.state,
            reason=Reason.COVID_19 if rng.random() < 0.22 else Reason.CONSULTATION,
            starts_at=plan.starts_at,
            ends_at=plan.starts_at + 20 * MINUTE,
            started_at=plan.starts_at if self.held or plan.state == State.IN_CALL else None,
            ended_at=self.ended,
            consent_by=plan.patient.full_name if rng.random() < 0.8 else "",
            consent_at=self.booked,
            cancel_reason=rng.choice(booking.CANCEL_REASONS) if plan.state == State.CANCELLED else "",
            incident=rng.choice(INCIDENTS) if plan.state == State.INCIDENT else "",
        )

    def _grant(self) -> Grant:
        patient = self.plan.patient
        holder, name = self._holder()
        # A landline receives no SMS.
        phone = patient.phone if patient.phone.startswith(("+336", "+337")) else ""
        return Grant(
            id=new_id(self.rng),
            patient=patient,
            about=self.dossier.pk,
            establishment=self.plan.establishment,
            holder=holder,
            holder_name=name,
            email=patient.email,
            phone=phone,
            login=f"{self.rng.getrandbits(48):012x}",
            password_hash=UNUSABLE_PASSWORD_PREFIX,
            created_at=self.booked,
            secrets_at=self.booked,
            valid_from=self.booked,
            valid_until=(self.ended or self.tele.ends_at) + timedelta(days=access.SPACE_DAYS),
        )

    def _holder(self) -> tuple[str, str]:
        """The patient, a parent, or for the very old sometimes their family, guardian or nurse (D4)."""
        patient, born = self.plan.patient, self.plan.patient.birth_date
        years = (self.now.date() - born).days // 365 if born else 50
        if years < ADULT:
            return Holder.PARENT, f"Parent de {patient.given_name}"
        if years > OLD and self.rng.random() < 0.4:
            holder = self.rng.choice([Holder.FAMILY, Holder.GUARDIAN, Holder.CAREGIVER])
            return holder, f"{Holder(holder).label} : M. {patient.birth_family_name}"[:200]
        return Holder.SELF, ""

    def event(self, at: datetime, verb: str, *, by_patient: bool = False, **data: Any) -> None:
        """One thing that happened then, by the practitioner or the patient."""
        self.rows.events.append(
            Event(
                dossier=self.dossier,
                at=at,
                verb=verb,
                actor_kind=PATIENT if by_patient else PROFESSIONAL,
                user=None if by_patient else self.plan.practitioner,
                grant_id=self.grant.pk if by_patient else None,
                data=data,
            )
        )

    def _move(self, at: datetime, verb: str, source: str, state: str) -> None:
        self.event(at, verb, source=source, state=state)

    def _care(self) -> None:
        """The establishment cares for the patient because of this appointment; its members see them through it."""
        plan = self.plan
        self.rows.links.append(
            CareLink(
                id=new_id(self.rng),
                patient=plan.patient,
                establishment_id=plan.establishment.pk,
                basis=Basis.EPISODE,
                about=self.dossier.pk,
                created_at=self.booked,
            )
        )
        self.rows.participants.append(
            Participant(
                id=new_id(self.rng),
                dossier=self.dossier,
                user=plan.practitioner,
                establishment=plan.establishment,
                role=Role.PRACTITIONER,
                created_at=self.booked,
            )
        )

    def _room(self) -> None:
        plan = self.plan
        inside = plan.starts_at if self.tele.started_at else None
        room = Room(
            id=new_id(self.rng),
            about=self.dossier.pk,
            relay_only=plan.establishment.relay_only,
            max_people=access.MAX_PEOPLE,
            topics=staff_topics(self.tele),
            created_at=self.booked,
            ended_at=self.ended or (self.cancelled if plan.state == State.CANCELLED else None),
        )
        self.rows.rooms.append(room)
        self._invite(room, self.grant, Part.PATIENT, self.booked, inside)
        if inside:
            user = plan.practitioner
            self._invite(room, user, Part.HOST, inside, inside, name=user.full_name)
        if self.held and self.rng.random() < 0.06:
            self._guest(room)

    def _invite(
        self, room: Room, holder: Any, part: str, made: datetime, admitted: datetime | None, *, name: str = ""
    ) -> None:
        self.rows.invitations.append(
            Invitation(
                id=new_id(self.rng),
                room=room,
                holder_id=holder.pk,
                part=part,
                name=name or holder.holder_name or self.plan.patient.full_name,
                authenticated=part != Part.GUEST,
                admitted_at=admitted,
                created_at=made,
            )
        )

    def _guest(self, room: Room) -> None:
        """A third person who was let in by a link of their own."""
        start = self.plan.starts_at
        guest = Grant(
            id=new_id(self.rng),
            patient=self.plan.patient,
            about=self.dossier.pk,
            establishment=self.plan.establishment,
            holder=Holder.GUEST,
            holder_name=self.rng.choice(["Interprète", "Fille du patient", "Infirmière libérale"]),
            phone=f"+3363998{self.rng.randrange(10_000):04d}",
            login=f"{self.rng.getrandbits(48):012x}",
            password_hash=UNUSABLE_PASSWORD_PREFIX,
            created_at=start,
            secrets_at=start,
            valid_from=start,
            valid_until=self.tele.ends_at + timedelta(hours=4),
        )
        self.rows.grants.append(guest)
        self._invite(room, guest, Part.GUEST, start, start + 3 * MINUTE)
        self.event(start, "guest_invited", grant=str(guest.pk))
        self.post.send(messages.GUEST, Channel.SMS, start, to=guest)

    def _test(self) -> None:
        """Seven in ten try their device; 8 % of these fail (domain.md §9.4)."""
        at = self.booked + (self.plan.starts_at - self.booked) * self.rng.uniform(0.1, 0.95)
        if at > self.now or self.rng.random() > 0.7:
            return
        trouble = self.rng.choice(list(TROUBLES)) if self.rng.random() < 0.08 else ""
        parts = {
            name: {"result": "ko" if name == trouble else "ok", "note": TROUBLES[name] if name == trouble else ""}
            for name in ("browser", "camera", "microphone", "speaker", "network")
        }
        facts = {
            "delay_ms": self.rng.randrange(18, 190),
            "down_kbps": 300 if trouble == "network" else self.rng.randrange(2_000, 60_000),
            "up_kbps": self.rng.randrange(600, 9_000),
        }
        self.rows.tests.append(
            DeviceTest(
                id=new_id(self.rng),
                about=self.dossier.pk,
                holder_id=self.grant.pk,
                outcome=Outcome.KO if trouble else Outcome.OK,
                details={"parts": parts, "facts": facts, "device": self.rng.choice(DEVICES)},
                created_at=at,
            )
        )

    def _cancelled(self) -> None:
        at = self.cancelled
        self._move(at, "cancel", State.PLANNED, State.CANCELLED)
        self.post.cancelled(at)

    def _held(self) -> None:
        """What followed: the end, the documents, the note, the closing."""
        ended, state = self.ended or self.now, self.plan.state
        source = State.IN_CALL if self.held else State.PLANNED
        if self.held:
            self._move(self.plan.starts_at, "join", State.PLANNED, State.IN_CALL)
        self._move(ended, VERBS[State(state)], source, State.DONE if state == State.CLOSED else state)
        if self.held:
            record.documents(self, ended)
        if self.dossier.closed_at:
            self._move(self.dossier.closed_at, "close", State.DONE, State.CLOSED)
        if self.plan.shown:
            record.readings(self, ended)
