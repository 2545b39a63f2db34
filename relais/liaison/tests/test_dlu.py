"""The DLU of a resident, a living document, and its transfer sheet (FG-05, domain.md §3.5); the shared record (FG-02)."""

import random
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.db.utils import ProgrammingError
from django.utils import timezone

from relais.accounts.models import Role
from relais.accounts.testing import actor_for, client_of, make_establishment, make_member, make_practitioner
from relais.audit.models import Entry
from relais.core.errors import Refused
from relais.core.paris import PARIS
from relais.core.testing import pdfs
from relais.directory.models import Need
from relais.files.tests import make
from relais.liaison.actions import asking, deciding, notes, owning
from relais.liaison.actions.deciding import Advice
from relais.liaison.demo.dlu import draw
from relais.liaison.models import Dlu, HospitalTransfer, Request
from relais.liaison.queries import dlu as queries
from relais.liaison.testing import DLU, make_dlu, make_home, make_request, posted_dlu, posted_front, taken
from relais.oncall.testing import join, make_service, make_slot
from relais.questionnaires import logic
from relais.questionnaires.models import Response
from relais.questionnaires.testing import form

pytestmark = pytest.mark.django_db


def away() -> Advice:
    later = timezone.now() + timedelta(hours=2)
    return Advice("urgences-via-samu", "pas-de-rea", "Détresse respiratoire.", "oui", review_at=later)


def address(scene: Any) -> str:
    return f"/liaison/residents/{scene.resident.pk}/dlu/"


def text_of(page: Any) -> str:
    return str(page.content.decode())


@pytest.mark.req("FG-05")
def test_what_is_shared_with_the_request_and_shown_in_short_is_asked():
    asked = set(form("liaison", "filgeria-dlu").by_id)
    assert set(queries.SHARED.values()) | {name for name, _label in queries.SIGNS} <= asked


@pytest.mark.req("FG-05")
def test_the_home_writes_it_the_next_version_is_prefilled_and_the_earlier_one_stays_readable():
    scene = make_home()
    nurse, url = client_of(scene.nurse), address(scene)
    assert "Aucun DLU pour ce résident" in text_of(nurse.get(url))
    assert nurse.post(f"{url}modifier/", posted_dlu()).url == url
    first = Dlu.objects.get()
    colleague = make_member(scene.home, Role.PRACTITIONER, family_name="Medco")
    browser = client_of(colleague)
    page = text_of(browser.get(f"{url}modifier/"))
    assert "Pénicilline : œdème" in page
    assert browser.post(f"{url}modifier/", posted_dlu(base=first.response_id, allergies=["Iode"])).url == url
    found = Dlu.objects.get()
    assert (found.by, found.response.replaces, Response.objects.count()) == (colleague.user, first.response, 2)
    page = text_of(nurse.get(url))
    for words in ("Iode", "Change : Allergies et intolérances", scene.nurse.user.full_name, "Medco"):
        assert words in page
    old = text_of(nurse.get(f"{url}versions/{first.response_id}/"))
    assert "Pénicilline : œdème" in old
    assert "Version antérieure" in old
    with pytest.raises(ProgrammingError, match="append_only"), transaction.atomic():
        Response.objects.filter(pk=first.response_id).update(answers={})


@pytest.mark.req("FG-05")
def test_the_same_page_sent_twice_is_one_version_and_what_is_missing_is_said():
    scene = make_home()
    nurse, url = client_of(scene.nurse), f"{address(scene)}modifier/"
    said = posted_dlu()
    assert [nurse.post(url, said).status_code for _one in range(2)] == [302, 302]
    assert Response.objects.count() == 1
    page = nurse.post(url, posted_dlu(base=Dlu.objects.get().response_id, allergies=None, problemes=["Chutes."]))
    assert page.status_code == 422
    assert "Chutes." in text_of(page)
    assert Response.objects.count() == 1


