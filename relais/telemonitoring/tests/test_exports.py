"""What leaves: CSV of a cell, FHIR and a printed summary of one follow-up; and what the care circle reads (TS-14)."""

import csv
import io
from datetime import timedelta

import pytest
from django.utils import timezone
from fhir.resources.R4B.bundle import Bundle

from relais.accounts.models import Role
from relais.accounts.testing import actor_for, client_of, make_establishment, make_member, make_practitioner
from relais.audit.models import Entry
from relais.core import pdf
from relais.core.testing.pdfs import text_of
from relais.patients.models import CareLink
from relais.patients.testing import make_patient
from relais.questionnaires.actions import Who
from relais.telemonitoring.actions import alerts
from relais.telemonitoring.models import Alert, FollowUp
from relais.telemonitoring.queries import exports
from relais.telemonitoring.queries import summary as summaries
from relais.telemonitoring.testing import join, make_follow_up, reply

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene():
    found = make_follow_up(equipment=["oxymetre"], factors=["rf.diabete"])
    reply(found, temp=38.2, spo2=96, at=timezone.now() - timedelta(hours=20))
    reply(found, levres=True, note="=HYPERLINK(1)")
    return found


def url(scene, end):
    return f"/suivi/{scene.follow_up.pk}/{end}"


def of_cell(scene, name):
    return f"/suivi/cellules/{scene.cell.pk}/{name}.csv"


def read(response):
    text = b"".join(response.streaming_content).decode()
    assert text.startswith("\N{ZERO WIDTH NO-BREAK SPACE}Dossier;Nom;")
    return list(csv.DictReader(io.StringIO(text[1:]), delimiter=";"))


@pytest.mark.req("EC-05")
def test_the_follow_ups_of_a_cell_leave_as_csv(scene, monkeypatch):
    """Some at a time: the same lines whatever is read together, and a trace of each part with its ids."""
    monkeypatch.setattr(exports, "SOME", 1)
    make_follow_up(cell=scene.cell, member=scene.member, patient=make_patient("=cmd|calc"))
    make_follow_up()
    response = client_of(scene.member).get(of_cell(scene, "suivis"))
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"].startswith('attachment; filename="suivis-')
    lines = {line["Dossier"]: line for line in read(response)}
    assert len(lines) == 2
    mine = lines[scene.follow_up.dossier.reference]
    assert (mine["Facteurs"], mine["Niveau"], mine["Réponses"], mine["Alertes"]) == ("Diabète", "rouge", "2", "1")
    assert {line["Nom"] for line in lines.values()} == {scene.patient.family_name, "'=cmd|calc"}
    traced = Entry.objects.filter(action="telemonitoring.export")
    assert sorted(one for each in traced.filter(about=None) for one in each.ids) == sorted(
        FollowUp.objects.filter(cell=scene.cell).values_list("pk", flat=True)
    )
    assert traced.get(about=scene.cell.pk).why == "Export CSV : suivis"


def test_the_answers_of_a_cell_leave_as_csv_and_no_formula_with_them(scene):
    lines = read(client_of(scene.member).get(of_cell(scene, "reponses")))
    first, second = lines
    temperature = next(head for head in first if head.endswith("(ad.temp)"))
    note = next(head for head in first if head.endswith("(ad.note)"))
    assert (first[temperature], second[temperature]) == ("38,2", "36,8")
    assert (first["Niveau"], second["Niveau"], second["Règles"]) == ("vert", "rouge", "AR11")
    assert second[note] == "'=HYPERLINK(1)"
    assert first["Répondu par"] == "Le patient"
    assert not [head for head in first if "(ctx." in head]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("=1+1", "'=1+1"), (" @x", "' @x"), ("+33", "'+33"), ("-2", "'-2"), ("\tx", "'\tx"), ("＝1", "'＝1"),
        ("a=1", "a=1"), (None, ""), (True, "oui"), (36.8, "36,8"), (40.0, "40"), ([{"text": "=1"}, "b"], "'=1 | b"),
    ],
)  # fmt: skip
def test_a_cell_is_never_a_formula(value, written):
    assert exports.cell_of(value) == written


def test_a_part_whose_trace_cannot_be_written_does_not_leave(scene, monkeypatch):
    def fail(**_more):
        raise RuntimeError

    response = client_of(scene.member).get(of_cell(scene, "reponses"))
    monkeypatch.setattr("relais.audit.actions.record_list", fail)
    blocks = iter(response.streaming_content)
    assert b"38,2" not in next(blocks)
    with pytest.raises(RuntimeError):
        next(blocks)


