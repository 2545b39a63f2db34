"""One appointment with everything that could leak, and everybody who could look: what the sweep walks through.

The words are unusual, so that finding one on a page is proof.
"""

import itertools
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import time, timedelta
from typing import Any

from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from relais.accounts.actions import remove_member
from relais.accounts.models import Membership, Role
from relais.accounts.testing import actor_for, client_of, make_establishment, make_member, make_practitioner, make_user
from relais.core.actor import SYSTEM_ACTOR
from relais.directory.models import Service
from relais.directory.testing import make_service
from relais.dossiers import actions as dossiers
from relais.dossiers.models import Document, Note, Step
from relais.expertise import testing as expertise
from relais.expertise.actions import keeping
from relais.files import actions as files
from relais.liaison import testing as liaison
from relais.liaison.actions import notes as liaison_notes
from relais.liaison.models import HandOver
from relais.meetings.actions import meetings
from relais.meetings.models import Meeting
from relais.oncall import testing as oncall
from relais.oncall.models import Replacement
from relais.patients.models import Holder
from relais.patients.testing import let_in, make_grant, make_patient
from relais.portal.models import Ticket
from relais.questionnaires.models import Response
from relais.rooms import actions as rooms
from relais.rooms.models import Invitation, Line, Part
from relais.teleconsultation import testing
from relais.teleconsultation.actions import call
from relais.teleconsultation.models import Absence, Opening, ReportDraft
from relais.teleconsultation.workflow import State
from relais.telemonitoring import testing as telemonitoring
from relais.telemonitoring.actions import laboratory
from relais.telemonitoring.models import Transfer

PATIENT = "Zyxwabrech"  # family name
OTHER = "Quillevoust"  # family name of the other appointment's patient
SHARED = "Kystoperinex"  # title of a document that the patient may see
HIDDEN = "Trombalgine"  # title of a document that the patient may not see
NOTE = "Ombrevaltine"  # text of a note
REPORT = "Frimoussinex"  # text of a report, being written and added
PREPARED = "Vibrelloux"  # text of an answer that the patient gave before the appointment
LINE = "Murmelotine"  # text of an instant message in the room
QUESTION = "Grelottifer"  # text of the practitioner's request for help
CLINICAL = frozenset({SHARED, HIDDEN, NOTE, REPORT, PREPARED, LINE})
EVERYTHING = CLINICAL | {PATIENT}

# What each role must never read about the appointment of the scene, on any page.
FORBIDDEN = {
    "anonymous": EVERYTHING | {QUESTION},
    "stranger": EVERYTHING | {QUESTION},
    "practitioner": frozenset[str](),
    "caregiver": frozenset({QUESTION}),
    "secretary": CLINICAL | {QUESTION},
    "manager": CLINICAL | {QUESTION},
    "help_desk": EVERYTHING,
    "patient": frozenset({HIDDEN, NOTE, REPORT, QUESTION, OTHER}),
    "other_patient": EVERYTHING | {QUESTION},
    "guest": (CLINICAL - {LINE}) | {QUESTION, OTHER},  # instant messages are for everybody in the room
    "ended": EVERYTHING | {QUESTION},
    "moved": EVERYTHING | {QUESTION},
}
ROLES = sorted(FORBIDDEN)
# On which side each role has a key; on the other one they are as anonymous as anybody.
PROFESSIONALS = ("stranger", "practitioner", "caregiver", "secretary", "manager", "help_desk", "ended", "moved")
PATIENTS = ("patient", "other_patient", "guest")
# Who has no business with any object of the scene.
OUTSIDERS = ("anonymous", "stranger", "other_patient", "help_desk", "ended", "moved")


@dataclass(frozen=True)
class Scene:
    """Ids by the name that addresses give them, and a browser for each role."""

    ids: dict[str, list[Any]]
    clients: dict[str, Client]


