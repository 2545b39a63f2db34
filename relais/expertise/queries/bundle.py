"""One tele-expertise as a FHIR R4 Bundle: the request, its answers, what was joined and said (standards.md §1.3).

The draft French guide's pattern: a ServiceRequest of intent *proposal*, who asks and who answers as PractitionerRole, and as
supportingInfo the offer of the directory that is asked, nothing else; what belongs to the request is *basedOn* it.
"""

from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from django.urls import reverse

from relais.core.actor import Actor
from relais.dossiers import fhir
from relais.dossiers import queries as dossiers
from relais.dossiers.fhir import IN_HAND, PUBLISHED, Entries, Resource, Standing
from relais.dossiers.models import Document, Note, Step
from relais.expertise.models import Expertise, Opinion, Urgency
from relais.expertise.queries.request import prescription
from relais.expertise.workflow import State

# domain.md §2.1: *active* is published, or in somebody's hands.
STANDINGS: dict[State, Standing] = {
    State.DRAFT: Standing("draft"),
    State.SENT: Standing("active", PUBLISHED),
    State.REDIRECTED: Standing("active", PUBLISHED),
    State.TAKEN: Standing("active", IN_HAND),
    State.COMPLEMENT_ASKED: Standing("active", IN_HAND),
    State.COMPLEMENT_GIVEN: Standing("active", IN_HAND),
    State.VISIO: Standing("active", IN_HAND),
    State.ANSWERED: Standing("completed"),
    State.ADMISSION: Standing("completed"),
    State.CLOSED: Standing("completed"),
    State.REFUSED: Standing("revoked"),
    State.CANCELLED: Standing("revoked"),
}
PRIORITIES = {
    Urgency.IMMEDIATE: "stat", Urgency.URGENT: "asap", Urgency.SOON: "urgent", Urgency.PLANNED: "routine",
}  # fmt: skip
CATEGORIES = {"admission": "Admission proposée", "addendum": "Complément au dossier clôturé"}
ASKED, GIVEN = "Complément demandé", "Complément donné"
ACCEPTED, DECLINED = "Admission acceptée", "Admission refusée"
CORRECTED = "Avis corrigé"


def standing(asked: Expertise) -> Standing:
    """By its state; one that was closed after a refusal, without any answer, stays revoked."""
    if asked.state == State.CLOSED and asked.refusal and asked.answered_at is None:
        return STANDINGS[State.REFUSED]
    return STANDINGS[State(asked.state)]


def bundle(actor: Actor, asked: Expertise) -> Resource:
    """A *collection* of what the page shows to this actor, for whom the request was opened. A draft's answers, which are not
    sent yet, stay here; so do withdrawn documents."""
    entries = Entries()
    subject = entries.patient(asked.dossier.patient)
    opinions = list(
        asked.opinions.select_related("service__establishment", "expert", "response__questionnaire", "replaced_by")
    )
    demand = entries.add(_demand(entries, asked, opinions, subject))
    requester = entries.role(asked.requester, asked.establishment)
    if asked.response:
        entries.answers(asked.response, subject=subject, author=requester, based_on=demand)
    documents = dossiers.documents(actor, asked.dossier)
    joined = {one.pk: one for one in documents}
    before: Resource = {}
    filed: dict[UUID, Resource] = {}  # the reports by opinion
    for opinion in opinions:
        author = entries.role(opinion.expert, None, opinion.service)
        if not hasattr(opinion, "replaced_by"):
            entries.answers(opinion.response, subject=subject, author=author, based_on=demand)
            if opinion.response.answers.get("tr.prescription") == [True]:
                entries.add(_prescription(opinion, prescription(opinion, documents), subject, author, demand))
        if report := joined.pop(opinion.document_id, None) if opinion.document_id else None:
            code, after = ("replaces", filed.get(opinion.replaces_id)) if opinion.replaces_id else ("appends", before)
            related = [{"code": code, "target": after}] if after else None
            filed[opinion.pk] = entries.add(_report(report, opinion, subject, author, demand, related))
            before = filed[opinion.pk] if opinion.number == 1 else before
    for one in joined.values():
        entries.add(_joined(entries, one, subject, demand))
    _thread(entries, asked, subject, demand)
    return entries.bundle(fhir.reference_of(asked.dossier))


