"""A resident who moves or dies in mid-request: one identity, an owner at every moment, nothing asked in vain (issue 4 §5)."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from relais.accounts.models import Role
from relais.accounts.testing import actor_for, client_of, make_establishment, make_member, make_practitioner
from relais.audit.models import Entry
from relais.core.errors import NotFound, Refused
from relais.core.testing.pdfs import text_of
from relais.directory.models import Need
from relais.files.tests import make
from relais.liaison.actions import asking, deciding, filing, leaving, notes, watching
from relais.liaison.actions.deciding import Advice
from relais.liaison.models import Departure, HandOver, HospitalTransfer, Request
from relais.liaison.queries import lists
from relais.liaison.testing import make_dlu, make_home, make_request, make_transfer, taken
from relais.notifications.models import Message
from relais.oncall.testing import cover, join, make_service, make_slot
from relais.patients.models import Patient
from relais.patients.testing import make_patient

pytestmark = pytest.mark.django_db


def said(kind: str, **fields):
    now = timezone.localtime()
    return {"kind": kind, "day": f"{now:%Y-%m-%d}", "hour": f"{now:%H:%M}", "why": "Rapprochement familial", **fields}


def told(user):
    return list(Message.objects.filter(holder_id=user.pk).values_list("type", flat=True))


def reviewed(scene, demand):
    later = timezone.now() + timedelta(hours=4)
    advice = Advice("maintien-surveillance", "maximal", "Stable depuis midi.", "oui", review_at=later)
    deciding.decide(actor=scene.doctor_actor, demand=demand, advice=advice)
    return Request.objects.get(pk=demand.pk)


@pytest.fixture
def other():
    """Another nursing home with its nurse and an on-call of its own."""
    home = make_establishment("Résidence des Bleuets", kind="ehpad", department="92")
    service = make_service(Need.GERIATRIC, name="Astreinte des Bleuets", departments=["92"])
    doctor = make_practitioner(service.establishment, family_name="Bleu")
    join(service, doctor)
    now = timezone.now()
    for one in (service, make_service(Need.NIGHT, service.establishment, departments=["92"])):
        if one != service:
            join(one, doctor)
        make_slot(one, doctor, now - timedelta(days=1), now + timedelta(days=1))
    cover(home, service)
    return home, make_member(home, Role.CAREGIVER, family_name="Nouvelle"), doctor


@pytest.mark.req("FG-08")
def test_in_another_home_the_request_goes_on_with_its_doctor_and_each_home_keeps_its_own(other):
    home, nurse, _doctor = other
    scene = make_home()
    demand = taken(scene, spo2=90)
    filing.add(actor=scene.nurse_actor, demand=demand, upload=make.pdf(), title="Ordonnance")
    demand = reviewed(scene, demand)
    browser, url = client_of(scene.nurse), f"/liaison/{demand.pk}/depart/"
    asked = browser.post(url, said("home", place="bleuets"))
    assert (asked.status_code, str(home.pk) in asked.content.decode()) == (422, True)
    assert browser.post(url, said("home", place="bleuets", home=str(home.pk))).status_code == 302
    old, new = Request.objects.get(pk=demand.pk), Request.objects.get(establishment=home)
    assert (old.state, old.closing, old.responsible) == ("cloturee", "autre-ehpad", scene.doctor.user)
    assert (new.state, new.responsible, new.review_at) == ("a-reevaluer", scene.doctor.user, demand.review_at)
    assert (new.patient, new.dossier.origin, Patient.objects.count()) == (old.patient, old.dossier, 1)
    assert new.response.answers["fg.spo2"] == [90]
    page = client_of(nurse).get(f"/liaison/{new.pk}/").content.decode()
    for words in ("Stable depuis midi.", "Ordonnance", old.dossier.reference, "Rapprochement familial", "SpO2\u00a090"):
        assert words in page
    assert client_of(nurse).get(f"/liaison/{old.pk}/").status_code == 404
    assert browser.get(f"/liaison/{old.pk}/").status_code == 200
    assert browser.get(f"/liaison/{new.pk}/").status_code == 404
    assert client_of(scene.doctor).get(f"/liaison/{new.pk}/").status_code == 200
    assert "liaison.news" in told(scene.doctor.user)
    assert [row.demand for row in lists.home_rows(actor_for(nurse))] == [new]
    assert lists.residents(scene.nurse_actor) == []


def test_of_more_homes_of_a_name_than_one_chooses_from_one_reads_to_say_more():
    scene = make_home()
    demand = taken(scene)
    browser, url = client_of(scene.nurse), f"/liaison/{demand.pk}/depart/"
    homes = [make_establishment(f"Les Bleuets {number:02d}", kind="ehpad") for number in range(11)]
    page = browser.post(url, said("home", place="bleuets")).content.decode()
    assert ("Plus de 10 EHPAD" in page, str(homes[-1].pk) in page) == (True, False)
    page = browser.post(url, said("home", place="bleuets 10")).content.decode()
    assert ("Plus de 10 EHPAD" in page, str(homes[-1].pk) in page) == (False, True)


@pytest.mark.req("FG-05")
@pytest.mark.parametrize("upload", [make.pdf, make.grain])  # a picture is redrawn as it comes, and copied as it is
def test_a_document_of_another_resident_is_withdrawn_with_its_copy_where_the_request_goes_on(other, upload):
    home, nurse, _doctor = other
    scene = make_home()
    demand = taken(scene)
    document = filing.add(actor=scene.nurse_actor, demand=demand, upload=upload(), title="Ordonnance")
    moved = leaving.Leaving(timezone.now(), "Déménagement")
    made = leaving.go_to_home(actor=scene.nurse_actor, demand=demand, said=moved, home=home)
    copy = made.dossier.documents.get()
    assert client_of(nurse).get(f"/liaison/documents/{copy.pk}/").status_code == 200
    client_of(scene.doctor).post(f"/liaison/documents/{document.pk}/retirer/", {"why": "Autre résident"})
    assert client_of(nurse).get(f"/liaison/documents/{copy.pk}/").status_code == 404


def test_the_on_call_of_the_new_home_is_told_and_takes_part(other):
    home, _nurse, doctor = other
    scene = make_home()
    demand = make_request(scene)
    moved = leaving.Leaving(timezone.now(), "Déménagement")
    made = leaving.go_to_home(actor=scene.nurse_actor, demand=demand, said=moved, home=home)
    assert (made.state, made.responsible, made.asked_at) == ("soumise", scene.doctor.user, demand.asked_at)
    assert client_of(doctor).get(f"/liaison/{made.pk}/").status_code == 200
    assert "liaison.asked" in told(doctor.user)


def test_whoever_says_a_departure_reads_that_the_hospital_is_none_and_goes_to_the_transfer_sheet():
    """A resident who left « elsewhere » is on the home's list no more; one in hospital stays there."""
    scene = make_home()
    demand = taken(scene)
    page = client_of(scene.nurse).get(f"/liaison/{demand.pk}/depart/").content.decode()
    assert ("Pour l’hôpital, préparez plutôt un transfert" in page, "Hôpital, domicile" in page) == (True, False)
    sheet = f"/liaison/residents/{scene.resident.pk}/transfert/"
    assert (sheet in page, client_of(scene.nurse).get(sheet).status_code) == (True, 200)
    assert sheet not in client_of(scene.doctor).get(f"/liaison/{demand.pk}/depart/").content.decode()


