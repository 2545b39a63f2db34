"""Answering: taken once, complements, the signed opinion, a second one, sending on, converting."""

import re
from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone
from django.utils.formats import date_format

from relais.accounts.testing import actor_for, client_of, make_establishment, make_practitioner
from relais.core.errors import NotFound, Refused
from relais.core.testing.pdfs import text_of
from relais.core.testing.races import at_once
from relais.core.times import near
from relais.dossiers.models import Participant
from relais.expertise.actions import answering, drafting, keeping, meeting, wording
from relais.expertise.models import Opinion
from relais.expertise.testing import make_asked, make_pool, opinion_page, posted
from relais.files import clamav
from relais.files.actions import read
from relais.files.tests import make
from relais.notifications import registry
from relais.notifications.models import Message
from relais.oncall.models import PoolMember
from relais.oncall.testing import join
from relais.patients.actions import record_death
from relais.rooms.models import Room

pytestmark = pytest.mark.django_db


def page_of(member, scene):
    return client_of(member).get(f"/expertise/{scene.asked.pk}/").content.decode()


@pytest.mark.django_db(transaction=True)
def test_of_two_experts_who_take_it_in_the_same_second_one_has_it_and_the_other_reads_who():
    scene = make_asked()
    other = make_practitioner(scene.expert.establishment, family_name="Second")
    join(scene.service, other)
    people = (scene.expert, other)
    found = at_once(*(partial(answering.take, actor=actor_for(one), asked=scene.asked) for one in people))
    had = scene.again().expert
    (refused,) = [one for one in found if isinstance(one, Refused)]
    assert f"{had.full_name} a pris cette demande en charge" in refused.message


@pytest.mark.django_db(transaction=True)
def test_whoever_takes_a_request_does_not_wait_for_a_file_of_it_that_is_being_scanned(monkeypatch):
    scene = make_asked()
    take = partial(answering.take, actor=scene.doctor, asked=scene.asked)
    monkeypatch.setattr(clamav, "scan", lambda _stream: at_once(take))
    drafting.attach(actor=scene.asker, asked=scene.asked, upload=make.pdf(), title="ECG")
    assert (scene.again().expert, scene.asked.dossier.documents.count()) == (scene.expert.user, 1)


def test_who_comes_too_late_reads_on_which_day_it_was_taken():
    day = timezone.now() - timedelta(days=3)
    scene = make_asked(state="prise-en-charge", urgency="programmee", taken_at=day)
    other = make_practitioner(scene.expert.establishment)
    join(scene.service, other)
    with pytest.raises(Refused) as refused:
        answering.take(actor=actor_for(other), asked=scene.asked)
    assert refused.value.message.endswith(f"a pris cette demande en charge {near(day)}.")
    assert date_format(timezone.localtime(day), "l j F") in refused.value.message


def test_taking_twice_is_taking_once():
    scene = make_asked()
    answering.take(actor=scene.doctor, asked=scene.asked)
    answering.take(actor=scene.doctor, asked=scene.asked)
    assert scene.again().dossier.events.filter(verb="take").count() == 1


@pytest.mark.req("TE-05")
@pytest.mark.parametrize("state", ["brouillon", "envoyee", "complement-demande", "convertie-visio"])
def test_a_death_noted_anywhere_cancels_what_awaits_an_answer_and_tells_the_expert_who_has_it(state):
    scene = make_asked(state=state)
    record_death(actor=scene.asker, patient=scene.patient, on=timezone.localdate())
    found = scene.again()
    assert (found.state, found.cancel_reason, found.dossier.phase) == ("annulee", "Décès du patient", "cancelled")
    assert (found.left, found.draft) == (None, {})
    wanted = [("expertise.cancelled", scene.expert.user_id)] if found.expert_id else []
    assert list(Message.objects.values_list("type", "holder_id")) == wanted
    event = found.dossier.events.get(verb="died")
    assert (event.actor_kind, event.data["source"]) == ("system", state)
    if found.sent_at:
        page = client_of(scene.requester).get(f"/expertise/{found.pk}/").content.decode()
        for words in ("Décès du patient", "Demande annulée après le décès du patient"):
            assert words in page


@pytest.mark.req("TE-05")
@pytest.mark.parametrize("state", ["repondue", "refusee", "convertie-admission", "cloturee"])
def test_a_death_leaves_what_was_answered_as_it_is(state):
    scene = make_asked(state=state)
    record_death(actor=scene.asker, patient=scene.patient, on=timezone.localdate())
    assert (scene.again().state, Message.objects.count()) == (state, 0)


