"""The service to which an admission is proposed accepts or refuses it on the dossier, and both sides are told."""

import pytest
from django.utils import timezone

from relais.accounts.testing import actor_for, client_of, make_establishment, make_practitioner
from relais.core import workflow
from relais.core.errors import NotFound, Refused
from relais.expertise.actions import admission, answering, keeping
from relais.expertise.models import Expertise
from relais.expertise.queries import bundle
from relais.expertise.testing import make_asked, make_opinion, make_pool
from relais.notifications.models import Message
from relais.oncall.models import PoolMember
from relais.oncall.testing import join

pytestmark = pytest.mark.django_db

ABOUT = {"to_admission", "accept_admission", "decline_admission"}


def proposed(**fields):
    """A request whose expert proposes an admission, the ward's doctor, and the ward."""
    scene = make_asked(state="prise-en-charge", **fields)
    doctor = make_practitioner(make_establishment("Hôpital Sud"))
    ward = make_pool(doctor, name="Médecine aiguë gériatrique")
    answering.to_admission(actor=scene.doctor, asked=scene.asked, service_id=ward.pk, text="Attendue à 15 h.")
    Message.objects.all().delete()
    return scene, doctor, ward


def told(scene):
    return set(Message.objects.filter(about=scene.asked.pk).values_list("type", "holder_id"))


def page_of(member, scene):
    return client_of(member).get(f"/expertise/{scene.asked.pk}/").content.decode()


@pytest.mark.req("TE-05")
def test_a_service_accepts_an_admission_on_the_dossier_and_both_sides_are_told_once():
    scene, doctor, _ward = proposed()
    browser, url = client_of(doctor), f"/expertise/{scene.asked.pk}/"
    listed = browser.get("/expertise/").content.decode()
    assert "Admissions à accepter ou à refuser" in listed
    assert scene.patient.family_name.upper() in listed
    assert "n’a pas encore répondu" in page_of(scene.requester, scene)
    for _click in range(2):
        assert browser.post(f"{url}accept_admission/", {"text": "Lit 12, demander Sophie."}).status_code == 302
    assert told(scene) == {
        ("expertise.accepted", scene.requester.user_id), ("expertise.accepted", scene.expert.user_id),
    }  # fmt: skip
    assert scene.again().dossier.steps.filter(kind="admission_answer").count() == 1
    for member in (scene.requester, scene.expert, doctor):
        page = page_of(member, scene)
        assert "Admission acceptée" in page
        assert "Lit 12, demander Sophie." in page
    assert "Admissions à accepter" not in browser.get("/expertise/").content.decode()


@pytest.mark.req("TE-05")
def test_a_service_refuses_with_a_reason_leaves_the_dossier_and_the_expert_proposes_another():
    scene, doctor, _ward = proposed()
    browser, url = client_of(doctor), f"/expertise/{scene.asked.pk}/"
    with pytest.raises(Refused, match="pourquoi"):
        admission.answer(actor=actor_for(doctor), asked=scene.asked, accepts=False, text=" ")
    page = browser.post(f"{url}decline_admission/", {"text": "Plus de lit ce soir."}, follow=True)
    assert "L’admission est refusée." in page.content.decode()
    assert "Admissions à accepter" not in page.content.decode()
    assert browser.get(url).status_code == 404
    assert told(scene) == {
        ("expertise.declined", scene.requester.user_id), ("expertise.declined", scene.expert.user_id),
    }  # fmt: skip
    assert "appelez le 15" in page_of(scene.requester, scene)
    asked_list = client_of(scene.requester).get("/expertise/?liste=demandes").content.decode()
    assert "Admission refusée" in asked_list
    expert = client_of(scene.expert)
    assert [one.pk for one in expert.get("/expertise/").context["declined"]] == [scene.asked.pk]
    assert "Admissions refusées : proposez un autre service" in expert.get("/expertise/").content.decode()
    other_service = make_pool(make_practitioner(scene.expert.establishment))
    PoolMember.objects.filter(service=other_service).update(user=scene.expert.user)
    PoolMember.objects.filter(service=scene.service).update(until=timezone.now())
    assert expert.get("/expertise/").context["declined"] == [], "who left the pool reads it no more"
    PoolMember.objects.filter(service=scene.service).update(until=None)
    page = page_of(scene.expert, scene)
    assert "Plus de lit ce soir." in page
    assert "Proposez cette admission à un autre service." in page
    other = make_practitioner(make_establishment("Hôpital Nord"))
    second = make_pool(other)
    said = {"service": str(second.pk), "text": "Attendue à 18 h."}
    assert client_of(scene.expert).post(f"{url}confier/admission/", said).status_code == 302
    assert "Attendue à 18 h." in page_of(other, scene)
    assert expert.get("/expertise/").context["declined"] == []
    assert "Admission refusée" not in client_of(scene.requester).get("/expertise/?liste=demandes").content.decode()