def test_a_departure_out_of_the_platform_is_said_and_the_request_keeps_its_doctor():
    scene = make_home()
    demand = taken(scene)
    browser, url = client_of(scene.nurse), f"/liaison/{demand.pk}/depart/"
    assert browser.post(url, said("elsewhere")).status_code == 422
    assert browser.post(url, said("elsewhere", place="Chez sa fille, à Brest")).status_code == 302
    found = Request.objects.get()
    assert (found.state, found.responsible) == ("prise-en-charge", scene.doctor.user)
    assert "Chez sa fille" in client_of(scene.doctor).get(f"/liaison/{demand.pk}/").content.decode()
    assert told(scene.doctor.user) == ["liaison.asked", "liaison.news"]


@pytest.mark.req("FG-08")
def test_a_death_ends_what_was_planned_and_leaves_to_the_doctor_what_they_have_in_hand():
    scene = make_home()
    waiting = reviewed(scene, taken(scene))
    HandOver.objects.create(
        demand=waiting, leaving=scene.doctor.user, due_at=timezone.now(), situation="x", service=scene.service
    )
    asked = taken(scene)
    deciding.ask(actor=scene.doctor_actor, demand=asked, text="Diurèse ?")
    browser, url = client_of(scene.nurse), f"/liaison/{waiting.pk}/deces/"
    assert browser.post(f"/liaison/{waiting.pk}/depart/", said("died", place="Ici")).status_code == 422
    given = said("died", in_hospital="True")
    sure = browser.post(url, given).content.decode()
    for words in ("Enregistrer le décès de VASSEUR Odette ?", "rendez-vous de téléconsultation à venir", "relances"):
        assert words in sure
    assert 'name="in_hospital" value="True"' in sure
    assert browser.post(url, {**given, "change": "1"}).status_code == 200
    assert browser.post(url, {**given, "sure": "1", "why": ""}).status_code == 422
    assert (Patient.objects.get().deceased_on, Departure.objects.exists()) == (None, False)
    page = browser.post(url, {**given, "sure": "1"}, follow=True)
    assert "Plus aucune réévaluation" in page.content.decode()
    waiting.refresh_from_db()
    asked.refresh_from_db()
    assert (waiting.state, waiting.closing, waiting.review_at) == ("cloturee", "deces-hopital", None)
    assert (asked.state, asked.responsible) == ("prise-en-charge", scene.doctor.user)
    assert not HandOver.objects.filter(accepted_at=None, dropped_at=None).exists()
    assert Patient.objects.get().deceased_on == timezone.localdate()
    assert Entry.objects.filter(action="patient.death", patient_id=scene.resident.pk).count() == 1
    before = Message.objects.count()
    watching.watch(timezone.now() + timedelta(hours=5))
    assert Message.objects.filter(type="liaison.review").count() == 0
    assert Message.objects.count() == before


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"why": " "}, "raison"),
        ({"at": timedelta(hours=2)}, "Ce moment"),
        ({"at": timedelta(days=-40)}, "Ce moment"),
    ],
)
def test_a_departure_without_a_reason_or_at_an_impossible_moment_is_refused(changes, sentence):
    scene = make_home()
    demand = taken(scene)
    moved = leaving.Leaving(timezone.now() + changes.get("at", timedelta()), changes.get("why", "Hôpital"))
    with pytest.raises(Refused, match=sentence):
        leaving.go_elsewhere(actor=scene.nurse_actor, demand=demand, said=moved, place="Hôpital")
    here = leaving.Leaving(timezone.now(), "x")
    with pytest.raises(Refused, match="autre EHPAD"):
        leaving.go_to_home(actor=scene.nurse_actor, demand=demand, said=here, home=scene.home)
    assert not Departure.objects.exists()