def make_scene() -> Scene:
    """The appointment is in call, so that most verbs are possible."""
    place = make_establishment("Hôpital du Peuplier")
    doctor = make_practitioner(place, family_name="Lecuyer")
    patient = make_patient(PATIENT, seen_by=place)
    scene = testing.make_tele(
        practitioner=doctor, patient=patient, state=State.IN_CALL, grant_fields={"email": "famille@exemple.test"}
    )
    other = testing.make_tele(
        practitioner=doctor,
        patient=make_patient(OTHER, seen_by=place),
        starts_at=timezone.now() + timedelta(hours=3),
    )
    documents = _contents(scene)
    prepared = _questionnaires(scene)
    guest, _ = make_grant(patient, about=scene.tele.pk, holder=Holder.GUEST, holder_name="Alex (interprète)")
    gone, moved = (make_member(place, Role.PRACTITIONER, family_name=name) for name in ("Partie", "Partout"))
    room = _room(scene, guest, gone, moved)
    for former in (gone, moved):
        remove_member(actor=SYSTEM_ACTOR, membership_id=former.pk)
    elsewhere = make_establishment("Clinique d’en Face")
    members = {role: make_member(place, role) for role in (Role.CAREGIVER, Role.SECRETARY, Role.MANAGER)}
    opening = Opening.objects.create(
        practitioner=doctor.user, establishment=place, weekday=1, starts=time(9), ends=time(12)
    )
    absence = Absence.objects.create(
        practitioner=doctor.user,
        starts_at=timezone.now() + timedelta(days=9),
        ends_at=timezone.now() + timedelta(days=10),
    )
    on_call = make_service(place)
    cell, _member = telemonitoring.make_cell(doctor)
    followed = telemonitoring.make_follow_up(cell=cell, member=doctor, patient=patient)
    telemonitoring.reply(followed, dyspnee="4", dyspnee__evol="critique")
    opinion = _expertise(doctor, patient)
    draft = laboratory.copy(actor=actor_for(doctor), rule_set=cell.rules)
    asked = _asked(doctor, patient)
    clients = {
        "anonymous": Client(),
        "stranger": client_of(make_practitioner(elsewhere, family_name="Etranger")),
        "practitioner": client_of(doctor),
        "help_desk": client_of(make_user("Morel", "Hugo", help_desk=True)),
        "ended": client_of(gone.user, place),
        "moved": client_of(make_member(elsewhere, Role.PRACTITIONER, user=moved.user)),
        "patient": let_in(Client(), scene.grant, factors=2),
        "other_patient": let_in(Client(), other.grant, factors=2),
        "guest": let_in(Client(), guest),
        **{str(role): client_of(member) for role, member in members.items()},
    }
    ids = {
        "patient_id": [patient.pk],
        "dossier_id": [scene.tele.pk, followed.follow_up.pk, asked["dossier_id"], opinion.asked.pk],
        "document_id": [*documents, asked["document_id"], opinion.asked.dossier.documents.get().pk],
        "note_id": [asked["note_id"]],
        "hand_over_id": [asked["hand_over_id"]],
        "file_id": [prepared, uuid.uuid4()],
        "grant_id": [scene.grant.pk],
        "practitioner_id": [doctor.user_id],
        "membership_id": [members[Role.SECRETARY].pk],
        "ticket_id": [_ticket(doctor).pk],
        "row_id": [opening.pk, absence.pk],
        "session_id": [clients["practitioner"].session.session_key and _session(clients["practitioner"])],
        "pk": [1],  # a passkey of allauth
        "cell_id": [followed.cell.pk],
        "transfer_id": [_proposed(followed).pk, asked["transfer_id"]],
        "member_id": [followed.cell.members.get().pk],
        "link_id": [_in_circle(followed)],
        "set_id": [cell.rules_id],
        "draft_id": [draft.pk],
        "rule_id": ["AR03", "inconnue"],
        **_rota(on_call, doctor),
        "owner_id": [on_call.pk],
        "meeting_id": [_meeting(doctor).pk],
        "opinion_id": [expertise.make_opinion(opinion, timezone.now()).pk],
        "wording_id": [opinion.service.wordings.get().pk],
        "response_id": [followed.follow_up.judgements.get().response_id, asked["response_id"]],
        **room,
    }
    return Scene(ids, clients)


