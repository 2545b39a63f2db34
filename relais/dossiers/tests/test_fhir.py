"""What leaves of any dossier as FHIR: people and places by the rules of FR Core 2.2 (standards.md §1.1). No database."""

import datetime
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.patient import Patient as FhirPatient

from relais.accounts.models import User
from relais.directory.models import Establishment, Need, Service
from relais.dossiers import fhir
from relais.dossiers.fhir import Entries
from relais.patients.models import Patient

BORN, PLACE = datetime.date(1985, 5, 12), "78646"
RELIABILITY = f"{fhir.CORE}/StructureDefinition/fr-core-identity-reliability"


def patient(**fields: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "birth_family_name": "Durand", "birth_given_names": "Camille Léa", "birth_date": BORN, "birth_place": PLACE,
        "sex": "F", "ins": "285057800608491", "ins_oid": "1.2.250.1.213.1.4.10", "identity_status": "QUAL",
    }  # fmt: skip
    made = fhir.patient(Patient(**{**given, **fields}))
    FhirPatient.model_validate(made)
    return made


def extensions(made: dict[str, Any]) -> dict[str, Any]:
    return {one["url"]: one for one in made["extension"]}


@pytest.mark.parametrize(("status", "identifiers"), [("PROV", 1), ("VALI", 1), ("RECUP", 1), ("QUAL", 2)])
def test_the_ins_leaves_with_a_qualified_identity_alone_and_how_sure_it_is_always(status, identifiers):
    made = patient(identity_status=status)
    assert extensions(made)[RELIABILITY]["extension"][0]["valueCoding"]["code"] == status
    assert len(made["identifier"]) == identifiers
    assert ("meta" in made) == (status == "QUAL")


def test_a_qualified_identity_is_what_the_french_profile_asks_for():
    """First birth name alone as given, all of them beside it; INSEE code of the birth place; OID and type of the matricule."""
    made = patient(used_family_name="Martin")
    assert made["meta"] == {"profile": [f"{fhir.CORE}/StructureDefinition/fr-core-patient-ins"]}
    official, usual = made["name"]
    assert (official["family"], official["given"]) == ("Durand", ["Camille"])
    assert official["extension"][0]["valueString"] == "Camille Léa"
    assert (usual["use"], usual["family"]) == ("usual", "Martin")
    assert extensions(made)[fhir.BIRTH_PLACE]["valueAddress"]["extension"][0]["valueCoding"]["code"] == PLACE
    ins = made["identifier"][1]
    assert (ins["use"], ins["system"]) == ("official", "urn:oid:1.2.250.1.213.1.4.10")
    assert ins["type"]["coding"][0] == {"system": fhir.V2_0203, "code": "INS-NIR-TEST"}
    assert (made["gender"], made["birthDate"]) == ("female", "1985-05-12")


@pytest.mark.parametrize("missing", [{"birth_place": ""}, {"birth_date": None}])
def test_the_profile_is_not_claimed_without_the_traits_that_it_asks_for(missing):
    assert "meta" not in patient(**missing)


def test_a_waiting_matricule_is_temporary():
    made = patient(ins_oid="1.2.250.1.213.1.4.9")
    assert (made["identifier"][1]["use"], made["identifier"][1]["type"]["coding"][0]["code"]) == ("temp", "INS-NIA")


def test_a_role_names_who_by_rpps_and_where_by_finess_and_each_leaves_once():
    place = Establishment(finess="990000011", name="CHU des Ormes", city="Paris")
    service = Service(establishment=place, name="Avis gériatrique", need=Need.EXPERT, phone="01 99 00 00 01")
    doctor = User(family_name="Savant", given_name="Ada", title="Dr", rpps="89900000019", profession="Médecin")
    entries = Entries()
    first, again = (entries.role(doctor, None, service) for _time in range(2))
    nobody = entries.role(None, None, service)
    made = entries.bundle({"value": "essai"})
    Bundle.model_validate(made)
    found = {one["fullUrl"].split("/fhir/")[1]: one["resource"] for one in made["entry"]}
    assert sorted(name.split("/")[0] for name in found) == [
        "HealthcareService", "Organization", "Practitioner", "PractitionerRole", "PractitionerRole",
    ]  # fmt: skip
    assert first == again != nobody
    role = found[first["reference"]]
    assert role["practitioner"]["identifier"] == {"system": fhir.RPPS, "value": doctor.rpps}
    assert role["organization"]["identifier"]["value"] == place.finess
    assert "practitioner" not in found[nobody["reference"]]
    for one in (role["practitioner"], role["organization"], role["healthcareService"][0]):
        assert one["reference"] in found


def test_who_has_no_rpps_is_named_by_an_id_of_ours():
    nurse = User(family_name="Soin", given_name="Léo")
    assert fhir.practitioner(nurse)["identifier"] == [fhir.uuid_of(nurse.pk)]
    assert "identifier" not in fhir.named(nurse)