def _demand(entries: Entries, asked: Expertise, opinions: list[Opinion], subject: Resource) -> Resource:
    """Its performers are the service asked now, by whoever has the request there, and the experts who answered."""
    performers = [entries.role(asked.expert, None, asked.service)] if asked.service else []
    performers += [entries.role(one.expert, None, one.service) for one in opinions]
    state = {"system": "urn:relais:etat:expertise", "code": asked.state, "display": asked.get_state_display()}
    return fhir.service_request(
        asked.dossier,
        standing(asked),
        state=state,
        why=_why(asked),
        category=[{"text": "Télé-expertise"}],
        priority=PRIORITIES.get(Urgency(asked.urgency)) if asked.urgency else None,
        code=fhir.loinc(fhir.REQUEST, "Demande d’acte de télémédecine"),
        subject=subject,
        authoredOn=fhir.moment(asked.sent_at or asked.dossier.created_at),
        requester=entries.role(asked.requester, asked.establishment),
        performer=[one for at, one in enumerate(performers) if one not in performers[:at]],
        reasonCode=_motive(asked),
        supportingInfo=[entries.service(asked.service)] if asked.service else [],
    )


def _why(asked: Expertise) -> str:
    """The words of a refusal, a cancelling or a closing."""
    if standing(asked).status == "revoked" and asked.refusal:
        return " : ".join(part for part in (asked.get_refusal_display(), asked.refusal_note) if part)
    if asked.state == State.CANCELLED:
        return asked.cancel_reason
    return asked.get_recourse_display() if asked.state == State.CLOSED else ""


def _motive(asked: Expertise) -> list[Resource]:
    item = asked.response.questionnaire.form.by_id.get("tg.motif") if asked.response else None
    option = item.option(asked.motive) if item else None
    return [{"coding": [{"system": option.system, "code": option.code, "display": option.label}]}] if option else []


def _report(
    row: Document,
    opinion: Opinion,
    subject: Resource,
    author: Resource,
    demand: Resource,
    related: list[Resource] | None,
) -> Resource:
    """The signed opinion; the second one is appended to the first, a correction replaces the version before."""
    return _document(
        row, subject, at=opinion.signed_at, docStatus="final", author=[author], authenticator=author,
        type=fhir.loinc(fhir.OPINION, "CR de télémédecine"), context={"related": [demand]},
        relatesTo=related, status="superseded" if hasattr(opinion, "replaced_by") else "current",
    )  # fmt: skip


def _prescription(
    opinion: Opinion, paper: Document | None, subject: Resource, author: Resource, demand: Resource
) -> Resource:
    """That a prescription comes with an opinion, and which document it is: what it prescribes stands on that paper alone."""
    made: Resource = {
        "resourceType": "MedicationRequest",
        "id": str(uuid5(NAMESPACE_URL, f"urn:relais:prescription#{opinion.pk}")),
        "status": "draft",
        "intent": "proposal",
        "medicationCodeableConcept": {"text": "Voir l’ordonnance jointe"},
        "subject": subject,
        "authoredOn": fhir.moment(opinion.signed_at),
        "requester": author,
        "basedOn": [demand],
    }
    return made | ({"supportingInformation": [{"reference": f"DocumentReference/{paper.pk}"}]} if paper else {})


def _joined(entries: Entries, row: Document, subject: Resource, demand: Resource) -> Resource:
    """A document joined to the request; nobody said of which type it is, only what kind of file."""
    return _document(
        row, subject, at=row.created_at, type={"text": row.get_kind_display()},
        category=[fhir.loinc(fhir.REQUEST, "Demande d’acte de télémédecine")], context={"related": [demand]},
        author=[entries.person(row.author)] if row.author else None,
    )  # fmt: skip


def _document(row: Document, subject: Resource, **more: Any) -> Resource:
    url = reverse("expertise:document", args=[row.pk])
    return fhir.document(row.file, pk=row.pk, title=row.title, url=url, subject=subject, **more)


def _thread(entries: Entries, asked: Expertise, subject: Resource, demand: Resource) -> None:
    """What was said on both sides, oldest first; a complement given answers the last one asked for."""
    said: list[tuple[str, Note | Step, str]] = [
        ("Note", one, one.text) for one in asked.dossier.notes.select_related("author")
    ]
    for step in asked.dossier.steps.select_related("author"):
        if step.kind == "complement":
            said.append((ASKED if step.data["asked"] else GIVEN, step, step.data["text"]))
        elif step.kind == "admission_answer":
            category = ACCEPTED if step.data["accepted"] else DECLINED
            said.append((category, step, step.data["text"] or category))
        elif step.kind == "opinion" and step.data.get("why"):
            said.append((CORRECTED, step, step.data["why"]))
        elif step.kind in CATEGORIES:
            said.append((CATEGORIES[step.kind], step, step.data["text"]))
    question: Resource = {}
    for category, row, text in sorted(said, key=lambda one: one[1].created_at):
        made = entries.add(
            fhir.communication(
                row.pk, text, at=row.created_at, category=category, subject=subject, about=demand,
                sender=entries.person(row.author) if row.author else None,
                inResponseTo=[question] if category == GIVEN and question else None,
            )
        )  # fmt: skip
        if category == ASKED:
            question = made