def _contents(scene: testing.Scene) -> list[uuid.UUID]:
    """Documents, note, steps and report; returns the documents' ids."""
    dossier, author = scene.tele.dossier, actor_for(scene.practitioner)
    rows = []
    for title, kind, shared in ((SHARED, "patient", True), (HIDDEN, "other", False), (f"CR {REPORT}", "report", False)):
        file = files.store(actor=author, upload=b"Une ligne de texte.\n", name="document.txt")
        rows.append(
            dossiers.add_document(actor=author, dossier=dossier, file=file, kind=kind, title=title, shared=shared)
        )
    Note.objects.create(dossier=dossier, text=f"{NOTE} depuis hier.", author=scene.practitioner.user)
    Step.objects.create(dossier=dossier, kind="report", data={"text": REPORT}, author=scene.practitioner.user)
    ReportDraft.objects.create(
        teleconsultation=scene.tele, sections={"conclusion": {"text": REPORT, "version": 1, "by": ""}}, version=1
    )
    return [row.pk for row in rows if isinstance(row, Document)]


def _questionnaires(scene: testing.Scene) -> uuid.UUID:
    """What the patient answered before, with a photograph, and the COVID form; returns the photograph's id."""
    key = let_in(Client(), scene.grant, factors=2)
    said = {"q-tp.saisie": "patient", "q-tp.motif": PREPARED, "q-tp.symptomes": "aucun", "q-tp.souffle": "non"}
    key.post(
        "/p/rendez-vous/preparation/", {**said, "request_key": str(uuid.uuid4()), "q-tp.photo": testing.photograph()}
    )
    form = {
        "identite": "true", "consent": "oui", "accompagnant": "seul", "contage": "non", "symptomes": "toux",
        "voix": "true", "visuel": "bon", "gravite": "aucun", "diag": "autre", "cat": "test", "incident~other": REPORT,
    }  # fmt: skip
    client_of(scene.practitioner).post(
        f"/teleconsultation/{scene.tele.pk}/covid/",
        {"request_key": str(uuid.uuid4()), **{f"q-tk.{name}": value for name, value in form.items()}},
    )
    found = {one.questionnaire.name: one for one in Response.objects.select_related("questionnaire")}
    assert set(found) == {"tlc-preparation", "tlc-covid"}
    return uuid.UUID(found["tlc-preparation"].answers["tp.photo"][0])


def _proposed(followed: telemonitoring.Scene) -> Transfer:
    """The patient at home, proposed to a cell that has not answered."""
    target, _far = telemonitoring.make_cell(make_practitioner(make_establishment("Centre du Chêne")))
    row: Transfer = followed.follow_up.transfers.create(
        source=followed.cell, target=target, why="Peu de monde ce soir", asked_by=followed.member.user
    )
    return row


def _asked(doctor: Membership, patient: Any) -> dict[str, uuid.UUID]:
    """A nursing home asks about the patient; the practitioner of the scene has it in hand and is to hand it over. The patient
    has a DLU, and left for a hospital."""
    home = liaison.make_home()
    patient.care_links.create(establishment_id=home.home.pk, basis="episode", about=uuid.uuid4())
    liaison.join(home.service, doctor)
    request = liaison.make_request(home, patient, question__txt=NOTE)
    liaison.owning.take(actor=actor_for(doctor), demand=request)
    note = liaison_notes.write(actor=actor_for(doctor), demand=request, text=NOTE)
    document = liaison.filing.add(
        actor=actor_for(doctor), demand=request, upload=liaison.upload("resultat.txt"), title=HIDDEN
    )
    row = HandOver.objects.create(
        demand=request, leaving=doctor.user, service=home.service, taking=home.doctor.user, due_at=timezone.now(),
        situation=NOTE,
    )  # fmt: skip
    dlu = liaison.make_dlu(home, patient, allergies=[NOTE])
    transfer = liaison.make_transfer(home, patient, histoire=[NOTE])
    return {
        "dossier_id": request.pk,
        "response_id": dlu.response_id,
        "transfer_id": transfer.pk,
        "note_id": note.pk,
        "document_id": document.pk,
        "hand_over_id": row.pk,
    }


def _in_circle(followed: telemonitoring.Scene) -> uuid.UUID:
    """A doctor of nowhere else in the scene reads the follow-up as one of the care circle."""
    reader = make_practitioner(make_establishment("Cabinet du Saule"))
    link = followed.patient.care_links.create(user_id=reader.user_id, basis="circle", about=followed.follow_up.pk)
    return uuid.UUID(str(link.pk))


