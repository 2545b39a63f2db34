"""The COVID form beside the video: who writes it, who reads it, what it takes over and what it gives on (TE-09)."""

import re
from datetime import timedelta
from typing import Any
from unittest import mock
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from relais.accounts.models import Membership, Role
from relais.accounts.testing import actor_for, client_of, make_member, make_practitioner
from relais.dossiers.models import Step
from relais.questionnaires.models import Response
from relais.teleconsultation import content
from relais.teleconsultation.actions import call, record
from relais.teleconsultation.testing import Scene, make_tele
from relais.teleconsultation.tests.test_preparation import prepared, soon, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.req("TE-09")]
FORM = {
    "identite": "true",
    "consent": "oui",
    "accompagnant": "seul",
    "contage": "oui",
    "symptomes": ["toux", "dyspnee"],
    "voix": "true",
    "visuel": "bon",
    "gravite": "aucun",
    "diag": "covid-suspect",
    "cat": ["domicile-simple", "test"],
    "incident": "aucun",
}


def page_of(scene: Scene) -> str:
    return reverse("teleconsultation:covid", args=[scene.tele.pk])


def form(**changes: Any) -> dict[str, Any]:
    said = {f"q-tk.{name}": value for name, value in {**FORM, **changes}.items() if name != "replaces"}
    return {"request_key": str(uuid4()), **said, **{key: changes[key] for key in changes if key == "replaces"}}


def filled(scene: Scene, **changes: Any) -> Response:
    assert client_of(scene.practitioner).post(page_of(scene), form(**changes)).status_code == 302
    return Response.objects.get(about=scene.tele.pk, questionnaire__name="tlc-covid", replaced_by=None)


def member(scene: Scene, role: Role) -> Membership:
    return make_member(scene.tele.establishment, role)


# Writing


def test_the_practitioner_fills_it_in_as_a_step_of_the_record() -> None:
    scene = make_tele(state="in_call", reason="COVID_19")
    assert "Parle par phrases complètes" in text_of(client_of(scene.practitioner).get(page_of(scene)))
    response = filled(scene, temp="38,5")
    assert (response.answers["tk.temp"], response.relation) == ([38.5], "professionnel")
    step = Step.objects.get(dossier=scene.tele.dossier, kind="form")
    assert step.data == {"questionnaire": "tlc-covid", "response": str(response.pk), "corrects": False}
    dossier = text_of(client_of(scene.practitioner).get(reverse("teleconsultation:dossier", args=[scene.tele.pk])))
    assert "Formulaire COVID-19 rempli" in dossier
    assert "Lire le formulaire" in dossier


def test_an_unverified_identity_and_an_impossible_figure_are_refused_beside_their_question() -> None:
    scene = make_tele(state="in_call")
    answer = client_of(scene.practitioner).post(page_of(scene), form(identite="false", spo2="12"))
    assert answer.status_code == 422
    assert {"tk.identite", "tk.spo2"} == set(answer.context["fill"].errors)
    assert not Response.objects.exists()


@pytest.mark.parametrize("reason", ["COVID_19", "CONSULTATION"])
def test_it_is_offered_beside_the_video_whatever_the_reason(reason: str) -> None:
    scene = make_tele(starts_at=timezone.now() + timedelta(minutes=5), reason=reason)
    call.join(actor=actor_for(scene.practitioner), tele=scene.tele)
    beside = reverse("teleconsultation:call", args=[scene.tele.pk])
    assert page_of(scene) in client_of(scene.practitioner).get(beside).content.decode()
    nurse = member(scene, Role.CAREGIVER)
    call.join(actor=actor_for(nurse), tele=scene.tele)
    assert page_of(scene) not in client_of(nurse).get(beside).content.decode()


def test_the_caregiver_reads_and_does_not_write() -> None:
    scene = make_tele(state="in_call")
    nurse = client_of(member(scene, Role.CAREGIVER))
    assert nurse.get(page_of(scene)).status_code == 404  # nothing to read yet
    filled(scene)
    page = nurse.get(f"{page_of(scene)}?corriger")
    assert "COVID-19 suspecté" in text_of(page)
    assert "<textarea" not in page.content.decode()
    assert nurse.post(page_of(scene), form()).status_code == 404
    assert Response.objects.count() == 1


