"""A request of a nursing home, the DLU and the transfer sheet leave as FHIR (standards.md §1.9)."""

from base64 import b64decode
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from relais.accounts.models import Role
from relais.accounts.testing import client_of, make_establishment, make_member, make_practitioner
from relais.audit.models import Entry
from relais.dossiers.testing import of, read_bundle
from relais.files.tests import make
from relais.liaison.actions import deciding, notes
from relais.liaison.actions.deciding import Advice
from relais.liaison.models import Dlu, HospitalTransfer, Request
from relais.liaison.testing import (
    filing,
    make_dlu,
    make_home,
    make_request,
    make_transfer,
    posted_dlu,
    taken,
    upload,
)
from relais.liaison.workflow import IN_HAND, WAITING, State

pytestmark = pytest.mark.django_db
ADVICE = {"care_level": "pas-de-rea", "justification": "Foyer pulmonaire.", "family": "oui"}
REASON = "http://hl7.org/fhir/StructureDefinition/request-statusReason"


def url(demand):
    return f"/liaison/{demand.pk}/fhir.json"


def read(who, address):
    return read_bundle(client_of(who).get(address))


def test_a_request_leaves_with_who_asks_who_has_it_and_what_was_answered():
    scene = make_home()
    demand = taken(scene)
    found = read(scene.nurse, url(demand))
    (asked,) = of(found, "ServiceRequest")
    assert (asked["intent"], asked["priority"], asked["status"]) == ("proposal", "urgent", "active")
    requester, performer = found[asked["requester"]["reference"]], found[asked["performer"][0]["reference"]]
    assert requester["organization"]["identifier"]["value"] == scene.home.finess
    assert requester["practitioner"]["display"] == scene.nurse.user.full_name
    assert performer["practitioner"]["identifier"]["value"] == scene.doctor.user.rpps
    assert [one["reference"] for one in asked["supportingInfo"]] == [f"HealthcareService/{scene.service.pk}"]
    (response,) = of(found, "QuestionnaireResponse")
    assert (response["id"], response["basedOn"][0]["reference"]) == (
        str(demand.response_id), f"ServiceRequest/{demand.pk}",
    )  # fmt: skip
    signs = {one["code"]["coding"][0]["code"]: one["valueQuantity"]["value"] for one in of(found, "Observation")}
    assert (signs["59408-5"], signs["8310-5"], signs["8480-6"]) == (97, 37.2, 130)


def test_while_it_waits_the_service_asked_has_no_name_and_whoever_passed_it_on_keeps_it():
    scene = make_home()
    demand = taken(scene)
    client_of(scene.doctor).post(f"/liaison/{demand.pk}/redirect/")
    found = read(scene.regulator, url(demand))
    (asked,) = of(found, "ServiceRequest")
    service, doctor = (found[one["reference"]] for one in asked["performer"])
    assert service["organization"]["identifier"]["value"] == scene.samu.establishment.finess
    assert "practitioner" not in service
    assert doctor["practitioner"]["identifier"]["value"] == scene.doctor.user.rpps


def test_each_state_is_a_status_and_its_reason():
    """domain.md §3.3: what waits is published, what somebody has is in hand, until it is closed."""
    scene = make_home()
    demand, browser, now = taken(scene), client_of(scene.nurse), timezone.now()
    said = {State.DRAFT: ("draft", None), State.CLOSED: ("completed", None), State.CANCELLED: ("revoked", None)}
    said |= dict.fromkeys(WAITING, ("active", "publiee")) | dict.fromkeys(IN_HAND, ("active", "en-cours"))
    assert set(said) == set(State)
    Request.objects.update(advised_at=now, review_at=now, closing="ameliore", closed_at=now)
    for state, told in said.items():
        Request.objects.update(state=state)
        given = browser.get(url(demand)).json()
        (asked,) = [one["resource"] for one in given["entry"] if one["resource"]["resourceType"] == "ServiceRequest"]
        extensions = {one["url"]: one for one in asked["extension"]}
        assert (asked["status"], extensions.get("urn:relais:statut-actif", {}).get("valueCode")) == told, state
        assert extensions[REASON]["valueCodeableConcept"]["coding"][0]["code"] == state
    Request.objects.update(state=State.CLOSED, advised_at=None, closing="doublon")
    (asked,) = of(read(scene.nurse, url(demand)), "ServiceRequest")
    assert (asked["status"], asked["extension"][0]["valueCodeableConcept"]["text"]) == ("revoked", "Doublon")


