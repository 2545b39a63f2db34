"""An opinion that was asked from a nursing home's request comes back into it: whoever reads the request reads it."""

from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from relais.accounts.models import Role
from relais.accounts.testing import actor_for, client_of, make_establishment, make_member, make_practitioner
from relais.dossiers.models import Document
from relais.expertise.actions import answering, correcting, drafting, keeping
from relais.expertise.models import Expertise
from relais.expertise.testing import ASKED, make_pool, opinion_page
from relais.liaison.actions import leaving
from relais.liaison.models import Note
from relais.liaison.queries.sbar import sbar
from relais.liaison.testing import make_home, owning, taken
from relais.notifications.models import Message
from relais.questionnaires.actions import Times
from relais.questionnaires.queries import current

pytestmark = [pytest.mark.django_db, pytest.mark.req("FG-02"), pytest.mark.req("TE-06")]


def ask(scene, demand, member=None, **pool):
    """The doctor on call asks an expert from the request of the nursing home; (the request, its expert)."""
    asker = actor_for(member or scene.doctor)
    expert = make_practitioner(make_establishment("CHU des Ormes"), family_name="Savant", specialty="Cardiologie")
    service = make_pool(expert, name="Avis cardiologique", specialty="Cardiologie", **pool)
    draft = drafting.start(
        actor=asker, patient=demand.patient, form="tle-general", request_key=uuid4(), origin_id=demand.pk
    )
    page = drafting.Page(current("tle-general"), ASKED, uuid4(), Times(timezone.now()), service.pk)
    return drafting.send(actor=asker, asked=draft, page=page), expert


def answer(asked, expert, **said):
    answering.take(actor=actor_for(expert), asked=asked)
    return answering.answer(actor=actor_for(expert), asked=asked, page=opinion_page(**said))


def text_of(member, address):
    return client_of(member).get(address).content.decode()


def page_of(demand):
    return reverse("liaison:request", args=[demand.pk])


def test_everybody_who_reads_the_request_reads_that_an_opinion_was_asked_and_where_it_stands():
    scene = make_home()
    demand = taken(scene)
    asked, expert = ask(scene, demand)
    nurse = text_of(scene.nurse, page_of(demand))
    assert "Avis demandé à Avis cardiologique (CHU des Ormes)" in nurse
    assert "Avis cardiologique (CHU des Ormes) : envoyée" in nurse
    assert reverse("expertise:request", args=[asked.pk]) not in nurse, "the state, without a way in"
    assert client_of(scene.nurse).get(reverse("expertise:request", args=[asked.pk])).status_code == 404
    assert reverse("expertise:request", args=[asked.pk]) in text_of(scene.doctor, page_of(demand))
    answering.take(actor=actor_for(expert), asked=asked)
    assert "Avis cardiologique (CHU des Ormes) : prise en charge" in text_of(scene.nurse, page_of(demand))


def test_a_signed_opinion_comes_back_with_its_author_its_words_and_its_pdf_to_all_who_read_the_request():
    scene = make_home()
    demand = taken(scene)
    asked, expert = ask(scene, demand)
    answer(asked, expert, tr__cat=["Augmenter le furosémide."])
    owning.redirect(actor=scene.doctor_actor, demand=demand)
    copied = Document.objects.get(dossier=demand.pk)
    original = asked.opinions.get().document
    assert copied.file.sha256 == original.file.sha256
    for member in (scene.nurse, scene.doctor, scene.regulator):
        text = text_of(member, page_of(demand))
        assert "Savant" in text
        assert "Cardiologie" in text
        assert "Augmenter le furosémide." in text
        assert client_of(member).get(reverse("liaison:document", args=[copied.pk])).status_code == 200
    assert client_of(scene.nurse).get(reverse("expertise:document", args=[original.pk])).status_code == 404


def test_who_does_not_read_the_request_reads_nothing_of_the_opinion():
    scene = make_home()
    demand = taken(scene)
    asked, expert = ask(scene, demand)
    answer(asked, expert)
    copied = Document.objects.get(dossier=demand.pk)
    secretary = make_member(scene.home, Role.SECRETARY)
    stranger = make_practitioner(make_establishment("Ailleurs"))
    for member in (secretary, stranger, expert):
        assert client_of(member).get(page_of(demand)).status_code in (403, 404)
        assert client_of(member).get(reverse("liaison:document", args=[copied.pk])).status_code in (403, 404)


def test_what_came_back_is_unread_until_it_was_seen():
    scene = make_home()
    demand = taken(scene)
    asked, expert = ask(scene, demand)
    browser = client_of(scene.nurse)
    last = Note.objects.get(demand=demand)
    browser.post(reverse("liaison:mark_read", args=[demand.pk]) + f"?vu={last.pk}")
    assert browser.get(page_of(demand)).context["unread"] == 0
    answer(asked, expert)
    assert browser.get(page_of(demand)).context["unread"] == 1
    assert "1 note non lue" in browser.get(reverse("liaison:residents")).content.decode()
    assert "1 note non lue" in text_of(scene.doctor, reverse("liaison:on_call"))


