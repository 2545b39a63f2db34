"""What leaves of a dossier as FHIR R4, whatever its workflow: patient, people, places, documents, and the Bundle around them.

Pure but for the rows it is given; nothing is stored. Systems and profiles are those of FR Core 2.2 (standards.md §1.1); what
no French guide names has a system of ours, `urn:relais:…`. A matricule leaves only with a qualified identity.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from django.conf import settings
from django.utils import timezone

from relais.accounts.models import User
from relais.directory.models import Establishment, Service
from relais.dossiers.models import Dossier
from relais.files.models import StoredFile
from relais.patients.models import Patient
from relais.questionnaires.fhir import observations, questionnaire_response
from relais.questionnaires.models import Response

Resource = dict[str, Any]
RPPS, FINESS, LOINC = "https://rpps.esante.gouv.fr", "https://finess.esante.gouv.fr", "http://loinc.org"
CORE = "https://hl7.fr/ig/fhir/core"
V2_0203, IDENTITY_STATUS = f"{CORE}/CodeSystem/fr-core-cs-v2-0203", f"{CORE}/CodeSystem/fr-core-cs-identity-status"
COMMUNES = "https://mos.esante.gouv.fr/NOS/TRE_R13-CommuneOM/FHIR/TRE-R13-CommuneOM"
STATUS_REASON = "http://hl7.org/fhir/StructureDefinition/request-statusReason"
BIRTH_PLACE = "http://hl7.org/fhir/StructureDefinition/patient-birthPlace"
SPLIT = "urn:relais:statut-actif"  # how §1.3 splits *active*
GENDERS = {"M": "male", "F": "female", "I": "unknown"}
INS_TYPES = {"8": "INS-NIR", "9": "INS-NIA", "10": "INS-NIR-TEST", "11": "INS-NIR-DEMO"}  # end of the OID
# JDV_J279 (LOINC of the CI-SIS).
OPINION, REQUEST, DLU = "85208-7", "75496-0", "74207-2"
TO_EMERGENCY, FROM_EMERGENCY = "78341-5", "60280-5"
PUBLISHED, IN_HAND = "publiee", "en-cours"


@dataclass(frozen=True)
class Standing:
    """Where a request stands: a code of request-status, and which part of *active* it is ("" for the others)."""

    status: str
    split: str = ""


class Entries:
    """The resources of a Bundle, each once; what adds one gives the reference to it."""

    def __init__(self) -> None:
        self._found: dict[str, Resource] = {}

    def add(self, resource: Resource) -> Resource:
        name = f"{resource['resourceType']}/{resource['id']}"
        self._found.setdefault(name, resource)
        return {"reference": name}

    def __contains__(self, name: str) -> bool:
        """Whether a resource is here, by `Type/id`."""
        return name in self._found

    def patient(self, row: Patient) -> Resource:
        return self.add(patient(row))

    def place(self, row: Establishment) -> Resource:
        """Organization, with its FINESS beside the reference."""
        made = organization(row)
        return self.add(made) | {"identifier": made["identifier"][0], "display": row.name}

    def service(self, row: Service) -> Resource:
        """HealthcareService: the offer of the directory (ROR)."""
        return self.add(healthcare_service(row, self.place(row.establishment))) | {"display": row.name}

    def person(self, user: User) -> Resource:
        """Practitioner, with the RPPS beside the reference."""
        self.add(practitioner(user))
        return {"reference": f"Practitioner/{user.pk}", **named(user)}

    def role(self, user: User | None, place: Establishment | None = None, service: Service | None = None) -> Resource:
        """PractitionerRole: who, where, for which service. Without `user`: whoever answers there, nobody having taken it yet.

        Its id follows from the three, so that exporting twice names the same role.
        """
        place = place or (service.establishment if service else None)
        pks = "#".join(str(one.pk) if one else "" for one in (user, place, service))
        made: Resource = {"resourceType": "PractitionerRole", "id": str(uuid5(NAMESPACE_URL, f"urn:relais:role#{pks}"))}
        if user:
            made["practitioner"] = self.person(user)
        if place:
            made["organization"] = self.place(place)
        if service:
            made["healthcareService"] = [self.service(service)]
        if user and user.profession:
            made["code"] = [{"text": user.profession}]
        if user and user.specialty:
            made["specialty"] = [{"text": user.specialty}]
        label = ", ".join(str(one) for one in (user, service or place) if one)
        return self.add(made) | {"display": label}

    def answers(
        self, response: Response, *, subject: Resource, author: Resource, based_on: Resource | None = None
    ) -> Resource:
        """A QuestionnaireResponse, and its vital signs as Observations."""
        kept = self.add(questionnaire_response(response, subject=subject, author=author, based_on=based_on))
        for made in observations(response, subject=subject, performer=author):
            self.add(made)
        return kept

    def bundle(self, identifier: Resource, composition: Resource | None = None) -> Resource:
        """A collection; with a Composition, which then comes first, a document."""
        found = [composition] if composition else []
        kind = "document" if composition else "collection"
        return bundle([*found, *self._found.values()], kind=kind, identifier=identifier)


def bundle(resources: Iterable[Resource], *, kind: str, identifier: Resource) -> Resource:
    """A Bundle of these resources; what they name by `Type/id` inside it is found by the address of its entry."""
    return {
        "resourceType": "Bundle",
        "type": kind,
        "identifier": identifier,
        "timestamp": moment(timezone.now()),
        "entry": [
            {"fullUrl": f"{settings.PUBLIC_URL}/fhir/{one['resourceType']}/{one['id']}", "resource": one}
            for one in resources
        ],
    }


def patient(row: Patient) -> Resource:
    """The identity as fr-core-patient has it; of a qualified one the INS with its OID too, and the profile
    fr-core-patient-ins once the traits that it asks for are known.

    How sure the identity is always leaves with it (fr-core-identity-reliability).
    """
    first, *_others = row.birth_given_names.split() or [""]
    official: Resource = {"use": "official", "family": row.birth_family_name}
    if first:
        listed = {"url": f"{CORE}/StructureDefinition/fr-core-patient-birth-list-given-name"}
        official |= {"given": [first], "extension": [listed | {"valueString": row.birth_given_names}]}
    names = [official]
    if row.used_family_name or row.used_given_name:
        names.append({"use": "usual", "family": row.family_name, "given": [row.given_name]})
    status = {"url": "identityStatus", "valueCoding": {"system": IDENTITY_STATUS, "code": row.identity_status}}
    made: Resource = {
        "resourceType": "Patient",
        "id": str(row.pk),
        "extension": [{"url": f"{CORE}/StructureDefinition/fr-core-identity-reliability", "extension": [status]}],
        "identifier": [uuid_of(row.pk)],
        "name": names,
        "gender": GENDERS.get(row.sex, "unknown"),
    }
    if row.birth_date:
        made["birthDate"] = row.birth_date.isoformat()
    if row.birth_place:
        insee = {"system": COMMUNES, "code": row.birth_place}
        code = {"url": f"{CORE}/StructureDefinition/fr-core-address-insee-code", "valueCoding": insee}
        made["extension"].append({"url": BIRTH_PLACE, "valueAddress": {"extension": [code]}})
    if row.qualified_ins:
        made["identifier"].append(_ins(row))
        if row.birth_date and row.birth_place:
            made["meta"] = {"profile": [f"{CORE}/StructureDefinition/fr-core-patient-ins"]}
    return made


def _ins(row: Patient) -> Resource:
    kind = INS_TYPES[row.ins_oid.rsplit(".", 1)[-1]]
    use = "temp" if kind == "INS-NIA" else "official"
    return {"use": use, "type": _type(kind), "system": f"urn:oid:{row.ins_oid}", "value": row.qualified_ins}


def _type(code: str) -> Resource:
    return {"coding": [{"system": V2_0203, "code": code}]}


def named(user: User) -> Resource:
    """A professional named without an entry of their own: by RPPS where there is one, and by name."""
    number = {"identifier": {"system": RPPS, "value": user.rpps}} if user.rpps else {}
    return {"type": "Practitioner", "display": user.full_name, **number}


def practitioner(user: User) -> Resource:
    """Who, by RPPS; without one, by an id of ours."""
    number = {"type": _type("RPPS"), "system": RPPS, "value": user.rpps} if user.rpps else uuid_of(user.pk)
    name: Resource = {"family": user.family_name, "given": [user.given_name], "text": user.full_name}
    return {
        "resourceType": "Practitioner",
        "id": str(user.pk),
        "identifier": [number],
        "name": [name | ({"prefix": [user.title]} if user.title else {})],
    }


def organization(row: Establishment) -> Resource:
    """An establishment by its geographic FINESS."""
    made: Resource = {
        "resourceType": "Organization",
        "id": str(row.pk),
        "identifier": [{"type": _type("FINEG"), "system": FINESS, "value": row.finess}],
        "name": row.name,
    }
    if row.phone:
        made["telecom"] = [{"system": "phone", "value": row.phone}]
    parts = {"line": [row.address] if row.address else [], "postalCode": row.postal_code, "city": row.city}
    address = {key: value for key, value in parts.items() if value}
    return made | ({"address": [address]} if address else {})


def healthcare_service(row: Service, provided_by: Resource) -> Resource:
    """A service of the directory."""
    made: Resource = {
        "resourceType": "HealthcareService",
        "id": str(row.pk),
        "identifier": [uuid_of(row.pk)],
        "providedBy": provided_by,
        "type": [{"text": row.get_need_display()}],
        "name": row.name,
        "telecom": [{"system": "phone", "value": row.phone}],
    }
    return made | ({"specialty": [{"text": row.specialty}]} if row.specialty else {})


def service_request(
    dossier: Dossier, standing: Standing, *, state: Resource, why: str = "", **elements: Any
) -> Resource:
    """What is asked (§1.3): intent *proposal*; the state of the workflow (`state`, a coding) is its statusReason, with the
    words of a refusal or an end (`why`). `elements`: those of the workflow; empty ones are left out.
    """
    reason: Resource = {"coding": [state]} | ({"text": why} if why else {})
    extensions = [{"url": STATUS_REASON, "valueCodeableConcept": reason}]
    if standing.split:
        extensions.append({"url": SPLIT, "valueCode": standing.split})
    return {
        "resourceType": "ServiceRequest",
        "id": str(dossier.pk),
        "extension": extensions,
        "identifier": [reference_of(dossier)],
        "status": standing.status,
        "intent": "proposal",
        **{name: value for name, value in elements.items() if value},
    }


def document(
    file: StoredFile, *, pk: UUID, title: str, url: str, subject: Resource, at: datetime, **elements: Any
) -> Resource:
    """A file as DocumentReference: what it is and the address at which Relais gives it to whoever may read it, never its bytes.

    The second identifier is that by which a QuestionnaireResponse names the file. `elements`: type, author, context…
    """
    attachment = {"contentType": file.content_type, "url": f"{settings.PUBLIC_URL}{url}", "size": file.size}
    return {
        "resourceType": "DocumentReference",
        "id": str(pk),
        "masterIdentifier": uuid_of(pk),
        "identifier": [uuid_of(file.pk)],
        "status": "current",
        "subject": subject,
        "date": moment(at),
        "description": title,
        "content": [{"attachment": attachment | {"title": title}}],
        **{name: value for name, value in elements.items() if value},
    }


def communication(
    pk: UUID, text: str, *, at: datetime, category: str, subject: Resource, about: Resource, **elements: Any
) -> Resource:
    """Something said in a dossier; `about`: the ServiceRequest. `elements`: sender, inResponseTo."""
    return {
        "resourceType": "Communication",
        "id": str(pk),
        "basedOn": [about],
        "status": "completed",
        "category": [{"text": category}],
        "subject": subject,
        "sent": moment(at),
        "payload": [{"contentString": text}],
        **{name: value for name, value in elements.items() if value},
    }


def loinc(code: str, text: str) -> Resource:
    """A type of document, with the words of JDV_J279."""
    return {"coding": [{"system": LOINC, "code": code}], "text": text}


def uuid_of(pk: UUID) -> Resource:
    """An id of ours as Identifier."""
    return {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{pk}"}


def reference_of(dossier: Dossier) -> Resource:
    """The reference that people say, as Identifier."""
    return {"system": "urn:relais:dossier", "value": dossier.reference}


def moment(at: datetime) -> str:
    return timezone.localtime(at).isoformat(timespec="milliseconds")