def test_only_the_home_and_the_doctor_who_has_it_say_a_departure():
    scene = make_home()
    demand = taken(scene)
    for member in (scene.colleague, scene.regulator):
        for page in ("depart", "deces"):
            assert client_of(member).get(f"/liaison/{demand.pk}/{page}/").status_code == 404
    here = leaving.Leaving(timezone.now(), "x")
    with pytest.raises(NotFound):
        leaving.died(actor=make_home().nurse_actor, demand=demand, said=here, in_hospital=False)
    for member in (scene.nurse, scene.doctor):
        for page in ("depart", "deces"):
            assert client_of(member).get(f"/liaison/{demand.pk}/{page}/").status_code == 200


def test_what_was_asked_and_not_given_yet_is_the_first_that_the_new_home_reads(other):
    home, nurse, _doctor = other
    scene = make_home()
    demand = taken(scene)
    deciding.ask(actor=scene.doctor_actor, demand=demand, text="Poids de la veille ?")
    deciding.give(actor=scene.nurse_actor, demand=demand, text="62 kg")
    deciding.ask(actor=scene.doctor_actor, demand=demand, text="Diurèse ?\nEt la créatinine.")
    left = leaving.Leaving(timezone.now(), "x" * 300)
    made = leaving.go_to_home(actor=scene.nurse_actor, demand=demand, said=left, home=home)
    assert (made.state, made.notes.get().text.splitlines()[1:3]) == (
        "complement", ["Complément demandé : Diurèse ?", "Et la créatinine."],
    )  # fmt: skip
    page = client_of(nurse).get(f"/liaison/{made.pk}/").content.decode()
    assert ("Diurèse ?" in page, "Poids de la veille" in page) == (True, False)
    deciding.give(actor=actor_for(nurse), demand=made, text="900 mL")
    assert Request.objects.get(pk=made.pk).state == "prise-en-charge"
    back = leaving.go_to_home(actor=actor_for(nurse), demand=made, said=left, home=scene.home)
    assert "Complément demandé" not in back.notes.get().text


