"""From the taking to the closing: complement, decision, notes, passing on (FG-06 to FG-09)."""

from dataclasses import replace
from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from relais.accounts.actions import remove_member
from relais.accounts.models import Role
from relais.accounts.testing import actor_for, client_of, make_establishment, make_member, make_practitioner
from relais.core.actor import SYSTEM_ACTOR
from relais.core.errors import NotFound, Refused
from relais.directory.models import Need
from relais.dossiers.models import Event
from relais.liaison import messages
from relais.liaison.actions import deciding, filing, leaving, notes, owning
from relais.liaison.actions.deciding import Advice
from relais.liaison.models import Code, Note, Request
from relais.liaison.testing import make_home, make_request, taken, upload
from relais.notifications.models import Message
from relais.oncall.testing import join, make_service
from relais.patients.testing import make_patient
from relais.rooms import actions as rooms
from relais.rooms.models import Line, Room

pytestmark = pytest.mark.django_db
STAY = Advice(code="maintien-traitement", care_level="pas-de-rea", justification="Foyer pulmonaire.", family="oui")


@pytest.mark.req("FG-08")
def test_the_doctor_takes_asks_gets_the_complement_decides_and_the_nursing_home_reads_why():
    """Through the pages, by their buttons."""
    scene = make_home()
    demand = make_request(scene)
    doctor, nurse, url = client_of(scene.doctor), client_of(scene.nurse), f"/liaison/{demand.pk}/"
    doctor.post(f"{url}take/")
    doctor.post(f"{url}ask/", {"text": "Diurèse ?"})
    assert "Diurèse ?" in nurse.get(url).content.decode()
    nurse.post(f"{url}give/", {"text": "Conservée."})
    assert Request.objects.get().state == "prise-en-charge"
    assert doctor.get(f"{url}decision/").status_code == 200
    said = {
        "code": "maintien-traitement", "care_level": "pas-de-rea", "justification": "Foyer pulmonaire.", "family": "oui",
        "plan": "SpO2 toutes les 4 heures.", "review": "4",
    }  # fmt: skip
    assert doctor.post(f"{url}decision/", said).status_code == 302
    found = Request.objects.get()
    decision = found.decisions.get()
    assert (found.state, decision.responsible, decision.by) == ("a-reevaluer", scene.doctor.user, scene.doctor.user)
    assert abs(found.review_at - timezone.now() - timedelta(hours=4)) < timedelta(minutes=1)
    page = nurse.get(url).content.decode()
    for words in (
        "Maintien en EHPAD avec traitement",
        "Foyer pulmonaire.",
        "SpO2 toutes les 4 heures.",
        "Pas de réanimation",
    ):
        assert words in page
    assert nurse.post(f"{url}close/", {"why": "ameliore"}).status_code == 302
    assert (Request.objects.get().state, Request.objects.get().closing) == ("cloturee", "ameliore")


@pytest.mark.req("FG-08")
def test_a_decision_on_signs_that_changed_since_the_page_was_opened_is_read_again_first():
    scene = make_home()
    demand = taken(scene)
    doctor, url = client_of(scene.doctor), f"/liaison/{demand.pk}/"
    said = {"code": "had", "care_level": "maximal", "justification": "Oui", "family": "non", "review": "4",
            "read": str(demand.response_id)}  # fmt: skip
    assert said["read"] in doctor.get(f"{url}decision/").content.decode()
    signs = {"q-fg.spo2": "86", "request_key": str(uuid4())}
    assert client_of(scene.nurse).post(f"{url}constantes/", signs).status_code == 302
    page = doctor.post(f"{url}decision/", said)
    assert (page.status_code, "SpO2\u00a086\u00a0%" in page.content.decode()) == (422, True)
    again = str(Request.objects.get().response_id)
    assert again in page.content.decode()
    assert doctor.post(f"{url}decision/", {**said, "read": again}).status_code == 302


@pytest.mark.parametrize("missing", ["code", "care_level", "justification", "family", "review"])
def test_a_decision_without_its_reasons_is_refused_beside_the_field(missing):
    scene = make_home()
    demand = taken(scene)
    whole = {"code": "had", "care_level": "maximal", "justification": "Oui", "family": "non", "review": "4"}
    said = {**whole, missing: ""}
    page = client_of(scene.doctor).post(f"/liaison/{demand.pk}/decision/", said)
    assert (page.status_code, Request.objects.get().state) == (422, "prise-en-charge")