@pytest.mark.req("TE-05")
def test_the_clock_stands_still_while_a_complement_is_awaited():
    at = timezone.now()
    scene = make_asked(state="prise-en-charge", sent_at=at - timedelta(hours=1))
    answering.ask_complement(actor=scene.doctor, asked=scene.asked, text="Quelle SpO2 ?", now=at)
    waiting = scene.again()
    assert not waiting.is_overdue(at + timedelta(days=3))
    page = client_of(scene.requester).get(f"/expertise/{scene.asked.pk}/").content.decode()
    assert "Quelle SpO2 ?" in page
    later = at + timedelta(days=1)
    answering.give_complement(actor=scene.asker, asked=scene.asked, text="94 % en air ambiant", now=later)
    given = scene.again()
    assert given.state == "complement-fourni"
    assert abs(given.due_at - (later + timedelta(hours=1))) < timedelta(seconds=1), "what was left: one hour of two"
    types = set(Message.objects.filter(about=scene.asked.pk).values_list("type", "holder_id"))
    assert types == {
        ("expertise.complement", scene.requester.user_id), ("expertise.given", scene.expert.user_id),
    }  # fmt: skip


@pytest.mark.req("TE-01", "TE-03")
def test_an_opinion_is_signed_printed_and_told_without_a_clinical_word():
    scene = make_asked(state="prise-en-charge")
    browser = client_of(scene.expert)
    assert "Faut-il hospitaliser" in browser.get(f"/expertise/{scene.asked.pk}/avis/").content.decode()
    said = posted({"tr.conclusion": ["Hématome peu probable."], "tr.cat": ["Surveillance."], "tr.orientation": ["had"]})
    for _click in range(2):
        assert browser.post(f"/expertise/{scene.asked.pk}/avis/", said).status_code == 302
    opinion = Opinion.objects.get(expertise=scene.asked)
    assert (opinion.number, opinion.rpps, opinion.expert_id) == (1, scene.expert.user.rpps, scene.expert.user_id)
    asked = scene.again()
    assert (asked.state, asked.orientation, asked.dossier.phase) == ("repondue", "had", "done")
    printed = text_of(read(opinion.document.file))
    for words in (
        "Hématome peu probable.", scene.expert.user.rpps, scene.requester.user.full_name, "Faut-il hospitaliser",
        opinion.digest[:8], asked.dossier.reference, scene.patient.birth_family_name.upper(), "provisoire",
    ):  # fmt: skip
        assert words in printed, words
    page = client_of(scene.requester).get(f"/expertise/{scene.asked.pk}/").content.decode()
    assert "Hématome peu probable." in page
    assert opinion.digest in page
    told = Message.objects.get(about=scene.asked.pk, type="expertise.answered")
    assert told.holder_id == scene.requester.user_id
    assert set(told.context) == {"given_name", "link"}


def test_an_expert_without_rpps_number_signs_nothing_and_knows_it_before_writing():
    scene = make_asked(state="prise-en-charge")
    form = f"/expertise/{scene.asked.pk}/avis/"
    assert "Vous ne pourrez pas signer" not in client_of(scene.expert).get(form).content.decode()
    scene.expert.user.rpps = None
    scene.expert.user.save()
    page = client_of(scene.expert).get(form).content.decode()
    assert "Vous ne pourrez pas signer" in page
    assert "/aide/" in page
    with pytest.raises(Refused, match="RPPS"):
        answering.answer(actor=scene.doctor, asked=scene.asked, page=opinion_page())
    assert scene.again().state == "prise-en-charge"


def test_a_second_opinion_is_asked_of_another_service_in_the_same_thread_and_no_third():
    scene = make_asked(state="prise-en-charge")
    answering.answer(actor=scene.doctor, asked=scene.asked, page=opinion_page())
    other = make_practitioner(make_establishment("Institut"), family_name="Deux")
    second = make_pool(other, name="Neurologie", specialty="Neurologie")
    with pytest.raises(Refused, match="déjà rendu un avis"):
        answering.second_opinion(actor=scene.asker, asked=scene.asked, service_id=scene.service.pk)
    url = f"/expertise/{scene.asked.pk}/confier/second-avis/"
    assert client_of(scene.requester).post(url, {"service": str(second.pk)}).status_code == 302
    answering.take(actor=actor_for(other), asked=scene.asked)
    answering.answer(actor=actor_for(other), asked=scene.asked, page=opinion_page(tr__conclusion=["Avis neuro."]))
    page = client_of(scene.expert).get(f"/expertise/{scene.asked.pk}/")
    assert page.status_code == 200, "the first expert goes on reading"
    assert "Avis neuro." in page.content.decode()
    assert "second-avis" not in client_of(scene.requester).get(f"/expertise/{scene.asked.pk}/").content.decode()
    with pytest.raises(Refused, match="Deux avis"):
        answering.second_opinion(actor=scene.asker, asked=scene.asked, service_id=make_pool().pk)


