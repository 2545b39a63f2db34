"""A nursing home asks: draft, sending, the one who is asked, what bad input gets (FG-01, FG-04, issue 4 §5)."""

import re
from functools import partial
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from relais.accounts.models import Role
from relais.accounts.testing import actor_for, client_of, make_establishment, make_member, make_practitioner
from relais.audit.models import Entry
from relais.core.errors import NotFound, Refused
from relais.core.testing.races import at_once
from relais.directory.models import Need
from relais.dossiers.models import Dossier, Event
from relais.files.tests import make
from relais.liaison.actions import asking, deciding, filing, owning
from relais.liaison.models import Request
from relais.liaison.queries import lists
from relais.liaison.testing import answers, make_home, make_request, posted, taken
from relais.notifications.models import Message
from relais.oncall.models import OnCallSlot
from relais.oncall.testing import join, make_service
from relais.patients.models import CareLink
from relais.patients.testing import make_patient
from relais.questionnaires.models import Response

pytestmark = pytest.mark.django_db


@pytest.mark.req("FG-02")
def test_whoever_is_named_on_the_page_of_a_home_stands_in_its_trace_in_drafts_and_among_the_closed_too(settings):
    scene = make_home()
    closed = taken(scene)
    deciding.close(actor=scene.doctor_actor, demand=closed, why="doublon")
    draft = asking.start(actor=scene.nurse_actor, patient=make_patient(seen_by=scene.home))

    def traced(member, url):
        page = client_of(member).get(url).content.decode()
        listed = Entry.objects.filter(action="liaison.list", user_id=member.user_id).values_list("ids", flat=True)
        return page, {pk for ids in listed for pk in ids}

    page, ids = traced(scene.nurse, "/liaison/residents/")
    for one in (closed, draft):
        assert one.patient.full_name in page
        assert one.pk in ids
    settings.NURSING_HOMES_WRITE = False
    Dossier.objects.filter(pk=draft.pk).update(opened_by=scene.doctor.user_id)
    page, ids = traced(scene.doctor, "/liaison/astreinte/")
    assert (draft.patient.full_name in page, draft.pk in ids) == (True, True)


@pytest.mark.req("FG-01", "FG-12")
def test_a_nurse_asks_in_three_presses_and_the_doctor_on_duty_has_it():
    """*Liaison EHPAD*, *Demander un avis*, *Envoyer*: the doctor is named, told, and sees resident and request."""
    scene = make_home()
    browser = client_of(scene.nurse)
    assert 'href="/liaison/"' in browser.get("/").content.decode()
    assert browser.get("/liaison/").url == "/liaison/residents/"
    assert "VASSEUR" in browser.get("/liaison/residents/").content.decode()
    fill = browser.post(f"/liaison/residents/{scene.resident.pk}/demander/").url
    sent = browser.post(fill, posted(covid__statut="suspect", covid__j=3))
    request = Request.objects.get()
    assert sent.url == f"/liaison/{request.pk}/"
    assert (request.state, request.responsible, request.service) == ("soumise", scene.doctor.user, scene.service)
    assert request.dossier.reference.startswith("FG-")
    assert list(Message.objects.values_list("type", "holder_id")) == [("liaison.asked", scene.doctor.user_id)]
    page = client_of(scene.doctor).get(f"/liaison/{request.pk}/")
    assert (page.status_code, "VASSEUR Odette" in page.content.decode()) == (200, True)
    assert client_of(scene.doctor).get(f"/patients/{scene.resident.pk}/").status_code == 200
    assert "Fièvre depuis hier." in page.content.decode()


def test_a_stranger_sees_nothing_of_it():
    scene = make_home()
    request = make_request(scene)
    for other in (make_practitioner(), make_practitioner(scene.service.establishment)):
        assert client_of(other).get(f"/liaison/{request.pk}/").status_code == 404
    assert client_of(make_member(scene.home, Role.SECRETARY)).get(f"/liaison/{request.pk}/").status_code in (403, 404)