def test_vital_signs_taken_again_are_values_of_their_own_and_those_of_before_stay():
    """What is completed without new signs repeats none; a decision rests on what was known when it was made."""
    scene = make_home()
    demand = taken(scene)
    deciding.decide(actor=scene.doctor_actor, demand=demand, advice=Advice(code="maintien-o2", **ADVICE))
    signs = {"q-fg.spo2": "91", "q-fg.temp": "38,9", "request_key": str(uuid4())}
    assert client_of(scene.nurse).post(f"/liaison/{demand.pk}/constantes/", signs).status_code == 302
    found = read(scene.doctor, url(demand))
    taken_twice = [one for one in of(found, "Observation") if one["code"]["coding"][0]["code"] == "59408-5"]
    assert [(one["valueQuantity"]["value"], one["status"]) for one in taken_twice] == [(97, "final"), (91, "final")]
    first, second = of(found, "QuestionnaireResponse")
    assert (first["status"], second["status"]) == ("completed", "amended")
    assert [one["derivedFrom"][0]["reference"].split("/")[1] for one in taken_twice] == [first["id"], second["id"]]
    (decision,) = of(found, "ClinicalImpression")
    assert [one["reference"] for one in decision["supportingInfo"]] == [
        f"ServiceRequest/{demand.pk}", f"QuestionnaireResponse/{first['id']}",
    ]  # fmt: skip
    client_of(scene.nurse).post(f"/liaison/{demand.pk}/constantes/", signs | {"request_key": str(uuid4())})
    thrice = [one for one in of(read(scene.doctor, url(demand)), "Observation") if "59408-5" in str(one["code"])]
    assert [one["valueQuantity"]["value"] for one in thrice] == [97, 91, 91]


def test_decisions_are_clinical_impressions_each_after_the_one_before():
    scene = make_home()
    demand = taken(scene)
    review = timezone.now() + timedelta(hours=4)
    plan = "SpO2 toutes les 4 heures."
    deciding.decide(
        actor=scene.doctor_actor, demand=demand,
        advice=Advice(code="maintien-traitement", plan=plan, review_at=review, **ADVICE),
    )  # fmt: skip
    deciding.decide(actor=scene.doctor_actor, demand=demand, advice=Advice(code="maintien-o2", **ADVICE))
    found = read(scene.nurse, url(demand))
    first, second = of(found, "ClinicalImpression")
    assert [one["itemCodeableConcept"]["coding"][0]["code"] for one in first["finding"]] == [
        "maintien-traitement", "pas-de-rea", "oui",
    ]  # fmt: skip
    assert (first["summary"], first["note"][0]["text"]) == ("Foyer pulmonaire.", plan)
    assert first["extension"][0]["valueDateTime"].startswith(timezone.localtime(review).isoformat()[:16])
    assert found[first["assessor"]["reference"]]["practitioner"]["identifier"]["value"] == scene.doctor.user.rpps
    assert first["supportingInfo"][0]["reference"] == f"ServiceRequest/{demand.pk}"
    assert second["previous"]["reference"] == f"ClinicalImpression/{first['id']}"