@pytest.mark.req("FG-05")
def test_two_who_write_at_once_lose_nothing_the_second_reads_what_the_first_changed():
    scene = make_home()
    first = make_dlu(scene)
    nurse, url = client_of(scene.nurse), f"{address(scene)}modifier/"
    make_dlu(scene, allergies=["Iode"])
    page = nurse.post(url, posted_dlu(base=first.response_id, problemes=["Chutes à répétition."]))
    text = text_of(page)
    assert page.status_code == 422
    for words in ("a enregistré une version à", "Chutes à répétition.", "Allergies et intolérances</b> : Iode"):
        assert words in text
    assert Response.objects.filter(about=first.pk).count() == 2
    again = posted_dlu(base=Dlu.objects.get().response_id, problemes=["Chutes à répétition."], allergies=["Iode"])
    assert nurse.post(url, again).status_code == 302
    assert Dlu.objects.get().response.answers["dlu.allergies"] == ["Iode"]


@pytest.mark.req("FG-05")
def test_the_doctor_at_night_reads_it_from_the_request_and_outsiders_do_not():
    scene = make_home()
    make_dlu(scene)
    demand = make_request(scene)
    night = client_of(scene.doctor)
    page = text_of(night.get(f"/liaison/{demand.pk}/"))
    for words in ("Pénicilline : œdème", "SpO2 93 %", "Anticoagulant, Insuline", address(scene), "À jour"):
        assert words in page
    whole = night.get(address(scene))
    assert (whole.status_code, "Bisoprolol" in text_of(whole)) == (200, True)
    assert Entry.objects.filter(action="dlu.read", patient_id=scene.resident.pk).exists()
    assert night.get(f"{address(scene)}modifier/").status_code == 404
    assert night.post(f"{address(scene)}modifier/", posted_dlu()).status_code == 404
    outsiders = [
        make_practitioner(), make_member(make_establishment("EHPAD voisin", kind="ehpad"), Role.CAREGIVER),
        make_practitioner(scene.service.establishment), scene.regulator,
    ]  # fmt: skip
    for other in outsiders:
        assert client_of(other).get(address(scene)).status_code == 404, other
    assert client_of(make_member(scene.home, Role.SECRETARY)).get(address(scene)).status_code in (403, 404)


@pytest.mark.req("FG-05")
def test_a_home_that_may_only_read_reads(settings):
    scene = make_home()
    made = make_dlu(scene)
    settings.NURSING_HOMES_WRITE = False
    nurse = client_of(scene.nurse)
    page = nurse.get(address(scene))
    assert (page.status_code, "Mettre à jour" in text_of(page)) == (200, False)
    assert nurse.post(f"{address(scene)}modifier/", posted_dlu(base=made.response_id)).status_code == 404
    assert nurse.post(f"/liaison/residents/{scene.resident.pk}/transfert/", posted_front()).status_code == 404
    with pytest.raises(Refused, match="sans y écrire"):
        make_dlu(scene)
    assert (Response.objects.count(), HospitalTransfer.objects.count()) == (1, 0)


@pytest.mark.req("FG-05")
def test_it_says_plainly_when_it_is_stale():
    scene = make_home()
    made, now = make_dlu(scene), timezone.now()
    assert queries.brief(scene.resident, now + timedelta(days=180)).stale == ""
    assert "Plus de six mois" in queries.brief(scene.resident, now + timedelta(days=184)).stale
    Dlu.objects.update(updated_at=now - timedelta(days=200))
    nurse = client_of(scene.nurse)
    assert "Plus de six mois" in text_of(nurse.get(address(scene)))
    assert "DLU à mettre à jour" in text_of(nurse.get("/liaison/residents/"))
    make_dlu(scene)
    assert "DLU à mettre à jour" not in text_of(nurse.get("/liaison/residents/"))
    nurse.post(f"/liaison/residents/{scene.resident.pk}/transfert/", posted_front())
    for page in (address(scene), f"/liaison/residents/{scene.resident.pk}/"):
        assert "Hospitalisation depuis la dernière mise à jour" in text_of(nurse.get(page))
    make_dlu(scene)  # while the resident is away: on their return it is stale all the same
    moved = {"departed_at": now - timedelta(hours=5), "returned_at": timezone.now() + timedelta(minutes=2)}
    HospitalTransfer.objects.update(back=Response.objects.first(), **moved)
    assert queries.brief(scene.resident).stale
    assert made.pk == Dlu.objects.get().pk