@pytest.mark.req("FG-08", "FG-09")
def test_the_hour_to_look_again_is_chosen_and_refused_where_nothing_follows():
    """Otherwise the nurse is rung four hours later for the vital signs of somebody dead or gone."""
    scene = make_home()
    demand = taken(scene)
    doctor, url = client_of(scene.doctor), f"/liaison/{demand.pk}/decision/"
    drawn = doctor.get(url).content.decode()
    assert ('<option value="4">' in drawn, '<option value="4" selected' in drawn) == (True, False)
    said = {"care_level": "maximal", "justification": "Oui", "family": "non"}
    page = doctor.post(url, {**said, "code": "sans-suite", "review": "4"})
    assert (page.status_code, "choisissez « Aucune »" in page.content.decode()) == (422, True)
    assert doctor.post(url, {**said, "code": "sans-suite", "review": "0"}).status_code == 302
    assert Request.objects.get().review_at is None


@pytest.mark.req("FG-09")
@pytest.mark.parametrize(
    ("code", "state"),
    [
        (Code.GERIATRICS, "orientation-en-cours"), (Code.HAD, "orientation-en-cours"), (Code.SAMU, "orientation-en-cours"),
        (Code.COMFORT, "avis-rendu"), (Code.REFUSED, "avis-rendu"),
    ],
)  # fmt: skip
def test_a_decision_that_takes_the_resident_elsewhere_stays_open_until_they_are_there(code, state):
    scene = make_home()
    demand = taken(scene)
    later = timezone.now() + timedelta(hours=2) if state == "orientation-en-cours" else None
    advice = Advice(code=code, care_level="maximal", justification="Nécessaire.", family="oui", review_at=later)
    deciding.decide(actor=scene.doctor_actor, demand=demand, advice=advice)
    assert Request.objects.get().state == state
    assert client_of(scene.regulator).get(f"/liaison/{demand.pk}/").status_code == (200 if code == Code.SAMU else 404)


def test_only_the_doctor_who_has_it_decides():
    scene = make_home()
    demand = taken(scene)
    with pytest.raises(NotFound):
        deciding.decide(actor=actor_for(scene.colleague), demand=demand, advice=STAY)
    owning.take_over(actor=actor_for(scene.colleague), demand=demand)
    deciding.decide(actor=actor_for(scene.colleague), demand=demand, advice=STAY)
    with pytest.raises(NotFound):
        deciding.decide(actor=scene.doctor_actor, demand=demand, advice=STAY)


def test_without_an_opinion_a_request_ends_for_a_death_a_duplicate_or_nothing_to_do():
    scene = make_home()
    demand = taken(scene)
    with pytest.raises(Refused, match="Rendez d’abord l’avis"):
        deciding.close(actor=scene.doctor_actor, demand=demand, why="ameliore")
    died = leaving.Leaving(timezone.now(), "Dans son sommeil")
    leaving.died(actor=scene.nurse_actor, demand=demand, said=died, in_hospital=False)
    deciding.close(actor=scene.doctor_actor, demand=demand, why="deces-ehpad")
    assert Request.objects.get().closing == "deces-ehpad"


@pytest.mark.req("FG-08")
def test_a_death_is_said_in_one_way_before_a_request_ends_or_is_decided_by_it():
    """Otherwise the resident stays on the list, with their appointments and follow-ups."""
    scene = make_home()
    demand = taken(scene)
    doctor, url = client_of(scene.doctor), f"/liaison/{demand.pk}/"
    dead = Advice(code=Code.DEATH, care_level="palliatif", justification="Constaté.", family="oui")
    for refused in (
        lambda: deciding.close(actor=scene.doctor_actor, demand=demand, why="deces-hopital"),
        lambda: deciding.decide(actor=scene.doctor_actor, demand=demand, advice=dead),
    ):
        with pytest.raises(Refused, match="« Le résident est décédé »"):
            refused()

    def offered():
        return [
            code in doctor.get(page).content.decode()
            for page, code in ((url, '"deces-ehpad"'), (f"{url}decision/", '"deces"'))
        ]

    assert (offered(), f"{url}deces/" in doctor.get(f"{url}decision/").content.decode()) == ([False, False], True)
    died = leaving.Leaving(timezone.now(), "Dans son sommeil")
    leaving.died(actor=scene.doctor_actor, demand=demand, said=died, in_hospital=False)
    assert offered() == [True, True]
    again = replace(STAY, review_at=timezone.now() + timedelta(hours=4))
    with pytest.raises(Refused, match="« Aucune »"):
        deciding.decide(actor=scene.doctor_actor, demand=demand, advice=again)
    deciding.decide(actor=scene.doctor_actor, demand=demand, advice=dead)
    deciding.close(actor=scene.doctor_actor, demand=demand, why="deces-ehpad")


