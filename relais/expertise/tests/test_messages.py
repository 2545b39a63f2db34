"""What each side is told, in words that are true of them: a sentence for each thing that happened."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from relais.accounts.testing import actor_for, client_of, make_establishment, make_practitioner
from relais.expertise.actions import answering, drafting, keeping
from relais.expertise.testing import make_asked, make_pool
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