@pytest.mark.req("FG-05")
def test_a_request_that_ended_in_a_hospital_makes_it_stale_too():
    scene = make_home()
    make_dlu(scene)
    demand = taken(scene)
    deciding.decide(actor=scene.doctor_actor, demand=demand, advice=away())
    deciding.close(actor=scene.doctor_actor, demand=demand, why="hospitalise")
    assert "Hospitalisation depuis la dernière mise à jour" in queries.brief(scene.resident).stale


@pytest.mark.req("FG-03", "FG-05")
def test_request_and_dlu_fill_each_other():
    """The first DLU takes what the last request said; the next request what a newer DLU says."""
    scene = make_home()
    deciding.close(actor=scene.doctor_actor, demand=taken(scene, gir="3"), why="doublon")
    page = text_of(client_of(scene.nurse).get(f"{address(scene)}modifier/"))
    assert 'name="q-dlu.gir" value="3" checked' in page
    make_dlu(scene, gir=["1"], allergies=["Latex"])
    draft = asking.start(actor=scene.nurse_actor, patient=scene.resident).draft
    assert (draft["fg.gir"], draft["fg.allergies"], draft["fg.souhait"]) == (["1"], ["Latex"], ["maintien-ehpad"])


@pytest.mark.req("FG-05")
def test_copies_are_joined_and_served_to_those_who_read_the_dlu_alone():
    scene = make_home()
    nurse, url = client_of(scene.nurse), address(scene)
    scan = SimpleUploadedFile("directives.pdf", make.pdf())
    assert nurse.post(f"{url}modifier/", {**posted_dlu(), "q-dlu.fichiers": scan}).status_code == 302
    found = Dlu.objects.get()
    (pk,) = found.response.answers["dlu.fichiers"]
    make_request(scene)
    assert client_of(scene.doctor).get(f"{url}fichiers/{pk}/").status_code == 200
    assert client_of(make_practitioner()).get(f"{url}fichiers/{pk}/").status_code == 404
    assert nurse.get(f"{url}fichiers/{uuid4()}/").status_code == 404
    said = {**posted_dlu(base=found.response_id), "q-dlu.fichiers": pk}
    colleague = client_of(make_member(scene.home, Role.PRACTITIONER))
    assert colleague.post(f"{url}modifier/", said).status_code == 302
    assert Dlu.objects.get().response.answers["dlu.fichiers"] == [pk]


@pytest.mark.req("FG-05")
def test_a_decision_for_the_hospital_offers_the_sheet_prefilled_and_prints_it_with_the_dlu():
    scene = make_home()
    make_dlu(scene)
    demand = taken(scene, spo2=86, fr=32)
    nurse, leave = client_of(scene.nurse), f"/liaison/residents/{scene.resident.pk}/transfert/"
    assert leave not in text_of(nurse.get(f"/liaison/{demand.pk}/"))
    deciding.decide(actor=scene.doctor_actor, demand=demand, advice=away())
    assert leave in text_of(nurse.get(f"/liaison/{demand.pk}/"))
    assert leave not in text_of(client_of(scene.doctor).get(f"/liaison/{demand.pk}/"))
    page = text_of(nurse.get(leave))
    for words in ('name="q-ft.spo2" value="86"', 'name="q-ft.fr" value="32"', "Fièvre depuis hier.", "01 99 00 00 11"):
        assert words in page
    said = posted_front()
    sent = nurse.post(leave, said)
    assert nurse.post(leave, said).url == sent.url
    made = HospitalTransfer.objects.get()
    assert (made.demand, made.by, made.destination) == (demand, scene.nurse.user, "Hôpital du Noyer, urgences")
    printed = client_of(scene.regulator).get(f"{sent.url}pdf/")
    assert printed["Content-Type"] == "application/pdf"
    paper = pdfs.text_of(printed.content)
    for words in (
        "Hôpital du Noyer, urgences", "S’essouffle depuis une heure.", scene.nurse.user.full_name, "À remplir par le service",
        "Document de liaison d’urgence", "Pénicilline : œdème", "Bisoprolol 2,5 mg", "Pas de réanimation", "VASSEUR",
    ):  # fmt: skip
        assert words in paper, words
    stranger = client_of(make_practitioner())
    for url in (sent.url, f"{sent.url}pdf/", f"{address(scene)}pdf/"):
        assert stranger.get(url).status_code == 404
    for page in (f"/liaison/{demand.pk}/", f"/liaison/residents/{scene.resident.pk}/"):
        assert sent.url in text_of(nurse.get(page))
    assert demand.dossier.events.filter(verb="sent_off").count() == 1


