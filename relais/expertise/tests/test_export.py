"""A tele-expertise leaves as FHIR: the request, its answers, what was joined and said (standards.md §1.3)."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from relais.accounts.models import Role
from relais.accounts.testing import actor_for, client_of, make_establishment, make_member, make_practitioner
from relais.audit.models import Entry
from relais.dossiers import actions as dossiers
from relais.dossiers.testing import of, read_bundle
from relais.expertise.actions import answering, keeping
from relais.expertise.models import Expertise
from relais.expertise.testing import make_asked, make_pool, make_response, opinion_page
from relais.expertise.workflow import State
from relais.files import actions as files

pytestmark = pytest.mark.django_db


def url(scene):
    return f"/expertise/{scene.asked.pk}/fhir.json"


def read(who, scene):
    return read_bundle(client_of(who).get(url(scene)))


def attach(scene, title):
    file = files.store(actor=scene.asker, upload=b"Une ligne de texte.\n", name="document.txt")
    return dossiers.add_document(actor=scene.asker, dossier=scene.asked.dossier, file=file, kind="other", title=title)


def test_a_request_leaves_as_the_french_pattern_has_it():
    """Proposal, date, who asks and who answers by RPPS and FINESS, the offer of the directory that is asked."""
    scene = make_asked(state="prise-en-charge")
    found = read(scene.requester, scene)
    (demand,) = of(found, "ServiceRequest")
    assert (demand["intent"], demand["priority"]) == ("proposal", "asap")
    assert demand["authoredOn"].startswith(timezone.localtime(scene.asked.sent_at).isoformat()[:19])
    requester, performer = found[demand["requester"]["reference"]], found[demand["performer"][0]["reference"]]
    assert requester["resourceType"] == performer["resourceType"] == "PractitionerRole"
    assert requester["practitioner"]["identifier"]["value"] == scene.requester.user.rpps
    assert requester["organization"]["identifier"]["value"] == scene.requester.establishment.finess
    assert performer["practitioner"]["identifier"]["value"] == scene.expert.user.rpps
    assert [one["reference"] for one in demand["supportingInfo"]] == [f"HealthcareService/{scene.service.pk}"]
    assert demand["subject"]["reference"] == f"Patient/{scene.patient.pk}"
    assert demand["reasonCode"][0]["coding"][0]["code"] == "conduite-a-tenir"
    assert not {"note", "patientInstruction", "reasonReference"} & set(demand)


STANDINGS = [
    ("brouillon", "draft", None),
    ("envoyee", "active", "publiee"),
    ("reorientee", "active", "publiee"),
    ("prise-en-charge", "active", "en-cours"),
    ("complement-demande", "active", "en-cours"),
    ("complement-fourni", "active", "en-cours"),
    ("convertie-visio", "active", "en-cours"),
    ("repondue", "completed", None),
    ("convertie-admission", "completed", None),
    ("cloturee", "completed", None),
    ("refusee", "revoked", None),
    ("annulee", "revoked", None),
]


def test_every_state_has_a_standing():
    assert sorted(state for state, _status, _split in STANDINGS) == sorted(State.values)


@pytest.mark.parametrize(("state", "status", "split"), STANDINGS)
def test_each_state_is_a_status_and_its_reason(state, status, split):
    """domain.md §2.1: what is active is published or in hand; the state itself is the reason of the status."""
    scene = make_asked(state=state)
    (demand,) = of(read(scene.requester, scene), "ServiceRequest")
    said = {one["url"]: one for one in demand["extension"]}
    reason = said["http://hl7.org/fhir/StructureDefinition/request-statusReason"]["valueCodeableConcept"]
    assert (demand["status"], reason["coding"][0]["code"]) == (status, state)
    assert said.get("urn:relais:statut-actif", {}).get("valueCode") == split


@pytest.mark.parametrize(
    ("fields", "status", "text"),
    [
        ({"state": "refusee", "refusal_note": "Voir le CHU."}, "revoked", "Hors compétence : Voir le CHU."),
        ({"state": "annulee", "cancel_reason": "Hospitalisée."}, "revoked", "Hospitalisée."),
        ({"state": "cloturee", "recourse": "evite"}, "completed", "Recours à l’hôpital évité"),
        ({"state": "cloturee", "refusal": "doublon", "answered_at": None}, "revoked", "Doublon"),
    ],
)
def test_why_it_ended_is_said(fields, status, text):
    scene = make_asked(**fields)
    (demand,) = of(read(scene.requester, scene), "ServiceRequest")
    assert demand["status"] == status
    assert demand["extension"][0]["valueCodeableConcept"]["text"] == text


def test_nobody_has_taken_it_yet_the_role_that_is_asked_has_no_name():
    scene = make_asked()
    found = read(scene.expert, scene)
    (demand,) = of(found, "ServiceRequest")
    role = found[demand["performer"][0]["reference"]]
    assert "practitioner" not in role
    assert role["organization"]["identifier"]["value"] == scene.service.establishment.finess


def test_answers_complements_documents_and_both_opinions_leave_with_it():
    """Each named as what it is: signed opinions by LOINC 85208-7, the second appended to the first, joined documents by 75496-0."""
    scene = make_asked(state="prise-en-charge")
    joined = attach(scene, "Photographie de la plaie")
    answering.ask_complement(actor=scene.doctor, asked=scene.again(), text="Quelle tension ?")
    answering.give_complement(actor=scene.asker, asked=scene.again(), text="Douze sur huit.")
    first = answering.answer(actor=scene.doctor, asked=scene.again(), page=opinion_page())
    other = make_practitioner(make_establishment("CHU des Frênes"), family_name="Second")
    pool = make_pool(other)
    answering.second_opinion(actor=scene.asker, asked=scene.again(), service_id=pool.pk)
    answering.take(actor=actor_for(other), asked=scene.again())
    second = answering.answer(actor=actor_for(other), asked=scene.again(), page=opinion_page())
    found = read(scene.requester, scene)
    (demand,) = of(found, "ServiceRequest")
    about = f"ServiceRequest/{demand['id']}"
    names = [found[one["reference"]]["practitioner"]["display"] for one in demand["performer"]]
    assert names == [other.user.full_name, scene.expert.user.full_name]
    responses = of(found, "QuestionnaireResponse")
    assert {one["id"] for one in responses} == {
        str(pk) for pk in (scene.asked.response_id, first.response_id, second.response_id)
    }
    assert {one["basedOn"][0]["reference"] for one in responses} == {about}
    reports = [one for one in of(found, "DocumentReference") if "coding" in one["type"]]
    assert [one["type"]["coding"][0]["code"] for one in reports] == ["85208-7", "85208-7"]
    assert reports[0]["content"][0]["attachment"]["contentType"] == "application/pdf"
    assert found[reports[0]["authenticator"]["reference"]]["practitioner"]["identifier"]["value"] == first.rpps
    assert reports[1]["relatesTo"] == [
        {"code": "appends", "target": {"reference": f"DocumentReference/{reports[0]['id']}"}}
    ]
    given = found[f"DocumentReference/{joined.pk}"]
    assert (given["description"], given["category"][0]["coding"][0]["code"]) == (joined.title, "75496-0")
    assert given["identifier"][0]["value"] == f"urn:uuid:{joined.file_id}"
    address = given["content"][0]["attachment"]["url"]
    assert client_of(scene.requester).get(address[address.index("/expertise/") :]).status_code == 200
    asked, answered = of(found, "Communication")
    assert [one["payload"][0]["contentString"] for one in (asked, answered)] == ["Quelle tension ?", "Douze sur huit."]
    assert answered["inResponseTo"] == [{"reference": f"Communication/{asked['id']}"}]


def test_vital_signs_of_the_form_are_observations():
    scene = make_asked()
    answers = {"tg.spo2": [88], "tg.temp": [38.4]}
    response = make_response(scene.asked.dossier, scene.requester, **answers)
    Expertise.objects.update(response=response)
    found = of(read(scene.requester, scene), "Observation")
    assert {(one["code"]["coding"][0]["code"], one["valueQuantity"]["value"]) for one in found} == {
        ("59408-5", 88), ("8310-5", 38.4),
    }  # fmt: skip


def test_a_withdrawn_document_and_the_answers_of_a_draft_stay():
    scene = make_asked(state="prise-en-charge")
    wrong = attach(scene, "Autre patient")
    keeping.withdraw(actor=scene.asker, asked=scene.again(), document=wrong, why="Autre patient")
    assert of(read(scene.requester, scene), "DocumentReference") == []
    draft = make_asked(state="brouillon", draft={"tg.question": ["Kystoperinex"]})
    assert "Kystoperinex" not in str(read(draft.requester, draft))


def test_who_reads_a_request_takes_it_out_with_a_trace_and_nobody_else():
    scene = make_asked(state="prise-en-charge")
    answer = client_of(scene.expert).get(url(scene))
    assert (answer["Content-Type"], answer["Cache-Control"]) == ("application/fhir+json", "no-store")
    assert answer["Content-Disposition"] == f'attachment; filename="{scene.asked.dossier.reference}.json"'
    traced = Entry.objects.get(why="Export FHIR de la télé-expertise")
    assert (traced.about, traced.user_id, traced.patient_id) == (scene.asked.pk, scene.expert.user_id, scene.patient.pk)
    place = scene.requester.establishment
    stranger = make_practitioner(make_establishment("Ailleurs"))
    for who in (stranger, make_member(place, Role.SECRETARY), make_member(place, Role.MANAGER)):
        assert client_of(who).get(url(scene)).status_code == 404
    assert Entry.objects.filter(why="Export FHIR de la télé-expertise").count() == 1
    assert url(scene) in client_of(scene.requester).get(f"/expertise/{scene.asked.pk}/").content.decode()


def test_it_takes_as_many_queries_with_three_documents_and_notes_as_with_one():
    scene = make_asked(state="prise-en-charge")
    browser, counts = client_of(scene.requester), []
    for _time in range(3):
        attach(scene, "Courrier")
        keeping.add_note(actor=scene.asker, asked=scene.again(), text="Une note.")
        with CaptureQueriesContext(connection) as caught:
            assert browser.get(url(scene)).status_code == 200
        counts.append(len(caught))
    assert counts[0] == counts[2], counts