@pytest.mark.req("FG-08")
def test_red_vital_signs_call_in_the_samu_and_the_request_is_recorded_all_the_same():
    scene = make_home()
    request = make_request(scene, spo2=84)
    assert (request.red, request.state, request.responsible) == (True, "soumise", scene.doctor.user)
    assert client_of(scene.regulator).get(f"/liaison/{request.pk}/").status_code == 200
    assert Message.objects.filter(holder_id=scene.regulator.user_id, type="liaison.asked").count() == 1
    page = client_of(scene.nurse).get(f"/liaison/{request.pk}/").content.decode()
    assert "Appelez le 15 maintenant" in page
    assert "SpO2 sous 85 %" in page


@pytest.mark.req("FG-08")
def test_whoever_answers_reads_that_the_home_is_told_to_call_the_15_and_is_not_told_to_call_it():
    scene = make_home()
    request = make_request(scene, spo2=84)
    for member in (scene.doctor, scene.regulator):
        browser = client_of(member)
        page = browser.get(f"/liaison/{request.pk}/").content.decode()
        assert "SpO2 sous 85 %. L’EHPAD lit « Appelez le 15 maintenant »." in page
        assert 'class="btn btn-danger" href="tel:15"' not in page
        assert "Appel au 15 demandé" in browser.get("/liaison/astreinte/").content.decode()


def test_the_samu_that_has_a_request_is_not_asked_to_pass_it_to_the_samu():
    scene = make_home()
    request = make_request(scene, spo2=84)
    url = f"/liaison/{request.pk}/"
    everybody = [client_of(member) for member in (scene.nurse, scene.regulator)]
    assert all("Passer au SAMU" in browser.get(url).content.decode() for browser in everybody)
    owning.take(actor=actor_for(scene.regulator), demand=request)
    for browser in everybody:
        assert "Passer au SAMU" not in browser.get(url).content.decode()
        assert browser.post(f"{url}redirect/").status_code == 404


def test_calm_vital_signs_do_not():
    scene = make_home()
    request = make_request(scene)
    assert client_of(scene.regulator).get(f"/liaison/{request.pk}/").status_code == 404
    assert "Appelez le 15 maintenant" not in client_of(scene.nurse).get(f"/liaison/{request.pk}/").content.decode()


@pytest.mark.req("FG-04")
def test_impossible_vital_signs_are_refused_in_a_sentence_missing_ones_are_said_and_nothing_is_lost():
    scene = make_home()
    browser = client_of(scene.nurse)
    fill = browser.post(f"/liaison/residents/{scene.resident.pk}/demander/").url
    page = browser.post(fill, posted(spo2=999, fr=None, question__txt="Elle s’étouffe."))
    text = page.content.decode()
    assert page.status_code == 422
    assert "Il manque : fréquence respiratoire" in text
    assert "Elle s’étouffe." in text
    assert (Request.objects.get().state, Response.objects.count()) == ("brouillon", 0)
    assert Request.objects.get().draft["fg.question.txt"] == ["Elle s’étouffe."]


def test_a_draft_is_kept_as_one_types_and_comes_back():
    scene = make_home()
    browser = client_of(scene.nurse)
    draft = asking.start(actor=scene.nurse_actor, patient=scene.resident)
    kept = browser.post(f"/liaison/{draft.pk}/brouillon/", {"q-fg.fr": "31", "q-fg.motif": "dyspnee"})
    assert kept.json()["kept"].startswith("Enregistré à")
    again = browser.post(f"/liaison/residents/{scene.resident.pk}/demander/")
    page = browser.get(again.url).content.decode()
    assert again.url == f"/liaison/{draft.pk}/saisie/"
    assert 'value="31"' in page
    assert "fréquence respiratoire de 30 ou plus" in page
    assert client_of(scene.doctor).get(f"/liaison/{draft.pk}/").status_code == 404