@pytest.mark.req("TE-05")
def test_a_redirected_request_keeps_its_thread_and_leaves_its_old_pool():
    scene = make_asked(state="prise-en-charge")
    keeping.add_note(actor=scene.doctor, asked=scene.asked, text="Plutôt une question de cardiologie.")
    new = make_practitioner(make_establishment("Institut du cœur"))
    pool = make_pool(new, name="Cardiologie")
    url = f"/expertise/{scene.asked.pk}/confier/reorienter/"
    assert client_of(scene.expert).post(url, {"service": str(pool.pk)}).status_code == 302
    asked = scene.again()
    assert (asked.state, asked.service_id, asked.expert_id) == ("reorientee", pool.pk, None)
    assert "question de cardiologie" in client_of(new).get(f"/expertise/{asked.pk}/").content.decode()
    assert client_of(scene.expert).get(f"/expertise/{asked.pk}/").status_code == 404
    assert Participant.objects.filter(dossier=asked.dossier, service=scene.service, until=None).count() == 0


def test_redirecting_what_an_expert_has_tells_them_and_goes_on_with_what_was_left_of_the_delay():
    at = timezone.now()
    scene = make_asked(state="prise-en-charge", sent_at=at - timedelta(hours=1))
    answering.ask_complement(actor=scene.doctor, asked=scene.asked, text="Quelle SpO2 ?", now=at)
    later = at + timedelta(hours=6)
    answering.redirect(actor=scene.asker, asked=scene.asked, service_id=make_pool().pk, now=later)
    asked = scene.again()
    assert abs(asked.due_at - (later + timedelta(hours=1))) < timedelta(seconds=1)
    assert asked.left is None
    told = Message.objects.get(about=asked.pk, holder_id=scene.expert.user_id)
    assert (told.type, told.context["link"].endswith("/expertise/")) == ("expertise.moved", True)


def test_who_signs_what_was_redirected_meanwhile_gets_a_sentence_and_the_text_back():
    scene = make_asked()
    answering.take(actor=scene.doctor, asked=scene.asked)
    answering.redirect(actor=scene.asker, asked=scene.asked, service_id=make_pool().pk)
    said = posted({"tr.conclusion": ["Hématome peu probable."], "tr.cat": ["Surveillance."], "tr.orientation": ["had"]})
    url = f"/expertise/{scene.asked.pk}/avis/"
    answer = client_of(scene.expert).post(url, said)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Hématome peu probable." in page
    assert "confiée à un autre service" in page
    assert scene.patient.birth_family_name.upper() not in page.upper()
    assert client_of(make_practitioner()).post(url, said).status_code == 404, "who never had it learns nothing"
    assert not Opinion.objects.exists()


def test_a_service_that_gave_the_first_opinion_is_not_redirected_the_second_one():
    scene = make_asked(state="prise-en-charge")
    answering.answer(actor=scene.doctor, asked=scene.asked, page=opinion_page())
    second = make_pool()
    answering.second_opinion(actor=scene.asker, asked=scene.asked, service_id=second.pk)
    with pytest.raises(Refused, match="déjà rendu un avis"):
        answering.redirect(actor=scene.asker, asked=scene.asked, service_id=scene.service.pk)
    assert scene.again().service_id == second.pk


def test_an_admission_is_not_proposed_to_a_service_where_nobody_would_be_told():
    scene = make_asked(state="prise-en-charge")
    ward = make_pool(name="Médecine aiguë gériatrique")
    PoolMember.objects.filter(service=ward).update(until=timezone.now())
    url = f"/expertise/{scene.asked.pk}/confier/admission/"
    answer = client_of(scene.expert).post(url, {"service": str(ward.pk), "text": "Attendue à 15 h, lit 12."})
    assert answer.status_code == 422
    assert "Personne ne serait prévenu" in answer.content.decode()
    assert scene.again().state == "prise-en-charge"


