"""Asking for an opinion: the draft, its documents, the service, sending it."""

from datetime import datetime, time, timedelta
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from relais.accounts.models import Role
from relais.accounts.testing import actor_for, client_of, make_establishment, make_member, make_practitioner
from relais.core.errors import Refused
from relais.core.paris import PARIS
from relais.core.times import near
from relais.directory.models import Way
from relais.dossiers.models import Dossier
from relais.expertise.actions import answering, drafting
from relais.expertise.models import Expertise
from relais.expertise.testing import ASKED, COVID, make_asked, make_pool, posted
from relais.notifications.models import Message
from relais.patients.testing import make_patient

pytestmark = pytest.mark.django_db


@pytest.fixture
def home():
    return make_establishment("EHPAD des Lilas")


def begin(member, patient, form="tle-general", **more):
    """The draft that the two first pages begin; the browser and the row."""
    browser = client_of(member)
    said = {"patient": str(patient.pk), "form": form, "request_key": str(uuid4()), **more}
    answer = browser.post("/expertise/nouvelle/", said)
    assert answer.status_code == 302, answer.content.decode()
    again = browser.post("/expertise/nouvelle/", said)
    assert again["Location"] == answer["Location"], "the same page sent twice begins one request"
    return browser, Expertise.objects.get(pk=answer["Location"].split("/")[2])


@pytest.mark.req("TE-05")
def test_of_a_patient_who_died_nothing_is_asked_and_no_date_comes_back(home):
    asker, patient = make_practitioner(home), make_patient(seen_by=home)
    common = {"requester": asker, "patient": patient}
    due = make_asked(state="repondue", review_on=timezone.localdate(), **common)
    refused, draft = make_asked(state="refusee", **common), make_asked(state="brouillon", **common).asked
    browser, worklist, again = client_of(asker), "/expertise/?liste=demandes", "Demander un avis de suivi"
    assert [one.pk for one in browser.get(worklist).context["reviews"]] == [due.asked.pk]
    assert again in browser.get(f"/expertise/{due.asked.pk}/").content.decode()
    patient.deceased_on = timezone.localdate()
    patient.save()
    assert browser.get(worklist).context["reviews"] == []
    assert again not in browser.get(f"/expertise/{due.asked.pk}/").content.decode()
    words = "Ce patient est décédé : aucun avis ne peut plus être demandé."
    said = {"patient": str(patient.pk), "form": "tle-general", "request_key": str(uuid4())}
    for url, page in (
        ("/expertise/nouvelle/", said),
        (f"/expertise/{due.asked.pk}/suite/", {}),
        (f"/expertise/{draft.pk}/demande/", posted(ASKED, service=str(due.service.pk))),
    ):
        assert words in browser.post(url, page, follow=True).content.decode(), url
    elsewhere = make_pool()
    for act, one in ((answering.second_opinion, due), (answering.redirect, refused)):
        with pytest.raises(Refused, match="décédé"):
            act(actor=one.asker, asked=one.again(), service_id=elsewhere.pk)
    assert Expertise.objects.filter(state__in=["brouillon", "envoyee", "reorientee"]).get() == draft


@pytest.mark.req("TE-01", "TE-06")
@pytest.mark.parametrize("asked_as", ["medecin-traitant", "equipe-mobile", "astreinte"])
def test_a_request_is_written_saved_and_sent_to_a_service_of_the_directory(home, asked_as):
    asker = make_practitioner(home)
    expert = make_practitioner(make_establishment("CHU des Ormes"))
    service = make_pool(expert)
    patient = make_patient(seen_by=home)
    browser, asked = begin(asker, patient)
    page = browser.get(f"/expertise/{asked.pk}/demande/").content.decode()
    assert "Question posée à l’expert" in page
    half = {"q-tg.histoire": "Chute hier", "service": str(service.pk), "asked_as": asked_as}
    assert browser.post(f"/expertise/{asked.pk}/enregistrer/", half).status_code == 200
    assert "Chute hier" in browser.get(f"/expertise/{asked.pk}/demande/").content.decode(), "saved as one types"
    said = posted({**ASKED, "tg.rappel": ["01 99 00 00 01"]}, service=str(service.pk), asked_as=asked_as)
    sent = browser.post(f"/expertise/{asked.pk}/demande/", said)
    assert sent.status_code == 302, sent.content.decode()
    browser.post(f"/expertise/{asked.pk}/demande/", said)
    asked.refresh_from_db()
    assert (asked.state, asked.service_id, asked.asked_as) == ("envoyee", service.pk, asked_as)
    assert asked.draft == {}
    assert asked.response.answers["tg.rappel"] == ["+33199000001"]
    assert service.name in asked.response.answers["tg.specialite"][0]
    assert [one.holder_id for one in Message.objects.filter(about=asked.pk)] == [expert.user_id], "told once"
    told = client_of(expert).get("/expertise/").content.decode()
    assert patient.family_name.upper() in told
    assert asked.dossier.reference in client_of(expert).get(f"/expertise/{asked.pk}/").content.decode()