def test_of_two_pages_of_one_draft_the_older_erases_nothing_and_reads_what_the_other_typed():
    """The last saving won without a word: two nurses of a home share one draft."""
    scene = make_home()
    draft = asking.start(actor=scene.nurse_actor, patient=scene.resident)
    fill, keep = f"/liaison/{draft.pk}/saisie/", f"/liaison/{draft.pk}/brouillon/"
    browser = client_of(scene.nurse)
    pages = []
    for _one in range(2):
        page = browser.get(fill).content.decode()
        pages.append(
            {name: re.search(f'name="{name}" value="([^"]*)"', page)[1] for name in ("drafted", "request_key")}
        )
    first, second = pages
    for _saved in range(2):  # the page that kept it last goes on, whether it heard the answer or not
        assert "kept" in browser.post(keep, {"q-fg.fr": "31", **first}).json()
    assert browser.post(keep, {"q-fg.spo2": "86", **second}).json() == {"other": True}
    assert Request.objects.get().draft == {"fg.fr": ["31"]}
    assert "kept" in browser.post(keep, {"q-fg.fr": "31", "q-fg.spo2": "86", **second}).json(), "it would erase nothing"
    refused = browser.post(fill, posted(fr=16) | first)
    text = refused.content.decode()
    assert refused.status_code == 422
    assert "Une autre page a enregistré « 86" in text
    assert "Une autre page a enregistré « 31" in text
    assert Request.objects.get().draft["fg.spo2"] == ["86"]
    again = {"request_key": first["request_key"], "drafted": re.search('name="drafted" value="([^"]*)"', text)[1]}
    assert browser.post(fill, posted(fr=16) | again).status_code == 302
    assert Request.objects.get().response.answers["fg.fr"] == [16]


def test_what_is_vital_leaves_whoever_else_types():
    scene = make_home()
    draft = asking.start(actor=scene.nurse_actor, patient=scene.resident)
    fill = f"/liaison/{draft.pk}/saisie/"
    asking.keep_draft(actor=scene.nurse_actor, demand=draft, answers={"fg.fr": ["31"]})
    old = {"drafted": "", "request_key": str(uuid4())}
    assert client_of(scene.nurse).post(fill, posted(urgence="vitale", fr=16) | old).status_code == 302
    assert Request.objects.get().state == "soumise"


@pytest.mark.req("FG-03")
def test_the_next_request_is_prefilled_from_the_last_sheet_but_for_the_vital_signs():
    scene = make_home()
    make_request(scene, gir="1", allergies="Pénicilline", spo2=88)
    draft = asking.start(actor=scene.nurse_actor, patient=scene.resident)
    assert (draft.draft["fg.gir"], draft.draft["fg.allergies"]) == (["1"], ["Pénicilline"])
    assert not {"fg.spo2", "fg.motif", "fg.urgence", "fg.consent"} & set(draft.draft)


@pytest.mark.req("FG-01")
def test_a_request_sent_twice_is_one():
    """The same page sent again, whoever presses: one response, one event, one message."""
    scene = make_home()
    browser = client_of(scene.nurse)
    fill = browser.post(f"/liaison/residents/{scene.resident.pk}/demander/").url
    said = posted()
    first, second = browser.post(fill, said), browser.post(fill, {**said, "request_key": str(uuid4())})
    assert first.url == second.url
    assert (Request.objects.count(), Response.objects.count()) == (1, 1)
    assert Event.objects.filter(verb="submit").count() == 1
    assert Message.objects.count() == 1


def test_files_of_the_form_are_documents_of_the_request():
    """FG-05: served to the doctor by the request's own door."""
    scene = make_home()
    browser = client_of(scene.nurse)
    fill = browser.post(f"/liaison/residents/{scene.resident.pk}/demander/").url
    scan = SimpleUploadedFile("ordonnance.pdf", make.pdf())
    assert browser.post(fill, {**posted(), "q-fg.pieces": scan}).status_code == 302
    document = Request.objects.get().dossier.documents.get()
    assert client_of(scene.doctor).get(f"/liaison/documents/{document.pk}/").status_code == 200
    assert client_of(make_practitioner()).get(f"/liaison/documents/{document.pk}/").status_code == 404