def test_secretary_and_stranger_never_reach_it() -> None:
    scene = make_tele(state="in_call")
    filled(scene)
    for who in (member(scene, Role.SECRETARY), make_practitioner()):
        browser = client_of(who)
        for answer in (browser.get(page_of(scene)), browser.post(page_of(scene), form())):
            assert answer.status_code in (403, 404)
            assert "COVID-19 suspecté" not in answer.content.decode()
    assert Response.objects.count() == 1


def test_before_the_consultation_it_waits() -> None:
    scene = soon()
    browser = client_of(scene.practitioner)
    assert "n’a pas encore eu lieu" in text_of(browser.get(page_of(scene)))
    refused = browser.post(page_of(scene), form())
    assert refused.status_code == 422
    assert "n’a pas encore eu lieu" in text_of(refused)


def test_once_the_dossier_is_closed_it_is_read_only() -> None:
    scene = make_tele(state="done")
    first = filled(scene)
    record.close(actor=actor_for(scene.practitioner), tele=scene.tele)
    browser = client_of(scene.practitioner)
    page = text_of(browser.get(f"{page_of(scene)}?corriger"))
    assert "Lecture seule." in page
    assert "COVID-19 suspecté" in page
    refused = browser.post(page_of(scene), form(replaces=str(first.pk)))
    assert refused.status_code == 422
    assert "clôturé" in text_of(refused)
    assert Response.objects.count() == 1


def test_it_is_corrected_by_a_form_that_replaces_it() -> None:
    scene = make_tele(state="done")
    first = filled(scene)
    second = filled(scene, diag="covid-confirme", replaces=str(first.pk))
    assert second.replaces_id == first.pk
    assert [step.data["corrects"] for step in Step.objects.filter(kind="form")] == [False, True]


def test_the_same_page_twice_makes_one_and_a_colleague_is_told_that_it_is_filled_in() -> None:
    scene = make_tele(state="in_call")
    browser, said = client_of(scene.practitioner), form()
    assert [browser.post(page_of(scene), said).status_code for _time in range(2)] == [302, 302]
    colleague = client_of(make_practitioner(scene.tele.establishment)).post(page_of(scene), form())
    assert colleague.status_code == 422
    assert "rempli entre-temps" in text_of(colleague)
    assert (Response.objects.count(), Step.objects.filter(kind="form").count()) == (1, 1)


# What it takes over


def test_what_the_patient_said_in_the_same_words_is_there_already() -> None:
    scene = soon()
    prepared(scene, tp__temp="38,5", tp__symptomes=["toux", "souffle", "fievre", "fatigue", "digestif"])
    scene.tele.refresh_from_db()
    type(scene.tele).objects.filter(pk=scene.tele.pk).update(state="in_call")
    page = client_of(scene.practitioner).get(page_of(scene))
    assert page.context["fill"].answers == {"tk.symptomes": ["toux", "dyspnee"], "tk.temp": [38.5]}
    assert "À vérifier : signes fonctionnels, température." in text_of(page)
    assert "Vertiges du matin" in text_of(page)


def test_the_temperature_of_another_day_is_not_taken_over() -> None:
    scene = make_tele(starts_at=timezone.now() + timedelta(days=2))
    said = prepared(scene, tp__temp="39", tp__symptomes=["autre"])
    assert content.known_of_covid(said) == {"tk.temp": [39]}
    with mock.patch.object(timezone, "now", return_value=timezone.now() + timedelta(days=1)):
        assert content.known_of_covid(said) == {}


# What it gives on


def test_its_lines_are_proposed_in_the_sections_of_the_report() -> None:
    scene = make_tele(state="in_call")
    report = reverse("teleconsultation:report", args=[scene.tele.pk])
    browser = client_of(scene.practitioner)
    assert "covid" not in browser.get(report).context["models"]
    filled(scene, temp="38,5", suivi=str(timezone.localdate() + timedelta(days=7)), arret="true")
    page = browser.get(report)
    sections = page.context["models"]["covid"]["sections"]
    assert sections["history"].splitlines()[0] == "Contact avec un cas (14 jours) : Oui"
    assert "Température : 38,5 °C" in sections["findings"].replace("\u202f", " ").replace("\xa0", " ")
    assert sections["conclusion"] == "Diagnostic retenu : COVID-19 suspecté"
    assert sections["actions"].splitlines()[-1] == "Arrêt de travail / certificat d’isolement : Oui"
    assert sections["follow_up"].startswith("Revoir le : ")
    assert re.search(r'<option value="covid" selected>', page.content.decode())


def test_every_question_of_the_form_has_a_section() -> None:
    assert set(content.COVID_SECTIONS.values()) | {"findings"} == set(content.SECTIONS)
