"""One request of a nursing home as a FHIR R4 Bundle: what is asked, what was decided, the exchange (standards.md §1.9).

§1.9 asks for a ServiceRequest, a structured QuestionnaireResponse and the notes of a *cahier de liaison* (§1.5). A decision is
a ClinicalImpression: R4 defines it as the clinical assessment made before planning the treatments, which is what the on-call
doctor gives (domain.md §3.1, *assess the resident, decide best response*); a Communication would only say that it was told.
"""

from base64 import b64encode
from datetime import datetime
from typing import Any
from uuid import UUID

from django.urls import reverse

from relais.accounts.models import User
from relais.core.actor import Actor
from relais.directory.models import Establishment
from relais.dossiers import fhir
from relais.dossiers import queries as dossiers
from relais.dossiers.fhir import IN_HAND, PUBLISHED, Entries, Resource, Standing
from relais.liaison.models import Closing, Decision, Note, Request, Urgency
from relais.liaison.queries.measures import asked as vital_signs
from relais.liaison.queries.measures import taken_again
from relais.liaison.workflow import WAITING, State
from relais.questionnaires.fhir import observation_id, observations, questionnaire_response
from relais.questionnaires.models import Response

# As those of a tele-expertise; a request stays active until it is closed, whatever was decided meanwhile.
STANDINGS: dict[State, Standing] = {
    State.DRAFT: Standing("draft"),
    State.SUBMITTED: Standing("active", PUBLISHED),
    State.TO_SAMU: Standing("active", PUBLISHED),
    State.TRANSFERRED: Standing("active", PUBLISHED),
    State.TAKEN: Standing("active", IN_HAND),
    State.COMPLEMENT: Standing("active", IN_HAND),
    State.ADVISED: Standing("active", IN_HAND),
    State.REVIEW: Standing("active", IN_HAND),
    State.ORIENTATION: Standing("active", IN_HAND),
    State.CLOSED: Standing("completed"),
    State.CANCELLED: Standing("revoked"),
}
PRIORITIES = {Urgency.VITAL: "stat", Urgency.URGENT: "asap", Urgency.FAST: "urgent", Urgency.LATER: "routine"}
NOTE_TYPES = "https://mos.esante.gouv.fr/NOS/TRE_R234-TypeNote/FHIR/TRE-R234-TypeNote"  # JDV_J23
REVIEW = "urn:relais:reevaluation"
EMERGENCY = "https://interop.esante.gouv.fr/ig/fhir/cdl/StructureDefinition/cdl-ext-is-emergency"


def standing(demand: Request) -> Standing:
    """By its state; one that was closed before any opinion was given (duplicate, death…) is revoked."""
    if demand.state == State.CLOSED and demand.advised_at is None:
        return STANDINGS[State.CANCELLED]
    return STANDINGS[State(demand.state)]


def bundle(actor: Actor, demand: Request) -> Resource:
    """A *collection* of what the page shows to this actor, for whom the request was opened. A draft's answers, which are not
    sent yet, stay here; so do the earlier words of an amended note, and withdrawn documents."""
    entries = Entries()
    subject = entries.patient(demand.patient)
    asked = entries.add(_demand(entries, demand, subject))
    kept = _answers(entries, demand, subject, asked)
    before: Resource = {}
    for one in demand.decisions.select_related("by", "service__establishment").order_by("created_at", "pk"):
        known = [reference for at, reference in kept if at <= one.created_at]
        before = entries.add(_impression(entries, one, subject, [asked, *known], before))
    _notes(entries, demand, subject, asked)
    for row in dossiers.documents(actor, demand.dossier):
        entries.add(
            fhir.document(
                row.file, pk=row.pk, title=row.title, url=reverse("liaison:document", args=[row.pk]), subject=subject,
                at=row.created_at, type={"text": row.get_kind_display()}, context={"related": [asked]},
                author=[entries.person(row.author)] if row.author else None,
            )
        )  # fmt: skip
    return entries.bundle(fhir.reference_of(demand.dossier))


def _answers(entries: Entries, demand: Request, subject: Resource, asked: Resource) -> list[tuple[datetime, Resource]]:
    """The form as it was sent and each time it was completed, oldest first, with the moment; vital signs each time that they
    were taken: a value taken again is a value of its own, not the old one mended."""
    rows = Response.objects.filter(about=demand.pk).select_related("questionnaire").defer("questionnaire__source")
    responses = list(rows.order_by("received_at", "id"))
    authors = authors_of(entries, responses)
    again = taken_again(demand)
    found: list[tuple[datetime, Resource]] = []
    before: dict[str, Any] = {}
    for one in responses:
        author = authors[one.pk]
        made = questionnaire_response(one, subject=subject, author=author, based_on=asked)
        found.append((one.received_at, entries.add(made)))
        signs = {name: one.answers.get(name) for name in vital_signs(one.questionnaire.form)}
        new = {observation_id(one, name) for name in signs if one.pk in again or signs[name] != before.get(name)}
        for value in observations(one, subject=subject, performer=author):
            if value["id"] in new:
                entries.add(value | {"status": "final"})
        before = signs
    return found