def test_who_may_export_a_cell(scene):
    """A practitioner of the cell; not a nurse of it, nor a colleague of the establishment."""
    nurse = make_member(scene.cell.establishment, Role.CAREGIVER)
    join(scene.cell, nurse)
    refused = (nurse, make_practitioner(scene.cell.establishment), make_practitioner(make_establishment("Ailleurs")))
    for name in ("suivis", "reponses"):
        assert [client_of(one).get(of_cell(scene, name)).status_code for one in refused] == [404] * 3
    link = of_cell(scene, "reponses")
    assert link in client_of(scene.member).get("/suivi/").content.decode()
    assert link not in client_of(nurse).get("/suivi/").content.decode()


@pytest.mark.req("EC-03")
def test_one_follow_up_leaves_as_fhir(scene):
    """fhir.resources reads it; what is named inside is inside; a professional is named by RPPS."""
    reply(
        scene, actor=actor_for(scene.member), temp=37.9,
        who=Who(relation="professionnel-cellule", reason="appel-telephonique"),
    )  # fmt: skip
    response = client_of(scene.member).get(url(scene, "fhir.json"))
    assert response["Content-Type"] == "application/fhir+json"
    given = response.json()
    Bundle.model_validate(given)
    resources = [one["resource"] for one in given["entry"]]
    kinds = [one["resourceType"] for one in resources]
    assert kinds.count("Patient") == 1
    assert kinds.count("QuestionnaireResponse") == 3
    codes = {one["code"]["coding"][0]["code"] for one in resources if one["resourceType"] == "Observation"}
    assert codes == {"8310-5", "59408-5"}
    here = {one["fullUrl"].split("/fhir/")[1] for one in given["entry"]}
    for one in resources:
        named = [one.get("subject", {}).get("reference"), *(each["reference"] for each in one.get("derivedFrom", []))]
        assert {each for each in named if each} <= here
    last = [one for one in resources if one["resourceType"] == "QuestionnaireResponse"][-1]
    assert last["author"]["identifier"]["value"] == scene.member.user.rpps
    assert Entry.objects.filter(about=scene.follow_up.pk, why="Export FHIR du suivi").exists()


def test_only_a_qualified_ins_leaves(scene):
    scene.patient.ins, scene.patient.ins_oid = "185057800608491", "1.2.250.1.213.1.4.10"
    for status, systems in (("VALI", 1), ("QUAL", 2)):
        scene.patient.identity_status = status
        scene.patient.save(update_fields=["ins", "ins_oid", "identity_status"])
        given = client_of(scene.member).get(url(scene, "fhir.json")).json()
        assert len(given["entry"][0]["resource"]["identifier"]) == systems


@pytest.mark.req("EC-07")
def test_the_summary_for_the_hospital_is_a_pdf_with_what_it_needs(scene, monkeypatch):
    me = actor_for(scene.member)
    alert = alerts.call(actor=me, alert=alerts.take(actor=me, alert=Alert.objects.get()))
    alerts.note_call(actor=me, alert=alert, outcome="repondeur")
    told = {}
    really = pdf.render

    def render(template, data, **more):
        told.update(data)
        return really(template, data, **more)

    monkeypatch.setattr(pdf, "render", render)
    response = client_of(scene.member).get(url(scene, "synthese.pdf"))
    assert (response["Content-Type"], response.content[:5]) == ("application/pdf", b"%PDF-")
    assert told["patient"]["name"] == scene.patient.full_name
    assert told["factors"] == ["Diabète"]
    assert told["answers"][0]["level"] == "Rouge"
    assert told["answers"][0]["reasons"] == "Lèvres ou doigts bleus, marbrures"
    assert [one["title"] for one in told["curves"]] == [
        "Température",
        "Saturation en oxygène",
        "Essoufflement, de 0 à 4",
    ]
    assert (told["alerts"][0]["state"], told["calls"][0]["outcome"]) == ("Non joint", "Répondeur")
    assert told["contacts"][0][1].startswith("06 39 98")
    assert told["note"][0][1] == "=HYPERLINK(1)"
    assert "non approuvées par un clinicien" in told["rules"]
    assert Entry.objects.filter(about=scene.follow_up.pk, why="Synthèse imprimée du suivi").exists()