@pytest.mark.req("FG-03")
def test_the_opinion_stands_in_the_sbar_and_on_the_sheet_of_the_resident():
    scene = make_home()
    demand = taken(scene)
    asked, expert = ask(scene, demand)
    assert "Avis demandé à Avis cardiologique" in sbar(demand, timezone.now())["assessment"]
    answer(asked, expert, tr__cat=["Augmenter le furosémide."])
    assessment = sbar(demand, timezone.now())["assessment"]
    assert "Augmenter le furosémide." in assessment
    assert "Avis demandé à" not in assessment, "one that was given is awaited no more"
    assert "Augmenter le furosémide." in text_of(scene.nurse, reverse("liaison:sheet", args=[scene.resident.pk]))


def test_a_refusal_a_cancellation_and_a_second_opinion_come_back_too():
    scene = make_home()
    demand = taken(scene)
    refused, expert = ask(scene, demand)
    answering.refuse(actor=actor_for(expert), asked=refused, reason="indisponible", note="Essayez demain.")
    cancelled, _expert = ask(scene, demand)
    keeping.cancel(actor=scene.doctor_actor, asked=cancelled, why="La patiente va mieux.")
    twice, first = ask(scene, demand)
    answer(twice, first)
    other = make_practitioner(make_establishment("CHU du Saule"), family_name="Second", specialty="Neurologie")
    again = make_pool(other, name="Avis neurologique")
    answering.second_opinion(actor=scene.doctor_actor, asked=Expertise.objects.get(pk=twice.pk), service_id=again.pk)
    answer(Expertise.objects.get(pk=twice.pk), other, tr__conclusion=["Plutôt un AVC."])
    text = text_of(scene.nurse, page_of(demand))
    for words in (
        "ne donne pas d’avis : indisponible. Essayez demain.", "Demande d’avis annulée : La patiente va mieux.",
        "Second avis demandé à Avis neurologique (CHU du Saule)", "Second avis rendu par Avis neurologique",
        "Plutôt un AVC.",
    ):  # fmt: skip
        assert words in text
    assert Document.objects.filter(dossier=demand.pk).count() == 2


def test_an_opinion_on_the_wrong_person_goes_from_the_request_too():
    scene = make_home()
    demand = taken(scene)
    asked, expert = ask(scene, demand)
    answer(asked, expert)
    original = asked.opinions.get().document
    keeping.withdraw(actor=actor_for(expert), asked=asked, document=original, why="Mauvais patient")
    copied = Document.objects.get(dossier=demand.pk)
    assert client_of(scene.nurse).get(reverse("liaison:document", args=[copied.pk])).status_code == 404
    assert reverse("liaison:document", args=[copied.pk]) not in text_of(scene.nurse, page_of(demand))


def test_a_draft_and_an_opinion_asked_from_nowhere_are_told_to_nobody():
    scene = make_home()
    demand = taken(scene)
    drafting.start(
        actor=scene.doctor_actor, patient=demand.patient, form="tle-general", request_key=uuid4(), origin_id=demand.pk
    )
    assert "A donné lieu à" not in text_of(scene.nurse, page_of(demand))
    assert not Note.objects.exists()


def test_nobody_corrects_what_came_from_another_dossier_though_it_stands_under_their_name():
    scene = make_home()
    demand = taken(scene)
    ask(scene, demand)
    asked = Note.objects.get(demand=demand)
    assert asked.author == scene.doctor.user
    assert reverse("liaison:amend", args=[asked.pk]) not in text_of(scene.doctor, page_of(demand))
    client_of(scene.doctor).post(reverse("liaison:amend", args=[asked.pk]), {"text": "Autre chose"})
    assert Note.objects.get(pk=asked.pk).text == asked.text


def test_the_doctor_who_has_the_request_hears_of_an_opinion_that_somebody_else_asked():
    scene = make_home()
    demand = taken(scene)
    asked, expert = ask(scene, demand, make_practitioner(scene.home))
    told = Message.objects.filter(type="liaison.news", about=demand.pk, holder_id=scene.doctor.user_id)
    before = told.count()
    answer(asked, expert)
    assert told.count() == before + 1
    mine, other = ask(scene, demand)
    answer(mine, other)
    assert told.count() == before + 1, "tele-expertise tells whoever asked"


def test_an_opinion_on_a_resident_who_entered_another_home_goes_to_the_request_there():
    scene = make_home()
    demand = taken(scene)
    asked, expert = ask(scene, demand)
    made = leaving.go_to_home(
        actor=scene.nurse_actor, demand=demand, said=leaving.Leaving(timezone.now(), "Rapprochement familial"),
        home=make_home().home,
    )  # fmt: skip
    answer(asked, expert, tr__cat=["Augmenter le furosémide."])
    assert "Augmenter le furosémide." in text_of(scene.doctor, page_of(made))
    assert "Augmenter le furosémide." not in text_of(scene.nurse, page_of(demand))
    assert Document.objects.filter(dossier=made.pk).count() == 1


def test_a_corrected_opinion_comes_back_as_what_replaces_the_former():
    scene = make_home()
    demand = taken(scene)
    asked, expert = ask(scene, demand)
    first = answer(asked, expert, tr__cat=["Donner 50 mg."])
    second = correcting.correct(
        actor=actor_for(expert), asked=asked, opinion=first, page=opinion_page(tr__cat=["Donner 5 mg."]), why="Dose."
    )
    text = text_of(scene.nurse, page_of(demand))
    for words in (
        "Avis corrigé par Avis cardiologique (CHU des Ormes), qui remplace celui du",
        "Motif : Dose.",
        "5 mg.",
    ):
        assert words in text, words
    assert Document.objects.filter(dossier=demand.pk, file__sha256=second.document.file.sha256).exists()