@pytest.mark.req("TE-04", "TE-05")
def test_the_covid_form_asks_all_of_the_general_one_and_its_own_table(home):
    asker, service = make_practitioner(home), make_pool()
    browser, asked = begin(asker, make_patient(seen_by=home), form="tle-covid")
    answers = {**ASKED, **COVID}
    refused = browser.post(f"/expertise/{asked.pk}/demande/", posted(ASKED, service=str(service.pk)))
    assert refused.status_code == 422
    assert "Statut COVID-19" in refused.content.decode()
    sent = browser.post(f"/expertise/{asked.pk}/demande/", posted(answers, service=str(service.pk)))
    assert sent.status_code == 302
    asked.refresh_from_db()
    assert asked.response.questionnaire.name == "tle-covid"
    assert set(COVID) <= set(asked.response.answers)


def test_a_request_without_service_is_not_sent_and_nothing_typed_is_lost(home):
    browser, asked = begin(make_practitioner(home), make_patient(seen_by=home))
    answer = browser.post(f"/expertise/{asked.pk}/demande/", posted(ASKED))
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "Choisissez le service" in page
    assert ASKED["tg.histoire"][0] in page


def test_a_direct_line_that_cannot_exist_is_refused_beside_its_question(home):
    service = make_pool()
    browser, asked = begin(make_practitioner(home), make_patient(seen_by=home))
    said = posted({**ASKED, "tg.rappel": ["12"]}, service=str(service.pk))
    answer = browser.post(f"/expertise/{asked.pk}/demande/", said)
    assert answer.status_code == 422
    assert "Ce numéro ne peut pas exister" in answer.content.decode()


@pytest.mark.req("TE-02")
def test_only_services_that_take_requests_and_have_somebody_are_proposed(home):
    expert = make_practitioner(make_establishment("CHU des Ormes"))
    good = make_pool(expert, name="Cardiologie ouverte", specialty="Cardiologie")
    deaf = make_pool(expert, name="Cardiologie par téléphone", specialty="Cardiologie", ways=[Way.PHONE])
    nobody = make_pool(expert, name="Cardiologie sans personne", specialty="Cardiologie")
    nobody.pool.update(until=timezone.now())
    browser = client_of(make_practitioner(home))
    found = browser.get("/expertise/services/", {"quoi": "cardio", "departement": ""}).content.decode()
    assert good.name in found
    assert deaf.name not in found
    assert nobody.name not in found
    assert "Ouvert" in found
    assert '<div id="services-count" hx-swap-oob="innerHTML">1 service' in found
    nothing = browser.get("/expertise/services/", {"quoi": "zzzz", "departement": ""}).content.decode()
    assert '<div id="services-count" hx-swap-oob="innerHTML">0 service' in nothing


def test_a_screen_reader_is_told_how_many_services_were_found_and_not_all_of_them(home):
    asker, patient = make_practitioner(home), make_patient(seen_by=home)
    browser, asked = begin(asker, patient)
    page = browser.get(f"/expertise/{asked.pk}/demande/").content.decode()
    assert 'id="services-count" role="status"' in page
    assert "aria-live" not in page.split('id="choisir"')[1].split("</fieldset>")[0]


def test_an_urgent_request_is_not_sent_to_a_service_that_is_closed(home):
    """The clock says 3:00 in Paris; a programmed one may wait for the morning."""
    asker = make_practitioner(home)
    service = make_pool(opens=time(9), closes=time(17))
    at_night = timezone.now().astimezone(PARIS).replace(hour=3, minute=0)
    with pytest.raises(Refused, match=r"est fermé et répond .* 09:00 :"):
        drafting.chosen(actor_for(asker), service.pk, "urgente", at_night)
    assert drafting.chosen(actor_for(asker), service.pk, "programmee", at_night) == service


@pytest.mark.req("TE-02")
def test_an_urgent_request_is_not_sent_on_a_day_on_which_its_service_does_not_answer(home):
    away = timezone.localdate() + timedelta(days=2)
    service = make_pool(days=[away.weekday()])
    browser, asked = begin(make_practitioner(home), make_patient(seen_by=home))
    opening = near(datetime.combine(away, time(0), tzinfo=PARIS))
    found = browser.get("/expertise/services/", {"quoi": service.name, "departement": ""}).content.decode()
    assert "répond <time" in found
    assert f">{opening}<" in found
    url, said = f"/expertise/{asked.pk}/demande/", {**ASKED, "tg.histoire": ["Chute hier."]}
    refused = browser.post(url, posted(said, service=str(service.pk)))
    assert refused.status_code == 422
    for words in (f"{service.name} est fermé et répond {opening} : choisissez un service ouvert", "Chute hier."):
        assert words in refused.content.decode(), words
    later = posted({**said, "tg.urgence": ["programmee"]}, service=str(service.pk))
    assert browser.post(url, later).status_code == 302