def test_without_anybody_on_duty_an_alarm_is_open_and_the_samu_sees_it():
    scene = make_home()
    OnCallSlot.objects.all().delete()
    request = make_request(scene)
    assert (request.responsible, request.unowned_since is not None) == (None, True)
    page = client_of(scene.regulator).get("/liaison/astreinte/").content.decode()
    assert "Demandes que personne n’a" in page
    assert "Personne n’a cette demande" in client_of(scene.nurse).get(f"/liaison/{request.pk}/").content.decode()


@pytest.mark.parametrize("kind", ["hospital", "centre", "samu"])
def test_only_nursing_homes_ask(kind):
    member = make_practitioner(make_establishment(kind=kind))
    patient = make_patient(seen_by=member.establishment)
    with pytest.raises(NotFound):
        asking.start(actor=actor_for(member), patient=patient)


def test_where_the_region_lets_nursing_homes_read_only_they_read_and_write_nothing(settings):
    scene = make_home()
    request = make_request(scene)
    settings.NURSING_HOMES_WRITE = False
    browser = client_of(scene.nurse)
    page = browser.get(f"/liaison/{request.pk}/")
    assert (page.status_code, "Ajouter une note" in page.content.decode()) == (200, False)
    assert "lisent les dossiers sans y écrire" in browser.get("/liaison/residents/").content.decode()
    with pytest.raises(Refused, match="sans y écrire"):
        asking.start(actor=scene.nurse_actor, patient=make_patient(seen_by=scene.home))
    assert browser.post(f"/liaison/{request.pk}/notes/", {"text": "Essai"}).status_code != 302
    assert client_of(scene.doctor).post(f"/liaison/{request.pk}/notes/", {"text": "Vu"}).status_code == 302


def test_a_resident_who_died_is_asked_about_no_more():
    scene = make_home()
    scene.resident.deceased_on = "2026-11-01"
    scene.resident.save()
    with pytest.raises(Refused, match="décédé"):
        asking.start(actor=scene.nurse_actor, patient=scene.resident)


def test_whoever_is_asked_twice_holds_one_care_link():
    scene = make_home()
    demand = make_request(scene)
    for _twice in range(2):
        owning.join(scene.nurse_actor, demand, scene.service)
    assert CareLink.objects.filter(patient=scene.resident, service_id=scene.service.pk).count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_doctors_take_it_in_the_same_second_one_has_it_the_other_reads_who():
    scene = make_home()
    request = make_request(scene)
    people = (scene.doctor, scene.colleague)
    found = at_once(*(partial(owning.take, actor=actor_for(one), demand=request) for one in people))
    request.refresh_from_db()
    (refused,) = [one for one in found if isinstance(one, Refused)]
    has = f"{request.responsible.full_name} a déjà cette demande en charge."
    assert refused.message == f"{has} Pour la prendre à sa place : « Reprendre cette demande »."


def test_nobody_is_asked_about_a_draft_that_is_given_up():
    scene = make_home()
    draft = asking.start(actor=scene.nurse_actor, patient=scene.resident)
    asking.cancel(actor=scene.nurse_actor, demand=draft)
    assert Request.objects.get().state == "annulee"
    assert asking.start(actor=scene.nurse_actor, patient=scene.resident).pk != draft.pk
    assert answers()["fg.fr"] == [16]


def test_abandoning_a_draft_cancels_nothing_that_left_meanwhile():
    """It is folded away by the page once the request left, so it must not be torn out of what is folded."""
    scene = make_home()
    draft = asking.start(actor=scene.nurse_actor, patient=scene.resident)
    nurse, url = client_of(scene.nurse), f"/liaison/{draft.pk}/"
    page = nurse.get(f"{url}saisie/").content.decode()
    assert '<div data-discard><details class="confirm"' in page, "a <p> would end before <details>"
    sent = make_request(scene)
    said = nurse.post(f"{url}discard/", headers={"referer": f"{url}saisie/"}, follow=True).content.decode()
    assert (sent.pk, Request.objects.get().state) == (draft.pk, "soumise")
    assert "était déjà partie" in said
    other = asking.start(actor=scene.nurse_actor, patient=make_patient(seen_by=scene.home))
    assert client_of(make_member(role=Role.CAREGIVER)).post(f"/liaison/{other.pk}/discard/").status_code == 404
    nurse.post(f"/liaison/{other.pk}/discard/")
    assert Request.objects.get(pk=other.pk).state == "annulee"


