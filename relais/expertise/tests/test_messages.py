"""What each side is told, in words that are true of them: a sentence for each thing that happened."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from relais.accounts.actions import members
from relais.accounts.models import Membership, Role
from relais.accounts.testing import actor_for, client_of, make_establishment, make_member, make_practitioner
from relais.expertise import messages
from relais.expertise.actions import answering, drafting, keeping
from relais.expertise.testing import ANSWER, make_asked, make_pool, posted
from relais.files.tests import make
from relais.notifications import registry
from relais.notifications.models import Message
from relais.oncall.testing import join

pytestmark = pytest.mark.django_db


def mobile(member, number):
    member.user.mobile = number
    member.user.save()


def told(member):
    """(channel, words) of the one message that awaits somebody."""
    message = Message.objects.get(holder_id=member.user_id)
    rendered = registry.TYPES[message.type].render(message, {})
    return message.channel, rendered.text


@pytest.mark.req("TE-05")
@pytest.mark.parametrize(("urgency", "channel"), [("immediate", "sms"), ("urgente", "sms"), ("programmee", "email")])
def test_an_admitting_service_is_told_that_a_file_is_addressed_to_it_and_the_requester_that_there_is_an_answer(
    urgency, channel
):
    scene = make_asked(state="prise-en-charge", urgency=urgency)
    doctor = make_practitioner(make_establishment("Hôpital Sud"))
    ward = make_pool(doctor, name="Médecine aiguë gériatrique")
    mobile(doctor, "+33639980002")
    mobile(scene.requester, "+33639980001")
    answering.to_admission(actor=scene.doctor, asked=scene.asked, service_id=ward.pk, text="Attendue à 15 h, lit 12.")
    there, words = told(doctor)
    assert there == channel
    assert "n dossier vous est adressé : lisez-le maintenant." in words
    assert "lit 12" not in words
    there, words = told(scene.requester)
    assert there == channel
    assert "ous avez une réponse à votre demande." in words


@pytest.mark.req("TE-05")
def test_an_expert_reads_what_became_of_the_request_that_they_had():
    late = timezone.now() - timedelta(days=1)
    taken, cancelled, noted = (make_asked(state="prise-en-charge", sent_at=late) for _one in range(3))
    for number, scene in enumerate((taken, cancelled, noted)):
        mobile(scene.expert, f"+3363998000{number}")
    colleague = make_practitioner(taken.expert.establishment)
    join(taken.service, colleague)
    answering.take_over(actor=actor_for(colleague), asked=taken.asked)
    keeping.cancel(actor=cancelled.asker, asked=cancelled.asked, why="Partie au SAMU.")
    keeping.add_note(actor=noted.asker, asked=noted.asked, text="La famille a rappelé.")
    for scene, channel, words in (
        (taken, "sms", "est reprise par un autre médecin de votre équipe"),
        (cancelled, "sms", "est annulée"),
        (noted, "email", "Une note vous attend"),
    ):
        there, said = told(scene.expert)
        assert there == channel
        assert words in said
        assert "otre demande" not in said, "they asked for nothing"


@pytest.mark.req("TE-01")
def test_a_document_that_comes_after_the_sending_is_unread_for_the_other_side_and_told_once_by_e_mail():
    """As a note; what left with the request is read with it."""
    scene = make_asked(state="prise-en-charge", sent_at=timezone.now() - timedelta(hours=1))
    mobile(scene.expert, "+33639980009")
    expert, asker = client_of(scene.expert), client_of(scene.requester)
    mine, page = "/expertise/?liste=moi", f"/expertise/{scene.asked.pk}/"
    assert "Non lu" not in expert.get(mine).content.decode()
    for title in ("ECG", "ECG, suite"):
        drafting.attach(actor=scene.asker, asked=scene.again(), upload=make.pdf(), title=title)
    assert told(scene.expert)[0] == "email"
    assert Message.objects.filter(type="expertise.document").count() == 1
    assert "Non lu" in expert.get(mine).content.decode()
    opened = expert.get(page).content.decode()
    assert opened.count("Non lu</") == 2
    assert "Non lu" not in asker.get(page).content.decode()
    expert.post(re.search(r'hx-post="([^"]*jusqu[^"]*)"', opened)[1])
    assert "Non lu" not in expert.get(page).content.decode()
    assert "Non lu" not in expert.get(mine).content.decode()


def answered(scene):
    """What an expert does that the side that asks must hear of, each on a request of its own."""
    expert, page = client_of(scene.expert), f"/expertise/{scene.asked.pk}"
    return {
        "expertise.answered": lambda: expert.post(f"{page}/avis/", posted(ANSWER)),
        "expertise.complement": lambda: expert.post(f"{page}/ask_complement/", {"text": "Quelle SpO2 ?"}),
        "expertise.refused": lambda: expert.post(f"{page}/refuse/", {"reason": "hors-competence"}),
        "expertise.note": lambda: expert.post(f"{page}/note/", {"text": "Je regarde."}),
        "expertise.visio": lambda: expert.post(f"{page}/to_visio/"),
    }


KINDS = ("expertise.answered", "expertise.complement", "expertise.refused", "expertise.note", "expertise.visio")


@pytest.mark.req("TE-05")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("left", ["the establishment", "clinical work", "nothing"])
def test_once_the_requester_reads_it_no_more_the_practitioners_of_the_establishment_are_told(kind, left):
    """As long as they do, nobody else is."""
    scene = make_asked(state="prise-en-charge")
    home = scene.requester.establishment
    colleague, manager = make_practitioner(home), make_member(home, Role.MANAGER)
    make_member(home, Role.CAREGIVER)
    make_practitioner(make_establishment("Ailleurs"), user=scene.requester.user)
    if left == "the establishment":
        members.remove_member(actor=actor_for(manager), membership_id=scene.requester.pk)
    elif left == "clinical work":
        members.change_role(actor=actor_for(manager), membership_id=scene.requester.pk, role=Role.SECRETARY)
    assert answered(scene)[kind]().status_code == 302
    awaited = scene.requester if left == "nothing" else colleague
    assert list(Message.objects.filter(type=kind).values_list("holder_id", flat=True)) == [awaited.user_id]
    assert client_of(awaited).get(f"/expertise/{scene.asked.pk}/").status_code == 200, "their link leads to it"


@pytest.mark.req("TE-05")
def test_where_the_requester_has_left_and_no_practitioner_works_its_caregivers_are_told_each_once():
    scene = make_asked(state="prise-en-charge")
    home = scene.requester.establishment
    nurses = [make_member(home, Role.CAREGIVER) for _one in range(2)]
    gone = make_member(home, Role.CAREGIVER)
    for left in (scene.requester, gone):
        left.ended_at = timezone.now()
        left.save()
    make_member(home, Role.SECRETARY)
    answering.ask_complement(actor=scene.doctor, asked=scene.asked, text="Quelle SpO2 ?")
    told_now = Message.objects.filter(type="expertise.complement").values_list("holder_id", flat=True)
    assert sorted(told_now) == sorted(one.user_id for one in nurses)
    for _note in range(2):
        keeping.add_note(actor=scene.doctor, asked=scene.again(), text="Et la température ?")
    notes = Message.objects.filter(type="expertise.note").values_list("holder_id", flat=True)
    assert sorted(notes) == sorted(one.user_id for one in nurses), "of what is unread, once"


@pytest.mark.req("TE-05")
def test_a_note_is_told_to_the_colleagues_of_a_requester_who_left_one_unread():
    scene = make_asked(state="prise-en-charge")
    colleague = make_practitioner(scene.requester.establishment)
    keeping.add_note(actor=scene.doctor, asked=scene.asked, text="Je regarde.")
    scene.requester.ended_at = timezone.now()
    scene.requester.save()
    for _note in range(2):
        keeping.add_note(actor=scene.doctor, asked=scene.again(), text="Rappelez-moi.")
    notes = Message.objects.filter(type="expertise.note").order_by("created_at", "id")
    assert list(notes.values_list("holder_id", flat=True)) == [scene.requester.user_id, colleague.user_id]


def test_of_the_colleagues_of_a_requester_who_left_those_are_told_who_wrote_in_the_thread():
    scene = make_asked(state="prise-en-charge")
    home = scene.requester.establishment
    writer = make_practitioner(home)
    make_practitioner(home)
    scene.asked.dossier.events.create(verb="note_written", actor_kind="professional", user=writer.user)
    assert messages.asking(scene.asked) == {scene.requester.user_id}
    Membership.objects.filter(pk=scene.requester.pk).update(ended_at=timezone.now())
    assert messages.asking(scene.asked) == {writer.user_id}, "and not everybody who practises there"
