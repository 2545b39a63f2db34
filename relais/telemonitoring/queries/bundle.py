"""One follow-up as a FHIR R4 Bundle: who, what was answered, the vital signs (IG Télésurveillance, standards.md §1.4)."""

from typing import Any
from uuid import UUID

from relais.accounts.models import User
from relais.dossiers.fhir import Entries, named, reference_of
from relais.questionnaires import queries
from relais.questionnaires.models import Relation, Response
from relais.telemonitoring.models import FollowUp


def bundle(follow_up: FollowUp) -> dict[str, Any]:
    """A *collection*: Patient, then each response with its Observations, the oldest first. What was corrected is left out."""
    entries = Entries()
    subject = entries.patient(follow_up.dossier.patient)
    responses = list(reversed(queries.responses(follow_up.pk)))
    people = User.objects.in_bulk({one.user_id for one in responses if one.user_id})
    for one in responses:
        entries.answers(one, subject=subject, author=_author(one, people, subject))
    return entries.bundle(reference_of(follow_up.dossier))


def _author(one: Response, people: dict[UUID, User], subject: dict[str, Any]) -> dict[str, Any]:
    """The patient, a professional by RPPS and name, or somebody near the patient by what they are to them (EC-10)."""
    if user := people.get(one.user_id) if one.user_id else None:
        return named(user)
    if one.relation == Relation.PATIENT:
        return subject
    return {"type": "RelatedPerson", "display": one.get_relation_display()}