@pytest.mark.req("FG-12")
def test_the_doctor_reads_the_covid_status_and_the_wish_for_a_video_before_the_whole_questionnaire():
    """On the list and among the key facts; a negative test, or no wish, says nothing there."""
    scene = make_home()
    doctor, patient = client_of(scene.doctor), make_patient(seen_by=scene.home)
    plain = make_request(scene, patient, covid__statut="negatif")
    for demand, told in ((plain, False), (make_request(scene, covid__statut="suspect", visio=True), True)):
        row = next(one for one in lists.on_call_rows(scene.doctor_actor) if one.demand == demand)
        assert (row.covid, row.wants_video) == (("Suspect", True) if told else ("", False))
        facts = doctor.get(f"/liaison/{demand.pk}/").context["facts"]
        assert [fact for fact in facts if fact[0] in ("Statut COVID du résident", "Visio souhaitée")] == (
            [("Statut COVID du résident", "Suspect"), ("Visio souhaitée", "Oui")] if told else []
        )
    page = doctor.get("/liaison/astreinte/").content.decode()
    assert (page.count("COVID suspect"), page.count("Visio souhaitée")) == (1, 1)


def test_what_was_typed_for_a_request_that_takes_it_no_more_comes_back_with_the_refusal():
    """The nurse writes a complement while the doctor decides without it; or a note while the request is closed."""
    scene = make_home()
    demand = taken(scene)
    nurse, url, words = client_of(scene.nurse), f"/liaison/{demand.pk}/", "Diurèse conservée depuis midi."
    late = nurse.post(f"{url}give/", {"text": words})
    assert late.status_code == 422
    assert all(said in late.content.decode() for said in (words, "n’est plus possible", "Votre texte n’est pas parti"))
    assert f'hx-get="{url}"' in late.content.decode(), "a page that stays live"
    assert nurse.post(f"{url}give/", {"text": " "}).status_code == 409, "nothing to keep"
    deciding.close(actor=scene.doctor_actor, demand=demand, why="doublon")
    assert words in nurse.post(f"{url}notes/", {"text": words}).content.decode()


@pytest.mark.req("FG-03")
def test_the_sheet_lists_the_documents_of_the_requests_that_its_reader_opens():
    scene = make_home()
    demand = taken(scene)
    shown = filing.add(
        actor=scene.nurse_actor,
        demand=demand,
        upload=SimpleUploadedFile("crp.txt", b"CRP 12 mg/L"),
        title="CRP de ce matin",
    )
    gone = filing.add(
        actor=scene.nurse_actor,
        demand=demand,
        upload=SimpleUploadedFile("autre.txt", b"Autre chose"),
        title="Autre personne",
    )
    filing.withdraw(actor=scene.doctor_actor, demand=demand, document=gone, why="Mauvais résident")
    address = reverse("liaison:sheet", args=[scene.resident.pk])
    for member in (scene.nurse, scene.doctor):
        page = client_of(member).get(address).content.decode()
        assert reverse("liaison:document", args=[shown.pk]) in page
        assert "CRP de ce matin" in page
        assert "Autre personne" not in page
    other = make_service(Need.NIGHT, make_establishment("Hôpital du Saule"))
    next_doctor = make_practitioner(other.establishment)
    join(other, next_doctor)
    later = make_request(scene)
    owning.join(scene.doctor_actor, later, other)
    page = client_of(next_doctor).get(address).content.decode()
    assert demand.dossier.reference in page, "the record is shared"
    assert "CRP de ce matin" not in page, "its documents stay behind their own door"