def writes(member, patient, sheet):
    """What they may open to write: DLU, a new transfer sheet, the one there is, the return."""
    there, that = f"/liaison/residents/{patient.pk}", f"/liaison/transferts/{sheet.pk}"
    pages = (f"{there}/dlu/modifier/", f"{there}/transfert/", f"{that}/modifier/", f"{that}/retour/")
    return [client_of(member).get(page).status_code == 200 for page in pages]


@pytest.mark.req("FG-05")
def test_the_home_that_a_resident_left_for_another_writes_about_them_no_more_until_they_come_back(other):
    home, nurse, _doctor = other
    scene = make_home()
    demand, left = taken(scene), leaving.Leaving(timezone.now(), "Rapprochement")
    make_dlu(scene)
    sheet = make_transfer(scene)
    assert writes(scene.nurse, scene.resident, sheet) == [True] * 4
    leaving.go_to_home(actor=scene.nurse_actor, demand=demand, said=left, home=home)
    asking.start(actor=scene.nurse_actor, patient=scene.resident)  # a draft brings nobody back
    assert writes(scene.nurse, scene.resident, sheet) == [False] * 4
    for write in (make_dlu, make_transfer):
        with pytest.raises(NotFound):
            write(scene)
    assert writes(nurse, scene.resident, sheet)[:2] == [True, True]
    make_request(scene)
    assert writes(scene.nurse, scene.resident, sheet) == [True] * 4


@pytest.mark.req("FG-05")
def test_the_home_that_a_resident_left_for_another_reads_nothing_that_was_written_since(other):
    home, nurse, _doctor = other
    scene = make_home()
    patient, moved = scene.resident, leaving.Leaving(timezone.now(), "Rapprochement")
    demand, old = taken(scene), make_dlu(scene, allergies=["Latex"])
    first, sheet = old.response_id, make_transfer(scene)
    new = leaving.go_to_home(actor=scene.nurse_actor, demand=demand, said=moved, home=home)
    there = replace(scene, home=home, nurse=nurse)
    notes.write(actor=scene.doctor_actor, demand=new, text="Oxygène à 2 L/min.")
    changed, later = make_dlu(there, allergies=["Arachide"]), make_transfer(there, destination=["Clinique du Pin"])
    at = timezone.localtime()
    back = {
        "q-rt.jour": f"{at:%Y-%m-%d}", "q-rt.heure": f"{at:%H:%M}", "q-rt.service": "Urgences", "q-rt.ttt": "inchange",
        "q-rt.diagnostic": "Fracture.", "q-rt.prevenus": "famille", "request_key": str(uuid4()),
    }  # fmt: skip
    assert client_of(nurse).post(f"/liaison/transferts/{sheet.pk}/retour/", back).status_code == 302
    base, its = f"/liaison/residents/{patient.pk}/", f"/liaison/transferts/{sheet.pk}/"
    pages = (base, f"{base}dlu/", f"{base}dlu/fhir.json", its, f"/liaison/{demand.pk}/")
    hidden = (
        f"{base}dlu/versions/{changed.response_id}/",
        f"/liaison/transferts/{later.pk}/",
        f"{its}retour/fhir.json",
    )

    def read(member):
        browser = client_of(member)
        seen = "".join(browser.get(page).content.decode() for page in pages if page != pages[-1] or member != nurse)
        said = [words in seen for words in ("Latex", "Oxygène à 2 L/min.", "Arachide", "Clinique du Pin", "Fracture.")]
        printed = [text_of(browser.get(page).content) for page in (f"{base}dlu/pdf/", f"{its}pdf/")]
        return said, ["Arachide" in one for one in printed], [browser.get(page).status_code for page in hidden]

    assert read(scene.nurse) == ([True, False, False, False, False], [False, False], [404, 404, 404])
    assert client_of(scene.nurse).get(f"{base}dlu/versions/{first}/").status_code == 200
    assert read(nurse) == ([False, True, True, True, True], [True, True], [200, 200, 200])
    make_request(scene)
    assert read(scene.nurse) == ([False, True, True, True, True], [True, True], [200, 200, 200]), "they came back"