def authors_of(entries: Entries, responses: list[Response]) -> dict[UUID, Resource]:
    """Who filled each form, in whose name: the nursing home, or the doctor who wrote what it said on the telephone."""
    people = User.objects.in_bulk({one.user_id for one in responses if one.user_id})
    places = Establishment.objects.in_bulk({one.establishment_id for one in responses if one.establishment_id})
    return {
        one.pk: entries.role(
            people.get(one.user_id) if one.user_id else None,
            places.get(one.establishment_id) if one.establishment_id else None,
        )
        for one in responses
    }


def _demand(entries: Entries, demand: Request, subject: Resource) -> Resource:
    """The nursing home asks, by whoever of it filled the form; performers are the service asked and the doctor who has it."""
    response = demand.response
    speaks = response.user_id if response and response.establishment_id == demand.establishment_id else None
    asker = User.objects.filter(pk=speaks).first() if speaks else None
    state = {"system": "urn:relais:etat:liaison", "code": demand.state, "display": demand.get_state_display()}
    return fhir.service_request(
        demand.dossier,
        standing(demand),
        state=state,
        why=str(Closing(demand.closing).label) if demand.closing else "",
        category=[{"text": "Liaison EHPAD"}],
        priority=PRIORITIES.get(Urgency(demand.urgency)) if demand.urgency else None,
        code={"text": "Demande d’appui d’un EHPAD"},
        subject=subject,
        authoredOn=fhir.moment(demand.submitted_at or demand.dossier.created_at),
        requester=entries.role(asker, demand.establishment),
        performer=_performers(entries, demand),
        reasonCode=_motive(demand),
        supportingInfo=[entries.service(demand.service)] if demand.service else [],
    )


def _performers(entries: Entries, demand: Request) -> list[Resource]:
    """While a service is asked it has nobody yet, and whoever passed it on keeps it, from elsewhere."""
    if demand.state in WAITING:
        asked = [entries.role(None, None, demand.service)] if demand.service else []
        return asked + ([entries.role(demand.responsible)] if demand.responsible else [])
    if demand.responsible or demand.service:
        return [entries.role(demand.responsible, None, demand.service)]
    return []


def _motive(demand: Request) -> list[Resource]:
    item = demand.response.questionnaire.form.by_id.get("fg.motif") if demand.response else None
    option = item.option(demand.motive) if item else None
    return [{"coding": [{"system": option.system, "code": option.code, "display": option.label}]}] if option else []


def _impression(
    entries: Entries, one: Decision, subject: Resource, supporting: list[Resource], before: Resource
) -> Resource:
    """A decision: what and at which level of care as findings, why as summary, what to do as note; the last one before it."""
    made: Resource = {
        "resourceType": "ClinicalImpression",
        "id": str(one.pk),
        "identifier": [fhir.uuid_of(one.pk)],
        "status": "completed",
        "subject": subject,
        "date": fhir.moment(one.created_at),
        "effectiveDateTime": fhir.moment(one.created_at),
        "assessor": entries.role(one.by, None, one.service),
        "summary": one.justification,
        "finding": [
            {"itemCodeableConcept": _concept("decision", one.code, one.get_code_display())},
            {"itemCodeableConcept": _concept("niveau-de-soins", one.care_level, one.get_care_level_display())},
            {"itemCodeableConcept": _concept("famille-prevenue", one.family, one.get_family_display())},
        ],
        "supportingInfo": supporting,
    }
    if one.plan:
        made["note"] = [{"text": one.plan}]
    if one.review_at:
        made["extension"] = [{"url": REVIEW, "valueDateTime": fhir.moment(one.review_at)}]
    return made | ({"previous": before} if before else {})


def _concept(name: str, code: str, label: str) -> Resource:
    return {"coding": [{"system": f"urn:relais:{name}", "code": code, "display": label}]}


def _notes(entries: Entries, demand: Request, subject: Resource, asked: Resource) -> None:
    """The exchange as notes of a *cahier de liaison*: text, author, whether urgent; a complement given is appended to the
    question."""
    question: Resource = {}
    for one in demand.notes.select_related("author", "establishment").order_by("created_at", "pk"):
        made = entries.add(_note(entries, one, subject, asked, question))
        if one.kind == Note.Kind.ASKED:
            question = made


def _note(entries: Entries, one: Note, subject: Resource, asked: Resource, question: Resource) -> Resource:
    text = {
        "contentType": "text/plain; charset=utf-8",
        "language": "fr-FR",
        "data": b64encode(one.text.encode()).decode(),
        "title": one.get_kind_display(),
    }
    made: Resource = {
        "resourceType": "DocumentReference",
        "id": str(one.pk),
        "extension": [{"url": EMERGENCY, "valueBoolean": one.urgent}],
        "masterIdentifier": fhir.uuid_of(one.pk),
        "status": "current",
        "type": {"coding": [{"system": NOTE_TYPES, "code": "GEN"}], "text": one.get_kind_display()},
        "subject": subject,
        "date": fhir.moment(one.amended_at or one.created_at),
        "author": [entries.role(one.author, one.establishment)],
        "content": [{"attachment": text}],
        "context": {"related": [asked]},
    }
    if one.kind == Note.Kind.GIVEN and question:
        made["relatesTo"] = [{"code": "appends", "target": question}]
    return made
