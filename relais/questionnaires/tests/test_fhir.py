"""What leaves is FHIR R4: validated by fhir.resources, and read back from there."""

from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.utils import timezone
from fhir.resources.R4B.observation import Observation
from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse

from relais.core.actor import PATIENT, Actor
from relais.questionnaires import actions, fhir, queries
from relais.questionnaires.actions import Times, Who
from relais.questionnaires.models import Reason, Relation, Response, Voice
from relais.questionnaires.tests.make import choice, option, question, resource, temperature

pytestmark = pytest.mark.django_db
SUBJECT, AUTHOR = {"reference": "Patient/p1"}, {"reference": "RelatedPerson/r1"}
ROWS = {
    "linkId": "aidant",
    "type": "group",
    "repeats": True,
    "text": "Aidant",
    "item": [question("nom", "string", "Nom"), question("fr", "integer", "Rythme")],
}
ITEMS = (
    temperature(),
    choice("toux", "non", "seche"),
    question("langue", "open-choice", answerOption=[option("fr")]),
    question("j0", "date"),
    question("heure", "time"),
    question("sang", "boolean"),
    {"linkId": "groupe", "type": "group", "text": "Entourage", "item": [ROWS]},
    question("medecin", "reference"),
    question("note", "text"),
)
GIVEN: dict[str, Any] = {
    "temp": ["38,5"],
    "toux": ["seche"],
    "langue": [{"text": "breton"}],
    "j0": ["2026-11-01"],
    "heure": ["9:05"],
    "sang": [False],
    "aidant": [{"nom": ["Ana"]}, {"nom": ["Léo"], "fr": ["18"]}],
    "medecin": ["899000000001"],
    "note": ["Bien"],
}


def answered(**more: Any) -> Response:
    actions.load(resources=[resource(*ITEMS)])
    given = {"times": Times(timezone.now()), "request_key": uuid4()} | more
    actor = Actor(kind=PATIENT, grant_id=uuid4())
    form = queries.current("essai")
    return actions.answer(actor=actor, about=UUID(int=1), questionnaire=form, answers=GIVEN, **given).response


def test_a_response_is_a_questionnaire_response_nested_as_its_form() -> None:
    made = QuestionnaireResponse.model_validate(fhir.questionnaire_response(answered(), subject=SUBJECT))
    assert made.questionnaire == "urn:relais:Questionnaire:essai|1.0.0"
    assert made.status == "completed"
    values = {item.linkId: item for item in made.item}
    assert values["temp"].answer[0].valueDecimal == Decimal("38.5")
    assert values["toux"].answer[0].valueCoding.display == "Seche"
    assert values["langue"].answer[0].valueString == "breton"
    assert values["heure"].answer[0].valueTime.isoformat() == "09:05:00"
    assert values["sang"].answer[0].valueBoolean is False
    rows = values["groupe"].item
    assert [row.linkId for row in rows] == ["aidant", "aidant"]
    assert rows[1].item[1].answer[0].valueInteger == 18


@pytest.mark.req("EC-10")
def test_who_answered_in_the_patients_place_and_why_leave_with_it() -> None:
    who = Who(Relation.CARER, Reason.LANGUAGE, Voice.PROXY)
    made = fhir.questionnaire_response(answered(who=who), subject=SUBJECT, author=AUTHOR)
    assert {each["url"]: each["valueCode"] for each in made["extension"]} == {
        "urn:relais:saisie-par": "proche-aidant",
        "urn:relais:saisie-raison": "barriere-langue",
    }
    assert (made["source"], made["author"]) == (AUTHOR, AUTHOR)


def test_vital_signs_are_observations_in_loinc_and_ucum() -> None:
    response = answered()
    (made,) = fhir.observations(response, subject=SUBJECT)
    read = Observation.model_validate(made)
    assert read.code.coding[0].code == "8310-5"
    assert (read.valueQuantity.value, read.valueQuantity.code) == (Decimal("38.5"), "Cel")
    assert read.category[0].coding[0].code == "vital-signs"
    assert read.derivedFrom[0].reference == f"QuestionnaireResponse/{response.pk}"
    assert read.effectiveDateTime == response.ended_at.replace(microsecond=response.ended_at.microsecond // 1000 * 1000)


def test_exporting_twice_names_the_same_observation_and_a_correction_another() -> None:
    first = answered()
    second = answered(replaces=first)
    ids = [fhir.observations(each, subject=SUBJECT)[0]["id"] for each in (first, first, second)]
    assert ids[0] == ids[1] != ids[2]
    assert fhir.questionnaire_response(second, subject=SUBJECT)["status"] == "amended"


def test_what_was_not_answered_does_not_leave() -> None:
    actions.load(resources=[resource(temperature())])
    kept = actions.answer(
        actor=Actor(kind=PATIENT, grant_id=uuid4()),
        about=UUID(int=1),
        questionnaire=queries.current("essai"),
        answers={},
        request_key=uuid4(),
        times=Times(timezone.now()),
    ).response
    made = fhir.questionnaire_response(kept, subject=SUBJECT)
    assert "item" not in QuestionnaireResponse.model_validate(made).model_dump(exclude_none=True)
    assert fhir.observations(kept, subject=SUBJECT) == []