@pytest.mark.req("FG-05")
def test_of_a_resident_who_left_for_elsewhere_the_home_writes_the_return_alone_and_then_all_again():
    scene = make_home()
    demand, now = taken(scene), timezone.now()
    sheet = make_transfer(scene)
    left = leaving.Leaving(now - timedelta(hours=1), "Hospitalisation")
    leaving.go_elsewhere(actor=scene.nurse_actor, demand=demand, said=left, place="Hôpital")
    assert writes(scene.nurse, scene.resident, sheet) == [False, False, False, True]
    returned = {"departed_at": now - timedelta(hours=2), "back_id": sheet.front_id}
    HospitalTransfer.objects.update(returned_at=now - timedelta(minutes=90), **returned)
    assert writes(scene.nurse, scene.resident, sheet)[0] is False, "a return from before"
    HospitalTransfer.objects.update(returned_at=now, **returned)
    assert writes(scene.nurse, scene.resident, sheet)[:2] == [True, True]


def test_the_home_where_a_resident_died_still_corrects_their_last_sheet():
    scene = make_home()
    demand, sheet = taken(scene), make_transfer(scene)
    said_of = leaving.Leaving(timezone.now(), "Arrêt cardiaque")
    leaving.died(actor=scene.nurse_actor, demand=demand, said=said_of, in_hospital=True)
    assert writes(scene.nurse, scene.resident, sheet)[2] is True
    with pytest.raises(Refused, match="décédé"):
        make_dlu(scene)


def test_a_resident_who_comes_back_is_on_the_list_again(other):
    scene = make_home()
    away = leaving.Leaving(timezone.now(), "Hospitalisation")
    leaving.go_to_home(actor=scene.nurse_actor, demand=taken(scene), said=away, home=other[0])
    stays = make_patient(seen_by=scene.home)
    assert lists.residents(scene.nurse_actor) == [stays]
    make_request(scene)
    assert set(lists.residents(scene.nurse_actor)) == {scene.resident, stays}


def test_a_resident_who_returns_from_hospital_is_on_the_list_again():
    scene = make_home()
    sheet = make_transfer(scene)
    away = leaving.Leaving(timezone.now() - timedelta(hours=3), "Hospitalisation")
    leaving.go_elsewhere(actor=scene.nurse_actor, demand=taken(scene), said=away, place="Hôpital du Noyer")
    assert lists.residents(scene.nurse_actor) == []
    for returned, listed in ((away.at - timedelta(hours=1), []), (timezone.now(), [scene.resident])):
        HospitalTransfer.objects.filter(pk=sheet.pk).update(
            departed_at=away.at - timedelta(hours=2), returned_at=returned, back=sheet.front
        )
        assert lists.residents(scene.nurse_actor) == listed