def test_the_paper_that_goes_with_the_ambulance_says_how_sure_the_identity_is_and_where_one_was_born():
    scene = make_home()
    make_dlu(scene)
    scene.resident.birth_place, scene.resident.identity_status = "75056", "VALI"
    scene.resident.save(update_fields=["birth_place", "identity_status"])
    paper = pdfs.text_of(client_of(scene.nurse).get(f"{address(scene)}pdf/").content)
    for words in ("75056 (code INSEE)", "Identité INS", "validée"):
        assert words in paper, words


def test_a_character_that_cannot_be_printed_keeps_neither_dlu_nor_sheet_from_leaving_with_the_ambulance():
    scene = make_home()
    nurse = client_of(scene.nurse)
    assert nurse.post(f"{address(scene)}modifier/", posted_dlu(allergies=["Latex 😀"])).status_code == 302
    sent = nurse.post(f"/liaison/residents/{scene.resident.pk}/transfert/", posted_front())
    for url in (f"{address(scene)}pdf/", f"{sent.url}pdf/"):
        paper = pdfs.text_of(nurse.get(url).content)
        assert "Latex □" in paper
        assert "□ : caractère qui ne s’imprime pas" in paper


@pytest.mark.req("FG-05")
def test_the_back_is_written_once_never_before_the_departure():
    scene = make_home()
    nurse = client_of(scene.nurse)
    url = nurse.post(f"/liaison/residents/{scene.resident.pk}/transfert/", posted_front()).url
    back = {
        "q-rt.service": "Urgences du Noyer", "q-rt.diagnostic": "Pneumopathie", "q-rt.ttt": "inchange",
        "q-rt.prevenus": "famille",
    }  # fmt: skip

    def at(moment: Any) -> dict[str, str]:
        local = moment.astimezone(PARIS)
        return {**back, "q-rt.jour": f"{local:%Y-%m-%d}", "q-rt.heure": f"{local:%H:%M}", "request_key": str(uuid4())}

    now = timezone.now()
    early = nurse.post(f"{url}retour/", at(now - timedelta(days=3)))
    assert (early.status_code, "ne peut pas précéder le départ" in text_of(early)) == (422, True)
    assert "Pneumopathie" in text_of(early)
    assert nurse.post(f"{url}retour/", at(now)).status_code == 302
    found = HospitalTransfer.objects.get()
    assert found.back.answers["rt.diagnostic"] == ["Pneumopathie"]
    assert nurse.post(f"{url}retour/", {**at(now), "q-rt.diagnostic": "Autre"}).status_code == 302
    assert HospitalTransfer.objects.get().back == found.back
    assert "Pneumopathie" in text_of(nurse.get(url))
    assert nurse.get(f"{url}modifier/").status_code == 404
    with pytest.raises(IntegrityError, match="returns_after"), transaction.atomic():
        HospitalTransfer.objects.update(returned_at=now - timedelta(days=9))


