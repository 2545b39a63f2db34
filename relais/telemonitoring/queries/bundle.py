"""One follow-up as a FHIR R4 Bundle: who, what was answered, the vital signs (IG Télésurveillance, standards.md §1.4)."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from relais.accounts.models import User
from relais.patients.models import Patient
from relais.questionnaires import fhir, queries
from relais.questionnaires.models import Relation, Response
from relais.telemonitoring.models import FollowUp

RPPS = "https://rpps.esante.gouv.fr"
GENDERS = {"M": "male", "F": "female", "I": "unknown"}
V2_0203 = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203"
INS_TYPES = {"8": "INS-NIR", "9": "INS-NIA", "10": "INS-NIR-TEST", "11": "INS-NIR-DEMO"}  # end of the OID


def bundle(follow_up: FollowUp) -> dict[str, Any]:
    """A *collection*: Patient, then each response with its Observations, the oldest first. What was corrected is left out."""
    patient = follow_up.dossier.patient
    subject = {"reference": f"Patient/{patient.pk}"}
    responses = list(reversed(queries.responses(follow_up.pk)))
    people = User.objects.in_bulk({one.user_id for one in responses if one.user_id})
    resources = [_patient(patient)]
    for one in responses:
        author = _author(one, people, subject)
        resources.append(fhir.questionnaire_response(one, subject=subject, author=author))
        resources += fhir.observations(one, subject=subject, performer=author)
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "identifier": {"system": "urn:relais:dossier", "value": follow_up.dossier.reference},
        "timestamp": timezone.localtime().isoformat(timespec="milliseconds"),
        "entry": [{"fullUrl": _url(one), "resource": one} for one in resources],
    }


def _url(resource: dict[str, Any]) -> str:
    """So that `Patient/…` and `QuestionnaireResponse/…` inside the bundle name its own entries."""
    return f"{settings.PUBLIC_URL}/fhir/{resource['resourceType']}/{resource['id']}"


def _patient(patient: Patient) -> dict[str, Any]:
    """The identity; the INS of a qualified identity alone, with its OID."""
    identifiers: list[dict[str, Any]] = [{"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{patient.pk}"}]
    if patient.qualified_ins:
        code = INS_TYPES[patient.ins_oid.rsplit(".", 1)[-1]]
        identifiers.append(
            {
                "use": "official",
                "type": {"coding": [{"system": V2_0203, "code": code}]},
                "system": f"urn:oid:{patient.ins_oid}",
                "value": patient.qualified_ins,
            }
        )
    names = [{"use": "official", "family": patient.birth_family_name, "given": patient.birth_given_names.split()}]
    if patient.used_family_name or patient.used_given_name:
        names.append({"use": "usual", "family": patient.family_name, "given": [patient.given_name]})
    made: dict[str, Any] = {
        "resourceType": "Patient",
        "id": str(patient.pk),
        "identifier": identifiers,
        "name": names,
        "gender": GENDERS.get(patient.sex, "unknown"),
    }
    return made | ({"birthDate": patient.birth_date.isoformat()} if patient.birth_date else {})


def _author(one: Response, people: dict[UUID, User], subject: dict[str, Any]) -> dict[str, Any]:
    """The patient, a professional by RPPS and name, or somebody near the patient by what they are to them (EC-10)."""
    if user := people.get(one.user_id) if one.user_id else None:
        identifier = {"identifier": {"system": RPPS, "value": user.rpps}} if user.rpps else {}
        return {"type": "Practitioner", "display": user.full_name, **identifier}
    if one.relation == Relation.PATIENT:
        return subject
    return {"type": "RelatedPerson", "display": one.get_relation_display()}