def test_a_resident_who_dies_meanwhile_is_said_and_the_request_keeps_its_doctor():
    scene = make_home()
    demand = taken(scene)
    scene.resident.deceased_on = timezone.localdate()
    scene.resident.save()
    page = client_of(scene.nurse).get(f"/liaison/{demand.pk}/").content.decode()
    assert "La demande reste à son médecin jusqu’à la clôture" in page
    assert Request.objects.get().responsible == scene.doctor.user


def test_passed_to_another_service_it_stays_with_its_doctor_until_somebody_there_takes_it():
    scene = make_home()
    demand = taken(scene)
    mobile = make_service(Need.MOBILE, make_establishment("Hôpital du Frêne", kind="hospital"))
    there = make_practitioner(mobile.establishment, family_name="Mobilier")
    join(mobile, there)
    owning.transfer(actor=scene.doctor_actor, demand=demand, service=mobile)
    found = Request.objects.get()
    assert (found.state, found.responsible, found.service) == ("transferee", scene.doctor.user, mobile)
    owning.take(actor=actor_for(there), demand=found)
    found = Request.objects.get()
    assert (found.state, found.responsible, found.service) == ("prise-en-charge", there.user, mobile)


def test_the_nurse_calls_the_samu_in_with_one_press():
    scene = make_home()
    demand = make_request(scene)
    client_of(scene.nurse).post(f"/liaison/{demand.pk}/redirect/")
    found = Request.objects.get()
    assert (found.state, found.service, found.responsible) == ("redirigee-samu", scene.samu, scene.doctor.user)
    client_of(scene.regulator).post(f"/liaison/{demand.pk}/take/")
    assert Request.objects.get().responsible == scene.regulator.user


@pytest.mark.req("FG-06")
def test_a_note_bears_role_and_specialty_is_unread_until_seen_and_calls_who_is_mentioned():
    scene = make_home()
    demand = taken(scene)
    nurse, doctor, url = client_of(scene.nurse), client_of(scene.doctor), f"/liaison/{demand.pk}/"
    nurse.post(f"{url}notes/", {"text": "Elle désature.", "urgent": "on", "mentions": [str(scene.colleague.user_id)]})
    page = doctor.get(url).content.decode()
    assert "Infirmière" in page
    assert "1 non lue" in page
    assert "1 note non lue" in doctor.get("/liaison/astreinte/").content.decode()
    assert "Une note vous mentionne" in client_of(scene.colleague).get("/liaison/astreinte/").content.decode()
    assert Message.objects.filter(type="liaison.mention", holder_id=scene.colleague.user_id).count() == 1
    doctor.post(f"{url}lues/?vu={Note.objects.get().pk}")
    assert "1 non lue" not in doctor.get(url).content.decode()
    assert "1 note non lue" not in doctor.get("/liaison/astreinte/").content.decode()
    note = notes.write(actor=scene.doctor_actor, demand=demand, text="Passez à 3 L/min.")
    assert note.function == "Médecin, Gériatrie"