@pytest.mark.req("FG-05")
def test_the_front_is_corrected_by_one_at_a_time_while_the_resident_is_away():
    scene = make_home()
    nurse = client_of(scene.nurse)
    url = nurse.post(f"/liaison/residents/{scene.resident.pk}/transfert/", posted_front()).url
    base = str(HospitalTransfer.objects.get().front_id)
    assert nurse.post(f"{url}modifier/", {**posted_front(spo2=["88"]), "base": base}).status_code == 302
    late = nurse.post(f"{url}modifier/", {**posted_front(histoire=["Tombée du lit."]), "base": base})
    assert (late.status_code, "Tombée du lit." in text_of(late)) == (422, True)
    assert "La fiche a changé entre-temps" in text_of(late)
    assert HospitalTransfer.objects.get().front.answers["ft.spo2"] == [88]


@pytest.mark.req("FG-02")
def test_each_call_feeds_the_record_of_the_resident_for_the_home_the_next_doctor_and_the_samu():
    """Decision and notes of one doctor on call are read by another service that is asked later, and by the SAMU."""
    scene = make_home()
    demand = taken(scene)
    notes.write(actor=scene.doctor_actor, demand=demand, text="Ne pas dépasser 2 L/min.")
    stay = Advice(code="maintien-o2", care_level="pas-de-rea", justification="Foyer gauche.", family="oui")
    deciding.decide(actor=scene.doctor_actor, demand=demand, advice=stay)
    deciding.close(actor=scene.doctor_actor, demand=demand, why="stabilise")
    next_one = make_service(Need.GERIATRIC, make_establishment("Hôpital du Charme", kind="hospital"))
    doctor = make_practitioner(next_one.establishment, family_name="Suivant")
    join(next_one, doctor)
    now = timezone.now()
    make_slot(next_one, doctor, now - timedelta(hours=1), now + timedelta(hours=5))
    sheet = f"/liaison/residents/{scene.resident.pk}/"
    readers = (doctor, scene.regulator)
    for member in readers:
        assert client_of(member).get(sheet).status_code == 404
    again = make_request(scene)
    owning.join(actor_for(scene.nurse), again, next_one)
    owning.call_in_samu(actor_for(scene.nurse), again)
    for member in (scene.nurse, scene.doctor, *readers):
        page = text_of(client_of(member).get(sheet))
        for words in (
            "Maintien en EHPAD avec oxygène",
            "Foyer gauche.",
            "Ne pas dépasser 2 L/min.",
            demand.dossier.reference,
        ):
            assert words in page, member
    for member in readers:  # the earlier dossier itself stays with those who took part in it
        assert client_of(member).get(f"/liaison/{demand.pk}/").status_code == 404
    assert client_of(make_practitioner()).get(sheet).status_code == 404
    assert Request.objects.count() == 2


def test_a_home_that_sees_the_resident_and_asked_nothing_reads_no_request():
    scene = make_home()
    taken(scene)
    other = make_member(make_establishment("EHPAD d’accueil", kind="ehpad"), Role.CAREGIVER)
    scene.resident.care_links.create(establishment_id=other.establishment_id, basis="episode", about=uuid4())
    page = client_of(other).get(f"/liaison/residents/{scene.resident.pk}/")
    assert (page.status_code, "Aucune demande pour ce résident" in text_of(page)) == (200, True)


@pytest.mark.parametrize("count", [1, 3])
def test_the_badges_of_a_list_take_the_same_number_of_queries(count, django_assert_num_queries):
    from relais.patients.testing import make_patient  # noqa: PLC0415

    people = [make_patient().pk for _one in range(count)]
    with django_assert_num_queries(3):
        assert len(queries.to_update(people)) == count


@pytest.mark.req("FG-11")
def test_every_invented_dlu_is_one_that_the_form_takes():
    rng, asked = random.Random(3), form("liaison", "filgeria-dlu")
    for _one in range(30):
        given = draw(rng, {"fg.gir": ["2"], "fg.avq": ["alite"], "fg.cognitif": ["leger"], "fg.da": ["non"],
                           "fg.nts": ["maximal"], "fg.ttt.risque": ["aucun"]}, "")  # fmt: skip
        assert logic.check(asked, given, timezone.localdate()).errors == {}
    assert logic.check(asked, DLU, timezone.localdate()).errors == {}