@pytest.mark.parametrize("standing", ["proposed", "accepted", "declined", "closed"])
def test_who_may_answer_an_admission_depends_on_what_was_answered(standing):
    scene, doctor, _ward = proposed()
    ward_says = {"accepted": True, "declined": False}
    if standing in ward_says:
        admission.answer(actor=actor_for(doctor), asked=scene.asked, accepts=ward_says[standing], text="Lit 12.")
    if standing == "closed":
        keeping.close(actor=scene.asker, asked=scene.asked, recourse="realise")
    asked = Expertise.objects.get(pk=scene.asked.pk)
    may = {
        role: ABOUT & set(workflow.possible(asked, actor))
        for role, actor in (("ward", actor_for(doctor)), ("expert", scene.doctor), ("requester", scene.asker))
    }
    assert may == {
        "ward": {
            "proposed": {"accept_admission", "decline_admission"}, "accepted": {"decline_admission"},
        }.get(standing, set()),
        "expert": {"to_admission"} if standing == "declined" else set(),
        "requester": set(),
    }  # fmt: skip
    for accepts in (True, False):
        with pytest.raises(NotFound):
            admission.answer(actor=scene.doctor, asked=scene.asked, accepts=accepts, text="Lit 12.")


def test_an_expert_whose_own_service_refuses_the_admission_goes_on_reading():
    scene = make_asked(state="prise-en-charge")
    colleague = make_practitioner(scene.expert.establishment)
    join(scene.service, colleague)
    make_opinion(scene, scene.asked.sent_at)
    answering.to_admission(actor=scene.doctor, asked=scene.asked, service_id=scene.service.pk, text="Attendue à 15 h.")
    admission.answer(actor=actor_for(colleague), asked=scene.asked, accepts=False, text="Plus de lit.")
    assert "Plus de lit." in page_of(colleague, scene)
    assert "Plus de lit." in page_of(scene.expert, scene)


def test_an_admission_proposed_to_the_service_that_advised_stands_in_its_list_until_it_answers():
    """It takes part already, as the one that is asked: that it is asked to admit too is the last step."""
    scene = make_asked(state="prise-en-charge")
    answering.to_admission(actor=scene.doctor, asked=scene.asked, service_id=scene.service.pk, text="Attendue à 15 h.")
    browser, heading = client_of(scene.expert), "Admissions à accepter ou à refuser"
    assert heading in browser.get("/expertise/").content.decode()
    admission.answer(actor=scene.doctor, asked=scene.asked, accepts=False, text="Plus de lit.")
    other = make_practitioner(make_establishment("Hôpital Sud"))
    ward = make_pool(other, name="Médecine aiguë gériatrique")
    answering.to_admission(actor=scene.doctor, asked=scene.asked, service_id=ward.pk, text="Attendue demain.")
    assert heading not in browser.get("/expertise/").content.decode()
    assert heading in client_of(other).get("/expertise/").content.decode()


def test_the_answer_leaves_with_the_dossier():
    scene, doctor, _ward = proposed()
    admission.answer(actor=actor_for(doctor), asked=scene.asked, accepts=True, text="")
    said = [one["resource"] for one in bundle.bundle(scene.asker, scene.again())["entry"]]
    texts = [one["payload"][0]["contentString"] for one in said if one["resourceType"] == "Communication"]
    assert texts == ["Attendue à 15 h.", "Admission acceptée"]