@pytest.mark.req("FG-06")
def test_an_urgent_note_calls_the_other_side_and_rings_on_its_list_until_it_is_read():
    """A plain note does not; nor does it ring for a colleague who has not the request."""
    scene = make_home()
    demand = taken(scene)
    nurse, doctor, url = client_of(scene.nurse), client_of(scene.doctor), f"/liaison/{demand.pk}/"
    lists = {"nurse": (nurse, "/liaison/residents/"), "doctor": (doctor, "/liaison/astreinte/")}

    def rings(who):
        browser, path = lists[who]
        return "Note urgente : VASSEUR Odette" in browser.get(path).content.decode()

    nurse.post(f"{url}notes/", {"text": "Elle a mangé."})
    assert (rings("doctor"), Message.objects.filter(type="liaison.urgent_note").exists()) == (False, False)
    nurse.post(f"{url}notes/", {"text": "Elle désature.", "urgent": "on"})
    told = Message.objects.get(type="liaison.urgent_note")
    assert (told.holder_id, messages.TEXTS[told.type].still_wanted(told)) == (scene.doctor.user_id, True)
    other = make_member(scene.home, Role.CAREGIVER)
    lists["other"] = (client_of(other), "/liaison/residents/")
    assert (rings("doctor"), rings("nurse"), rings("other")) == (True, False, False)
    notes.write(actor=actor_for(other), demand=demand, text="Et elle a froid.", urgent=True)
    assert not Message.objects.filter(type="liaison.urgent_note", holder_id=scene.nurse.user_id).exists()
    colleague = client_of(scene.colleague).get("/liaison/astreinte/").content.decode()
    assert ("3 notes non lues" in colleague, "Note urgente" in colleague) == (True, False)
    first, *_others, last = Note.objects.order_by("created_at")
    for seen, still in ((first, True), (last, False), (first, False)):
        doctor.post(f"{url}lues/?vu={seen.pk}")  # the page that was drawn before the last note came says the first
        assert rings("doctor") == still
    assert f"lues/?vu={last.pk}" in client_of(scene.colleague).get(url).content.decode()
    assert (rings("doctor"), messages.TEXTS[told.type].still_wanted(told)) == (False, False)
    doctor.post(f"{url}notes/", {"text": "Appelez le 15.", "urgent": "on"})
    assert Message.objects.get(type="liaison.urgent_note", holder_id=scene.nurse.user_id)
    assert rings("nurse")
    assert rings("other")


@pytest.mark.req("FG-06")
def test_only_the_author_amends_a_note_and_the_earlier_words_stay():
    scene = make_home()
    demand = taken(scene)
    note = notes.write(actor=scene.nurse_actor, demand=demand, text="Tension 8/5")
    url = f"/liaison/notes/{note.pk}/corriger/"
    assert client_of(scene.doctor).get(url).status_code == 404
    assert client_of(scene.doctor).post(url, {"text": "Autre"}).status_code == 422
    assert client_of(scene.nurse).post(url, {"text": "Tension 18/5"}).status_code == 302
    found = Note.objects.get()
    assert (found.text, [one["text"] for one in found.before]) == ("Tension 18/5", ["Tension 8/5"])


def test_a_note_to_somebody_who_left_is_refused_in_a_sentence_and_what_was_typed_comes_back():
    scene = make_home()
    demand = taken(scene)
    gone = make_member(scene.home, Role.CAREGIVER, family_name="Partie")
    remove_member(actor=SYSTEM_ACTOR, membership_id=gone.pk)
    page = client_of(scene.nurse).post(
        f"/liaison/{demand.pk}/notes/", {"text": "Pouvez-vous venir ?", "mentions": [str(gone.user_id)]}
    )
    assert page.status_code == 422
    assert "Partie ne participe plus à cette demande" in page.content.decode()
    assert "Pouvez-vous venir ?" in page.content.decode()
    assert not Note.objects.exists()


@pytest.mark.req("FG-07")
def test_a_room_is_one_tap_away_for_both_sides_and_ends_with_the_request():
    scene = make_home()
    demand = taken(scene)
    for member in (scene.nurse, scene.doctor):
        page = client_of(member).post(f"/liaison/{demand.pk}/room/", follow=True)
        assert page.status_code == 200
    assert Room.objects.get(about=demand.pk).invitations.count() == 2
    assert client_of(make_practitioner()).post(f"/liaison/{demand.pk}/room/").status_code == 404
    rooms.say(actor=scene.doctor_actor, room=Room.objects.get(), text="Montrez-moi sa main.")
    deciding.close(actor=scene.doctor_actor, demand=demand, why="sans-suite")
    assert Room.objects.get(about=demand.pk).ended_at is not None
    assert (Line.objects.count(), Room.objects.get().invitations.count()) == (0, 2), "who was there, and nothing else"


@pytest.mark.req("FG-05")
def test_both_sides_add_documents():
    scene = make_home()
    demand = taken(scene)
    for member, title in ((scene.nurse, "Biologie"), (scene.doctor, "Ordonnance")):
        client_of(member).post(f"/liaison/{demand.pk}/documents/", {"file": upload("a.txt"), "title": title})
    assert sorted(demand.dossier.documents.values_list("title", flat=True)) == ["Biologie", "Ordonnance"]