def test_a_refusal_has_a_reason_and_the_requester_asks_elsewhere():
    scene = make_asked()
    with pytest.raises(Refused, match="motif du refus"):
        answering.refuse(actor=scene.doctor, asked=scene.asked, reason="bof")
    assert '<option value="" selected>Choisissez un motif' in page_of(scene.expert, scene), "none is chosen for them"
    said = {"reason": "hors-competence", "note": "Voir la neurologie."}
    client_of(scene.expert).post(f"/expertise/{scene.asked.pk}/refuse/", said)
    page = client_of(scene.requester).get(f"/expertise/{scene.asked.pk}/").content.decode()
    assert "Hors compétence" in page
    assert "Voir la neurologie." in page
    assert "Réorientez-la vers un autre service" in page
    assert "Réorientez-la vers un autre service" not in page_of(scene.expert, scene)
    answering.redirect(actor=scene.asker, asked=scene.asked, service_id=make_pool().pk)
    assert scene.again().refusal == ""


def test_a_visio_opens_a_room_for_both_sides_that_ends_with_the_opinion():
    scene = make_asked(state="prise-en-charge")
    client_of(scene.expert).post(f"/expertise/{scene.asked.pk}/to_visio/")
    for member in (scene.expert, scene.requester):
        browser = client_of(member)
        assert browser.post(f"/expertise/{scene.asked.pk}/rejoindre/").status_code == 302
        page = browser.get(f"/expertise/{scene.asked.pk}/appel/").content.decode()
        assert "Revenir à la demande" in page
        assert "mes rendez-vous" not in page
    with pytest.raises(NotFound):
        meeting.join(actor=actor_for(make_practitioner()), asked=scene.again())
    answering.answer(actor=scene.doctor, asked=scene.asked, page=opinion_page(tr__visio=[True], tr__visio__duree=[12]))
    assert Room.objects.get(about=scene.asked.pk).ended_at
    with pytest.raises(Refused, match="pas ouverte"):
        meeting.join(actor=scene.doctor, asked=scene.again())


def test_an_admission_lets_the_admitting_service_in_and_tells_it():
    scene = make_asked(state="prise-en-charge")
    doctor = make_practitioner(make_establishment("Hôpital Sud"))
    ward = make_pool(doctor, name="Médecine aiguë gériatrique")
    url = f"/expertise/{scene.asked.pk}/confier/admission/"
    empty = client_of(scene.expert).post(url, {"service": str(ward.pk), "text": ""})
    assert empty.status_code == 422
    client_of(scene.expert).post(url, {"service": str(ward.pk), "text": "Attendue à 15 h, lit 12."})
    assert scene.again().state == "convertie-admission"
    assert "lit 12" in client_of(doctor).get(f"/expertise/{scene.asked.pk}/").content.decode()
    assert Message.objects.filter(about=scene.asked.pk, holder_id=doctor.user_id).exists()


@pytest.mark.req("TE-03")
def test_closing_says_what_became_of_the_recourse_to_hospital_then_only_an_addendum_is_added():
    scene = make_asked(state="repondue")
    browser = client_of(scene.requester)
    browser.post(f"/expertise/{scene.asked.pk}/close/", {})
    assert scene.again().state == "repondue", "a word about it is asked for"
    browser.post(f"/expertise/{scene.asked.pk}/close/", {"recourse": "evite"})
    assert (scene.again().state, scene.again().recourse) == ("cloturee", "evite")
    refused = browser.post(f"/expertise/{scene.asked.pk}/note/", {"text": "Trop tard"})
    assert refused.status_code == 422
    added = browser.post(f"/expertise/{scene.asked.pk}/note/", {"text": "Va mieux à J7.", "addendum": "1"})
    assert added.status_code == 302
    assert "Va mieux à J7." in browser.get(f"/expertise/{scene.asked.pk}/").content.decode()


def test_cancelling_needs_a_reason_that_the_expert_reads():
    scene = make_asked(state="prise-en-charge")
    with pytest.raises(Refused, match="pourquoi"):
        keeping.cancel(actor=scene.asker, asked=scene.asked, why=" ")
    keeping.cancel(actor=scene.asker, asked=scene.asked, why="La patiente est partie au SAMU.")
    assert "partie au SAMU" in client_of(scene.expert).get(f"/expertise/{scene.asked.pk}/").content.decode()


