"""A complement that was asked and does not come: who owes it is reminded, then the expert is told, once each."""

from datetime import timedelta

import pytest
from django.utils import timezone

from relais.accounts.testing import actor_for, client_of, make_establishment, make_practitioner
from relais.expertise import delays
from relais.expertise.actions import answering
from relais.expertise.actions.watch import watch
from relais.expertise.testing import make_asked, opinion_page
from relais.notifications import registry
from relais.notifications.models import Message
from relais.oncall.testing import join

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


def asked_at(at, urgency="urgente", **more):
    """A request whose expert asked for a complement at this moment, half its delay after it was sent."""
    scene = make_asked(state="prise-en-charge", urgency=urgency, sent_at=at - delays.DELAYS[urgency] / 2, **more)
    answering.ask_complement(actor=scene.doctor, asked=scene.asked, text="Quelle SpO2 ?", now=at)
    return scene


def told(scene):
    """(type, holder) of what was told after the question, in its order."""
    found = Message.objects.filter(about=scene.asked.pk).exclude(type="expertise.complement")
    return list(found.order_by("created_at", "id").values_list("type", "holder_id"))


@pytest.mark.req("TE-05")
@pytest.mark.parametrize("urgency", delays.ORDER)
def test_a_complement_that_does_not_come_is_asked_again_after_a_delay_and_after_a_second_the_expert_is_told(urgency):
    at, delay = timezone.now(), delays.DELAYS[urgency]
    scene = asked_at(at, urgency)
    reminded, silent = ("expertise.reminded", scene.requester.user_id), ("expertise.silent", scene.expert.user_id)
    for after, wanted in (
        (delay - SECOND, []), (delay, [reminded]), (2 * delay - SECOND, [reminded]), (2 * delay, [reminded, silent]),
        (9 * delay, [reminded, silent]),
    ):  # fmt: skip
        for _minute in range(2):
            watch(now=at + after)
        assert told(scene) == wanted, after
    page = client_of(scene.expert).get(f"/expertise/{scene.asked.pk}/").content.decode()
    assert "Complément attendu : rappel à qui a fait la demande" in page
    assert "Complément attendu : l’expert est prévenu qu’il ne vient pas" in page
    answering.answer(actor=scene.doctor, asked=scene.again(), page=opinion_page())
    assert scene.again().state == "repondue", "they answer with what they have"


@pytest.mark.req("TE-05")
def test_nobody_is_told_of_a_complement_that_came_in_time_and_its_clock_goes_on():
    at, delay = timezone.now(), delays.DELAYS["urgente"]
    scene = asked_at(at)
    came = at + delay - SECOND
    answering.give_complement(actor=scene.asker, asked=scene.again(), text="94 %", now=came)
    watch(now=came + 2 * SECOND)
    assert told(scene) == [("expertise.given", scene.expert.user_id)]
    watch(now=came + delay)
    assert told(scene)[1:] == [("expertise.overdue", scene.expert.user_id)], "late again, by its own delay"


@pytest.mark.req("TE-05")
def test_a_reminder_ends_with_the_complement_and_a_second_question_is_counted_anew():
    at, delay = timezone.now(), delays.DELAYS["urgente"]
    scene = asked_at(at)
    watch(now=at + delay)
    came = at + delay + SECOND
    answering.give_complement(actor=scene.asker, asked=scene.again(), text="94 %", now=came)
    watch(now=came + SECOND)
    answering.ask_complement(actor=scene.doctor, asked=scene.again(), text="Sous oxygène ?", now=came + SECOND)
    watch(now=came + delay)
    types = [type_ for type_, _holder in told(scene)]
    assert types == ["expertise.reminded", "expertise.given"], "the second question has a whole delay"
    watch(now=came + SECOND + delay)
    assert [type_ for type_, _holder in told(scene)][2:] == ["expertise.reminded"]


@pytest.mark.req("TE-05")
def test_a_scheduler_that_was_late_tells_both_and_whoever_stands_for_those_who_left():
    at = timezone.now()
    scene = asked_at(at - 2 * delays.DELAYS["urgente"])
    colleague, other = (make_practitioner(one.establishment) for one in (scene.requester, scene.expert))
    join(scene.service, other)
    for left in (scene.requester, scene.expert):
        left.ended_at = timezone.now()
        left.save()
    assert watch(now=at) == 1
    assert watch(now=at) == 0
    assert told(scene) == [("expertise.reminded", colleague.user_id), ("expertise.gone", other.user_id)]
    answering.take_over(actor=actor_for(other), asked=scene.again())
    assert scene.again().state == "prise-en-charge"


@pytest.mark.req("TE-05")
def test_what_is_told_of_a_silent_complement_holds_no_clinical_word_and_is_dropped_once_it_came():
    at = timezone.now()
    scene = asked_at(at - 2 * delays.DELAYS["urgente"])
    watch(now=at)
    pair = list(Message.objects.filter(type__in=["expertise.reminded", "expertise.silent"]))
    assert len(pair) == 2
    for message in pair:
        text = registry.TYPES[message.type].render(message, {}).text
        assert "SpO2" not in text
        assert f"/expertise/{scene.asked.pk}/" in text
        assert registry.TYPES[message.type].still_wanted(message)
    answering.give_complement(actor=scene.asker, asked=scene.again(), text="94 %", now=at)
    assert not any(registry.TYPES[message.type].still_wanted(message) for message in pair)


@pytest.mark.req("TE-05")
@pytest.mark.parametrize("verb", ["refuse", "redirect", "cancel"])
def test_nobody_is_reminded_of_a_complement_that_is_awaited_no_more(verb):
    at = timezone.now()
    scene, elsewhere = asked_at(at), make_asked(expert=make_practitioner(make_establishment("Institut")))
    browser = client_of(scene.requester if verb == "cancel" else scene.expert)
    said = {"reason": "incomplet", "why": "Partie au SAMU.", "service": str(elsewhere.service.pk)}
    way = "confier/reorienter" if verb == "redirect" else verb
    assert browser.post(f"/expertise/{scene.asked.pk}/{way}/", said).status_code == 302
    watch(now=at + 3 * delays.DELAYS["urgente"])
    kinds = {type_ for type_, _holder in told(scene)}
    assert not kinds & {"expertise.reminded", "expertise.silent"}