@pytest.mark.req("FG-05")
def test_a_document_of_another_resident_is_withdrawn_by_a_practitioner_with_a_reason():
    """Nobody opens it any more, whoever has seen the request is listed; a nurse asks a practitioner."""
    scene = make_home()
    demand = taken(scene)
    document = filing.add(actor=scene.nurse_actor, demand=demand, upload=upload("a.txt"), title="ECG")
    doctor, url = client_of(scene.doctor), f"/liaison/documents/{document.pk}/"
    assert "Retirer (erreur)" in doctor.get(f"/liaison/{demand.pk}/").content.decode()
    assert client_of(scene.nurse).post(f"{url}retirer/", {"why": "Erreur"}).status_code == 404
    assert client_of(make_practitioner()).post(f"{url}retirer/", {"why": "Erreur"}).status_code == 404
    doctor.post(f"{url}retirer/", {"why": " "})
    assert doctor.get(url).status_code == 200
    doctor.post(f"{url}retirer/", {"why": "Autre résident"})
    for member in (scene.nurse, scene.doctor):
        assert client_of(member).get(url).status_code == 404
    page = client_of(scene.nurse).get(f"/liaison/{demand.pk}/").content.decode()
    assert ("ECG" in page, "Document retiré" in page) == (False, True)
    seen = client_of(scene.nurse).get(f"/liaison/{demand.pk}/acces/").content.decode()
    assert scene.doctor.user.full_name in seen
    assert client_of(make_practitioner()).get(f"/liaison/{demand.pk}/acces/").status_code == 404


@pytest.mark.req("FG-03")
def test_one_sheet_shows_every_request_of_a_resident_and_its_decisions():
    scene = make_home()
    demand = taken(scene)
    deciding.decide(actor=scene.doctor_actor, demand=demand, advice=STAY)
    deciding.close(actor=scene.doctor_actor, demand=demand, why="stabilise")
    again = make_request(scene)
    page = client_of(scene.nurse).get(f"/liaison/residents/{scene.resident.pk}/").content.decode()
    for words in (demand.dossier.reference, again.dossier.reference, "Foyer pulmonaire.", "Stabilisé"):
        assert words in page
    assert Event.objects.filter(dossier=demand.pk, verb="decided").count() == 1


@pytest.mark.parametrize("count", [1, 3])
def test_lists_take_the_same_number_of_queries(count, django_assert_num_queries):
    from relais.liaison.queries import lists  # noqa: PLC0415
    from relais.patients.testing import make_patient  # noqa: PLC0415

    scene = make_home()
    for _one in range(count):
        notes.write(
            actor=scene.nurse_actor, demand=make_request(scene, make_patient(seen_by=scene.home)), text="Bonjour"
        )
    with django_assert_num_queries(4):
        assert len(lists.on_call_rows(scene.doctor_actor)) == count


@pytest.mark.req("FG-12")
def test_a_tele_expertise_and_a_covid_follow_up_are_one_tap_away_on_both_sides_and_keep_their_origin():
    scene = make_home()
    demand = taken(scene)
    treating = make_practitioner(scene.home)
    for member in (scene.doctor, treating):
        browser = client_of(member)
        page = browser.get(f"/liaison/{demand.pk}/").content.decode()
        for name in ("expertise:start", "telemonitoring:enrol"):
            address = f"{reverse(name)}?patient={scene.resident.pk}&depuis={demand.pk}"
            assert address.replace("&", "&amp;") in page
            assert browser.get(address).status_code == 200
    scene.resident.deceased_on = timezone.localdate()
    scene.resident.save()
    gone = client_of(treating).get(f"/liaison/{demand.pk}/").content.decode()
    assert reverse("expertise:start") + "?" not in gone, "of somebody who died nothing is asked"


@pytest.mark.django_db
def test_residents_who_share_a_name_are_marked_on_the_lists_of_both_sides() -> None:
    scene = make_home()
    other = make_patient("Vasseur", "Odette", seen_by=scene.home, birth_date=date(1931, 5, 4))
    calm = make_patient("Perrot", "Simone", seen_by=scene.home)
    for patient in (scene.resident, other, calm):
        make_request(scene, patient)
    told = client_of(scene.doctor).get("/liaison/astreinte/")
    assert {row.demand.patient_id: row.twin for row in told.context["rows"]} == {
        scene.resident.pk: True, other.pk: True, calm.pk: False,
    }  # fmt: skip
    assert told.content.decode().count("Homonyme proche") == 2
    home = client_of(scene.nurse).get("/liaison/residents/").content.decode()
    assert home.count("Homonyme proche") == 4, "among the requests, and among the residents"