def test_documents_of_a_draft_are_its_author_s_and_leave_with_the_request(home):
    asker, colleague = make_practitioner(home), make_practitioner(home)
    service = make_pool()
    browser, asked = begin(asker, make_patient(seen_by=home))
    dicom = SimpleUploadedFile("coupe.dcm", b"\0" * 128 + b"DICM" + b"\x02\0\0\0UL\x04\0\0\0\0\0", "application/dicom")
    browser.post(f"/expertise/{asked.pk}/document/", {"file": dicom, "title": "Scanner"})
    document = asked.dossier.documents.get()
    assert document.file.content_type == "application/dicom"
    other = SimpleUploadedFile("note.txt", b"Bonjour\n", "text/plain")
    assert client_of(colleague).post(f"/expertise/{asked.pk}/document/", {"file": other}).status_code == 404
    browser.post(f"/expertise/{asked.pk}/demande/", posted(ASKED, service=str(service.pk)))
    asked.refresh_from_db()
    assert asked.response.answers["tg.pieces"] == [str(document.file_id)]


def test_a_document_taken_out_of_a_draft_does_not_leave_with_it(home):
    browser, asked = begin(make_practitioner(home), make_patient(seen_by=home))
    browser.post(f"/expertise/{asked.pk}/document/", {"file": SimpleUploadedFile("a.txt", b"Bonjour\n", "text/plain")})
    document = asked.dossier.documents.get()
    browser.post(f"/expertise/document/{document.pk}/enlever/")
    document.refresh_from_db()
    assert document.withdrawn_at
    assert browser.get(f"/expertise/document/{document.pk}/").status_code == 404


def test_a_draft_is_read_by_nobody_who_could_answer_and_left_by_its_author_alone(home):
    asker, colleague = make_practitioner(home), make_practitioner(home)
    scene = make_asked(state="brouillon", requester=asker)
    assert client_of(scene.expert).get(f"/expertise/{scene.asked.pk}/").status_code == 404
    assert client_of(colleague).get(f"/expertise/{scene.asked.pk}/demande/").status_code == 404
    assert client_of(colleague).post(f"/expertise/{scene.asked.pk}/cancel/").status_code == 404
    assert client_of(asker).post(f"/expertise/{scene.asked.pk}/cancel/").status_code == 302
    assert scene.again().state == "annulee"


@pytest.mark.req("TC-03")
def test_a_request_is_opened_from_another_dossier_of_the_patient(home):
    asker = make_practitioner(home)
    first = make_asked(requester=asker)
    browser, asked = begin(asker, first.patient, depuis=str(first.asked.pk))
    assert Dossier.objects.get(pk=asked.pk).origin_id == first.asked.pk
    assert first.asked.dossier.reference in browser.get(f"/expertise/{asked.pk}/demande/").content.decode()
    assert asked.dossier.reference in browser.get(f"/expertise/{first.asked.pk}/").content.decode()


@pytest.mark.req("TC-03")
def test_the_patient_s_page_lists_tele_expertises_for_those_who_read_them(home):
    asker = make_practitioner(home)
    scene = make_asked(requester=asker)
    page = client_of(asker).get(f"/patients/{scene.patient.pk}/").content.decode()
    assert "Télé-expertises" in page
    assert scene.asked.dossier.reference in page
    assert "/teleconsultation/" in page
    assert "/expertise/" in page
    secretary = client_of(make_member(home, Role.SECRETARY)).get(f"/patients/{scene.patient.pk}/").content.decode()
    assert scene.asked.dossier.reference not in secretary, "an opinion is clinical"


@pytest.mark.parametrize(
    ("verb", "said"),
    [
        ("give_complement", {"text": "94 % sous deux litres."}),
        ("cancel", {"why": "94 % sous deux litres."}),
    ],
)
def test_what_was_typed_for_a_request_that_takes_it_no_more_comes_back_with_the_refusal(verb, said):
    scene = make_asked(state="repondue")
    requester, url = client_of(scene.requester), f"/expertise/{scene.asked.pk}/"
    late = requester.post(f"{url}{verb}/", said)
    assert late.status_code == 422
    assert all(words in late.content.decode() for words in ("94 % sous deux litres.", "n’est plus possible"))
    assert f'hx-get="{url}"' in late.content.decode(), "a page that stays live"
    assert requester.post(f"{url}{verb}/", dict.fromkeys(said, " ")).status_code == 302, "nothing to keep"