def test_a_summary_without_an_answer_is_printed_too():
    scene = make_follow_up()
    assert client_of(scene.member).get(url(scene, "synthese.pdf")).content[:5] == b"%PDF-"


def test_who_reads_a_follow_up_takes_it_out_and_nobody_else(scene):
    reads = client_of(make_member(scene.cell.establishment, Role.CAREGIVER))
    for browser, status in (
        (reads, 200),
        (client_of(make_member(scene.cell.establishment, Role.SECRETARY)), 404),
        (client_of(make_practitioner(make_establishment("Ailleurs"))), 404),
    ):
        assert [browser.get(url(scene, end)).status_code for end in ("fhir.json", "synthese.pdf")] == [status] * 2


# The care circle


@pytest.mark.req("TS-14")
@pytest.mark.parametrize("of", ["establishment", "person"])
def test_the_care_circle_reads_the_follow_up_and_changes_nothing(scene, of):
    """Who holds a care link of basis *circle*, or whose establishment does: each reading leaves a trace."""
    family_doctor = make_practitioner(make_establishment("Cabinet des Lilas"))
    browser = client_of(family_doctor)
    assert browser.get(url(scene, "")).status_code == 404
    holder = {"establishment_id": family_doctor.establishment_id} if of == "establishment" else {}
    holder = holder or {"user_id": family_doctor.user_id}
    link = CareLink.objects.create(patient=scene.patient, basis="circle", **holder)
    assert url(scene, "") in browser.get(f"/patients/{scene.patient.pk}/").content.decode()
    page = browser.get(url(scene, ""))
    assert page.status_code == 200
    text = page.content.decode()
    assert "Lèvres ou doigts bleus, marbrures" in text
    for button in ("Prendre en charge", "Répondre à la place", "Clôturer le suivi", "Patient hospitalisé"):
        assert button not in text, button
    last = scene.follow_up.judgements.first().response_id
    assert browser.get(url(scene, f"reponses/{last}/")).status_code == 200
    assert Entry.objects.filter(about=scene.follow_up.pk, user_id=family_doctor.user_id).count() >= 2
    for end in ("alerte/take/", "alerte/finish/", "pause/", "extend/", "close/", "appel/", "repondre/"):
        assert browser.post(url(scene, end), {"why": "guerison"}).status_code in (404, 422), end
    assert (Alert.objects.get().state, FollowUp.objects.get().state) == ("new", "active")
    assert browser.get(of_cell(scene, "suivis")).status_code == 404
    link.until = timezone.now() - timedelta(minutes=1)
    link.save()
    assert browser.get(url(scene, "")).status_code == 404


@pytest.mark.req("TS-14")
def test_another_basis_or_role_or_patient_is_no_circle(scene):
    place = make_establishment("Cabinet des Lilas")
    doctor, secretary = make_practitioner(place), make_member(place, Role.SECRETARY)
    episode = CareLink.objects.create(patient=scene.patient, basis="episode", establishment_id=place.pk)
    assert client_of(doctor).get(url(scene, "")).status_code == 404
    episode.delete()
    CareLink.objects.create(patient=make_patient("Autre"), basis="circle", establishment_id=place.pk)
    assert client_of(doctor).get(url(scene, "")).status_code == 404
    CareLink.objects.create(patient=scene.patient, basis="circle", establishment_id=place.pk)
    assert client_of(secretary).get(url(scene, "")).status_code == 404
    assert url(scene, "") not in client_of(secretary).get(f"/patients/{scene.patient.pk}/").content.decode()
    assert client_of(doctor).get(url(scene, "")).status_code == 200


def test_summary_data_holds_no_identifier_of_ours(scene):
    found = FollowUp.objects.select_related("cell__rules", "cell__establishment", "dossier__patient").get()
    data = summaries.summary(found, phones=[], by="Dr Claire Martin", at=timezone.now())
    assert str(scene.follow_up.pk) not in str(data)


def test_a_character_that_cannot_be_printed_keeps_no_summary_from_leaving_for_the_hospital(scene):
    reply(scene, levres=True, note="Mal 😀")
    response = client_of(scene.member).get(url(scene, "synthese.pdf"))
    assert "□ : caractère qui ne s’imprime pas" in text_of(response.content)