def _meeting(doctor: Membership) -> Meeting:
    """A meeting of now that the practitioner planned and is in."""
    said = meetings.Planned("Point de service", None, 30, 4, ("dehors@exemple.test",))
    made = meetings.plan(actor=actor_for(doctor), said=said)
    meetings.enter(actor=actor_for(doctor), meeting=made)
    return made


def _expertise(doctor: Membership, patient: Any) -> expertise.Scene:
    """A request of this doctor to their own service, with a note, a document and a recommended text."""
    service = expertise.make_pool(doctor)
    asked = expertise.make_asked(
        requester=doctor, expert=doctor, service=service, patient=patient, state="prise-en-charge",
        cancel_reason=HIDDEN,
    )  # fmt: skip
    keeping.add_note(actor=asked.asker, asked=asked.asked, text=f"{NOTE} depuis hier.")
    file = files.store(actor=asked.asker, upload=b"Une ligne de texte.\n", name="document.txt")
    dossiers.add_document(actor=asked.asker, dossier=asked.asked.dossier, file=file, kind="other", title=HIDDEN)
    service.wordings.create(title="Chute", conclusion=REPORT)
    return asked


def _room(scene: testing.Scene, guest: Any, *formers: Membership) -> dict[str, list[Any]]:
    """The room with its people: the practitioner, two others who took part and leave, the patient, a guest."""
    room = call.join(actor=actor_for(scene.practitioner), tele=scene.tele)
    for former in formers:
        dossiers.add_participant(
            actor=SYSTEM_ACTOR,
            dossier=scene.tele.dossier,
            user=former.user,
            role=former.role,
            establishment=former.establishment,
        )
        call.join(actor=actor_for(former), tele=scene.tele)
    host = room.invitations.get(holder_id=scene.practitioner.user_id)
    common: dict[str, Any] = {"actor": SYSTEM_ACTOR, "room": room, "authenticated": True, "admitted": True}
    rooms.invite(holder_id=scene.grant.pk, part=Part.PATIENT, name=f"Camille {PATIENT}", **common)
    third: Invitation = rooms.invite(holder_id=guest.pk, part=Part.GUEST, name="Alex (interprète)", **common)
    Line.objects.create(room=room, invitation=host, text=f"{LINE} à reprendre")
    return {"room_id": [room.pk], "invitation_id": [third.pk]}


def _rota(service: Service, doctor: Membership) -> dict[str, list[Any]]:
    """An on-call of the hospital, for which the practitioner answers tomorrow; a colleague is asked to take it over."""
    start = timezone.now() + timedelta(days=1)
    colleague = make_practitioner(service.establishment, family_name="Veilleur")
    member, _other = oncall.join(service, doctor), oncall.join(service, colleague)
    slot = oncall.make_slot(service, doctor, start, start + timedelta(hours=11))
    asked = Replacement.objects.create(slot=slot, asked=colleague.user)
    home = make_establishment("EHPAD du Sorbier", kind="ehpad")
    oncall.cover(home, service)
    return {
        "service_id": [service.pk],
        "slot_id": [slot.pk],
        "replacement_id": [asked.pk],
        "pool_member_id": [member.pk],
        "home_id": [home.pk],
    }


def _ticket(doctor: Membership) -> Ticket:
    return Ticket.objects.create(
        key=uuid.uuid4(),
        service="Téléconsultation",
        subject="Le son grésille",
        text=QUESTION,
        email="medecin@exemple.test",
        actor_kind="professional",
        user_id=doctor.user_id,
        establishment_id=doctor.establishment_id,
    )


def _session(client: Client) -> int:
    from allauth.usersessions.models import UserSession  # noqa: PLC0415

    return UserSession.objects.get(session_key=client.session.session_key).pk


# Addresses