def test_the_exchange_is_a_cahier_de_liaison_and_documents_lead_to_their_door():
    scene = make_home()
    demand = taken(scene)
    deciding.ask(actor=scene.doctor_actor, demand=demand, text="Diurèse ?")
    deciding.give(actor=scene.nurse_actor, demand=demand, text="Conservée.")
    notes.write(actor=scene.nurse_actor, demand=Request.objects.get(), text="Il tousse.", urgent=True)
    filed = filing.add(actor=scene.nurse_actor, demand=demand, upload=upload("resultat.txt"), title="Biologie")
    found = read(scene.doctor, url(demand))
    *written, document = of(found, "DocumentReference")
    texts = [b64decode(one["content"][0]["attachment"]["data"]).decode() for one in written]
    assert texts == ["Diurèse ?", "Conservée.", "Il tousse."]
    assert [one["extension"][0]["valueBoolean"] for one in written] == [False, False, True]
    assert {one["type"]["coding"][0]["code"] for one in written} == {"GEN"}
    assert written[1]["relatesTo"][0]["target"]["reference"] == f"DocumentReference/{written[0]['id']}"
    assert found[written[0]["author"][0]["reference"]]["practitioner"]["display"] == scene.doctor.user.full_name
    assert (document["id"], document["description"]) == (str(filed.pk), "Biologie")
    address = document["content"][0]["attachment"]["url"]
    assert client_of(scene.doctor).get(address[address.index("/liaison/") :]).status_code == 200


def test_who_reads_a_request_takes_it_out_with_a_trace_and_nobody_else():
    scene = make_home()
    demand = make_request(scene)
    answer = client_of(scene.doctor).get(url(demand))
    assert answer["Content-Disposition"] == f'attachment; filename="{demand.dossier.reference}.json"'
    traced = Entry.objects.get(why="Export FHIR de la demande")
    assert (traced.about, traced.user_id, traced.patient_id) == (demand.pk, scene.doctor.user_id, scene.resident.pk)
    strangers = [make_practitioner(make_establishment("Ailleurs"))]
    strangers += [make_member(scene.home, role) for role in (Role.SECRETARY, Role.MANAGER)]
    assert [client_of(one).get(url(demand)).status_code for one in strangers] == [404] * 3
    assert Entry.objects.filter(why="Export FHIR de la demande").count() == 1
    assert url(demand) in client_of(scene.nurse).get(f"/liaison/{demand.pk}/").content.decode()


def test_it_takes_as_many_queries_with_three_of_each_as_with_one():
    scene = make_home()
    demand = taken(scene)
    browser, counts = client_of(scene.nurse), []
    for number in range(3):
        filing.add(actor=scene.nurse_actor, demand=demand, upload=upload("resultat.txt"), title="Biologie")
        notes.write(actor=scene.nurse_actor, demand=Request.objects.get(), text="Une note.")
        deciding.decide(actor=scene.doctor_actor, demand=demand, advice=Advice(code="maintien-o2", **ADVICE))
        signs = {"q-fg.fr": str(17 + number), "request_key": str(uuid4())}
        assert browser.post(f"/liaison/{demand.pk}/constantes/", signs).status_code == 302
        with CaptureQueriesContext(connection) as caught:
            assert browser.get(url(demand)).status_code == 200
        counts.append(len(caught))
    assert counts[0] == counts[2], counts


# The DLU and the transfer sheet


def address(scene):
    return f"/liaison/residents/{scene.resident.pk}/dlu/fhir.json"