@pytest.mark.req("TE-01")
def test_names_in_the_thread_bear_role_and_specialty_and_what_is_new_is_marked_until_read():
    scene = make_asked(state="prise-en-charge")
    asker, expert = client_of(scene.requester), client_of(scene.expert)
    expert.get(f"/expertise/{scene.asked.pk}/")
    asker.post(f"/expertise/{scene.asked.pk}/note/", {"text": "La famille a rappelé."})
    asker.post(f"/expertise/{scene.asked.pk}/note/", {"text": "Et encore."})
    assert Message.objects.filter(about=scene.asked.pk, holder_id=scene.expert.user_id).count() == 1, "told once"
    assert "Non lu" in expert.get("/expertise/?liste=moi").content.decode()
    page = expert.get(f"/expertise/{scene.asked.pk}/").content.decode()
    assert "Médecin, Médecine générale" in page
    assert f"· {scene.requester.establishment.name}" in page
    assert "Non lu" in page
    assert "Non lu" in expert.get(f"/expertise/{scene.asked.pk}/").content.decode(), "a tab that nobody looks at"
    (read,) = re.findall(r'hx-post="(/expertise/[^"]+)" hx-trigger="seen" hx-swap="none" data-read-when-seen', page)
    assert "core/ui/seen.js" in page
    asker.post(f"/expertise/{scene.asked.pk}/note/", {"text": "Elle est plus calme."})
    assert expert.post(read).status_code == 204
    assert expert.post(read.split("=")[0] + "=2026-13-45T99:99Z").status_code == 204, (
        "what cannot be read marks nothing"
    )
    page = expert.get(f"/expertise/{scene.asked.pk}/").content.decode()
    assert page.count('class="is-unread"') == 1, "what came since the page was drawn"
    (read,) = re.findall(r'hx-post="(/expertise/[^"]+)"', page)
    assert expert.post(read).status_code == 204
    assert client_of(make_practitioner(make_establishment("Ailleurs"))).post(read).status_code == 404
    assert "Non lu" not in expert.get(f"/expertise/{scene.asked.pk}/").content.decode()
    assert "Non lu" not in asker.get("/expertise/?liste=demandes").content.decode()


def test_recommended_texts_belong_to_the_experts_of_a_service():
    scene = make_asked(state="prise-en-charge")
    browser = client_of(scene.expert)
    said = {"title": "Chute sous AVK", "conclusion": "Scanner au moindre doute.", "conduct": ""}
    assert browser.post(f"/expertise/service/{scene.service.pk}/textes/", said).status_code == 302
    assert browser.post(f"/expertise/service/{scene.service.pk}/textes/", said).status_code == 422, "one of a title"
    assert "Scanner au moindre doute." in browser.get(f"/expertise/{scene.asked.pk}/avis/").content.decode()
    with pytest.raises(NotFound):
        wording.add(actor=scene.asker, service=scene.service, title="x", conclusion="y", conduct="")
    own = scene.service.wordings.get()
    assert browser.post(f"/expertise/textes/{own.pk}/retirer/").status_code == 302
    assert not scene.service.wordings.exists()


@pytest.mark.req("TE-01")
@pytest.mark.parametrize(("urgency", "channel"), [("immediate", "sms"), ("urgente", "sms"), ("programmee", "email")])
def test_the_opinion_on_a_request_that_cannot_wait_is_told_by_sms(urgency, channel):
    scene = make_asked(state="prise-en-charge", urgency=urgency)
    scene.requester.user.mobile = "+33639980001"
    scene.requester.user.save()
    answering.answer(actor=scene.doctor, asked=scene.asked, page=opinion_page())
    told = Message.objects.get(about=scene.asked.pk, type="expertise.answered")
    assert (told.channel, told.holder_id) == (channel, scene.requester.user_id)


def test_the_refusal_of_a_request_that_cannot_wait_is_told_by_sms_while_it_stands():
    phone = "+33639980001"
    for urgency, channel in (("immediate", "sms"), ("urgente", "sms"), ("programmee", "email")):
        scene = make_asked(urgency=urgency)
        scene.requester.user.mobile = phone
        scene.requester.user.save()
        answering.refuse(actor=scene.doctor, asked=scene.asked, reason="indisponible")
        told = Message.objects.get(about=scene.asked.pk)
        assert (told.type, told.channel, told.holder_id) == ("expertise.refused", channel, scene.requester.user_id)
        assert registry.TYPES[told.type].still_wanted(told)
        answering.redirect(actor=scene.asker, asked=scene.asked, service_id=make_pool().pk)
        assert not registry.TYPES[told.type].still_wanted(told)