KINDS = ("teleconsultation", "telemonitoring", "liaison", "expertise")  # in the order of Scene.ids["dossier_id"]
# Words of an address that are no ids.
WORDS = {
    ("oncall:answer", "verb"): ["accept", "refuse", "cancel", "inconnu"],
    ("oncall:move", "verb"): ["confirm", "mark_absent", "mark_present", "remove", "inconnu"],
    ("portal:guide", "slug"): ["professionnel", "tester-mon-materiel", "inconnu"],
    ("portal:demo_open", "persona"): ["doctor", "inconnu"],
    ("teleconsultation:remove_hours", "kind"): ["heures", "absences", "inconnu"],
    ("teleconsultation:document_verb", "verb"): ["partager", "masquer", "retirer", "inconnu"],
    ("follow_up_space:form", "name"): ["ecovid-suivi-adulte", "ecovid-inclusion"],
    ("follow_up_space:form", "version"): ["1.0.0", "9.9.9"],
    ("follow_up_space:form", "voice"): ["patient", "inconnu"],
    ("telemonitoring:alert", "verb"): ["take", "give_back", "call", "escalate", "finish", "mistake", "inconnu"],
    ("telemonitoring:decide_transfer", "verb"): ["accept", "refuse", "cancel", "inconnu"],
    ("telemonitoring:verb", "verb"): ["pause", "resume", "extend", "close", "inconnu"],
    ("liaison:verb", "verb"): ["take", "take_over", "ask", "transfer", "close", "room", "room_of_many", "inconnu"],
    ("expertise:pass_on", "verb"): ["reorienter", "second-avis", "admission", "inconnu"],
    ("expertise:verb", "verb"): [
        "take",
        "take_over",
        "give_back",
        "ask_complement",
        "give_complement",
        "refuse",
        "to_visio",
        "to_visio_of_many",
        "cancel",
        "close",
        "set_review_aside",
        "accept_admission",
        "decline_admission",
        "inconnu",
    ],
    ("teleconsultation:verb", "verb"): [
        "finish",
        "continue_by_phone",
        "patient_absent",
        "doctor_absent",
        "cancel",
        "close",
        "inconnu",
    ],
}


@dataclass(frozen=True)
class Address:
    """One address of the site, with the ids of the scene, and the same with ids of nothing."""

    name: str
    url: str
    unknown: str  # "" when it names no object
    view: Any

    @property
    def patient_side(self) -> bool:
        return self.url.startswith(("/p/", "/live/p/", "/upload/p/"))


def patterns(found: list[URLPattern | URLResolver], prefix: str = "", taken: tuple[str, ...] = ()) -> Iterator[Any]:
    """Name, parameters and view of every pattern of the resolver."""
    for pattern in found:
        parameters = (*taken, *pattern.pattern.converters)
        if isinstance(pattern, URLResolver):
            yield from patterns(
                pattern.url_patterns, f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix, parameters
            )
        else:
            assert pattern.name, f"{pattern} has no name"
            yield prefix + pattern.name, parameters, pattern.callback


def addresses(ids: dict[str, list[Any]], *, brief: bool = False) -> list[Address]:
    """Every address; `brief`, with one word each, for those who are turned away before it is read.

    KeyError names the parameter that the scene must learn.
    """
    found = []
    for name, parameters, view in patterns(get_resolver().url_patterns):
        words = {parameter: WORDS.get((name, parameter), [])[: 1 if brief else None] for parameter in parameters}
        choices = [words[parameter] or _of_kind(name, parameter, ids) for parameter in parameters]
        if None in choices:
            missing = parameters[choices.index(None)]
            raise KeyError(f"{name} takes <{missing}>: add it to Scene.ids or WORDS in tests/scene.py.")
        for values in itertools.product(*choices):  # type: ignore[arg-type]
            given = dict(zip(parameters, values, strict=True))
            nothing = {key: value if (name, key) in WORDS else _nothing(value) for key, value in given.items()}
            url = reverse(name, kwargs=given)
            unknown = reverse(name, kwargs=nothing)
            found.append(Address(name, url, unknown if unknown != url else "", view))
    return found


def _of_kind(name: str, parameter: str, ids: dict[str, list[Any]]) -> list[Any] | None:
    """The ids of the scene; of dossiers that of the module's own kind and one of another, not all four."""
    found = ids.get(parameter)
    module = name.partition(":")[0]
    if parameter != "dossier_id" or not found or module not in KINDS:
        return found
    own = KINDS.index(module)
    return [found[own], found[own - 1]]


def _nothing(value: Any) -> Any:
    return uuid.UUID("00000000-0000-4000-8000-000000000000") if isinstance(value, uuid.UUID) else 2**30