def test_the_dlu_is_a_document_whose_sections_are_its_headings():
    """LOINC 74207-2; what must be known first stands first; words to read, the answers and the usual signs in each section."""
    scene = make_home()
    dlu = make_dlu(scene, allergies=["Pénicilline <i>: œdème"])
    found = read(scene.nurse, address(scene))
    composition, *_others = found.values()
    assert (composition["resourceType"], composition["type"]["coding"][0]["code"]) == ("Composition", "74207-2")
    assert composition["custodian"]["identifier"]["value"] == scene.home.finess
    author = found[composition["author"][0]["reference"]]
    assert author["practitioner"]["display"] == scene.nurse.user.full_name
    titles = [one["title"] for one in composition["section"]]
    assert titles[:4] == ["À savoir d’abord", "Contacts", "Volontés", "Santé"]
    kept = f"QuestionnaireResponse/{dlu.response_id}"
    assert all(one["entry"][0]["reference"] == kept for one in composition["section"])
    first = composition["section"][0]["text"]["div"]
    assert "Pénicilline &lt;i&gt;: œdème" in first
    assert "Pas de réanimation" in first
    signs = next(one for one in composition["section"] if one["title"] == "Constantes habituelles")
    codes = {found[one["reference"]]["code"]["coding"][0]["code"] for one in signs["entry"][1:]}
    assert codes == {"59408-5", "8480-6", "8462-4"}


def test_a_version_replaces_the_one_before_and_a_stale_one_says_so():
    scene = make_home()
    first = make_dlu(scene)
    make_dlu(scene, allergies=["Iode"])
    Dlu.objects.update(updated_at=timezone.now() - timedelta(days=200))
    composition, *_others = read(scene.nurse, address(scene)).values()
    assert composition["relatesTo"][0]["targetIdentifier"]["value"] == f"urn:uuid:{first.response_id}"
    assert "Plus de six mois" in composition["section"][0]["text"]["div"]


def test_files_joined_to_the_dlu_are_named_with_their_door():
    scene = make_home()
    browser = client_of(scene.nurse)
    scan = SimpleUploadedFile("ordonnance.pdf", make.pdf())
    assert browser.post(address(scene).replace("fhir.json", "modifier/"), {**posted_dlu(), "q-dlu.fichiers": scan}).url
    (joined,) = of(read(scene.nurse, address(scene)), "DocumentReference")
    door = joined["content"][0]["attachment"]["url"]
    assert browser.get(door[door.index("/liaison/") :]).status_code == 200


def test_who_reads_the_dlu_takes_it_out_with_a_trace_and_nobody_else():
    scene = make_home()
    assert client_of(scene.nurse).get(address(scene)).status_code == 404
    make_dlu(scene)
    assert client_of(scene.nurse).get(address(scene))["Content-Disposition"] == 'attachment; filename="dlu.json"'
    assert Entry.objects.filter(
        why="Export FHIR du DLU", patient_id=scene.resident.pk, user_id=scene.nurse.user_id
    ).exists()
    strangers = (make_practitioner(make_establishment("Ailleurs")), make_member(scene.home, Role.MANAGER))
    assert [client_of(one).get(address(scene)).status_code for one in strangers] == [404] * 2
    page = client_of(scene.nurse).get(f"/liaison/residents/{scene.resident.pk}/dlu/").content.decode()
    assert address(scene) in page


def test_the_two_sides_of_a_transfer_sheet_are_documents_of_their_own():
    """LOINC 78341-5 to the emergency department; 60280-5 back from it, once it is written."""
    scene = make_home()
    transfer = make_transfer(scene)
    front, back = (f"/liaison/transferts/{transfer.pk}/{end}fhir.json" for end in ("", "retour/"))
    composition, *_others = read(scene.nurse, front).values()
    assert composition["type"]["coding"][0]["code"] == "78341-5"
    assert "S’essouffle depuis une heure." in str(composition["section"])
    assert client_of(scene.nurse).get(back).status_code == 404
    HospitalTransfer.objects.update(back=transfer.front, returned_at=transfer.departed_at)
    composition, *_others = read(scene.nurse, back).values()
    assert composition["type"]["coding"][0]["code"] == "60280-5"
    page = client_of(scene.nurse).get(f"/liaison/transferts/{transfer.pk}/").content.decode()
    assert front in page
    assert back in page
    stranger = make_practitioner(make_establishment("Ailleurs"))
    assert [client_of(stranger).get(one).status_code for one in (front, back)] == [404] * 2
