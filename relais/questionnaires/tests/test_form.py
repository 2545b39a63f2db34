"""What a source may say: everything that is drawn is read, anything else is refused with the place."""

from typing import Any

import pytest

from relais.questionnaires.form import Condition, Option, Unit, Unreadable, read
from relais.questionnaires.tests.make import (
    choice,
    coded,
    extension,
    form,
    option,
    question,
    resource,
    temperature,
    when,
)

HELP = {"coding": [{"system": "http://hl7.org/fhir/questionnaire-item-control", "code": "help"}]}


def test_a_question_is_read_with_its_unit_range_code_voice_and_help() -> None:
    raw = temperature(required=True)
    raw["extension"].append(extension("urn:relais:proxy-text", valueString="Température de votre proche"))
    shown = question("temp.aide", "display", "Sous le bras.")
    raw["item"] = [shown | {"extension": [extension("questionnaire-itemControl", valueCodeableConcept=HELP)]}]
    item = form(raw).by_id["temp"]
    assert (item.minimum, item.maximum, item.decimals, item.unit) == (34.0, 42.5, 1, Unit("Cel", "°C"))
    assert (item.loinc, item.required, item.help, item.items) == ("8310-5", True, "Sous le bras.", ())
    assert (item.sentence(), item.sentence("proxy")) == ("Température", "Température de votre proche")


def test_answers_and_conditions_are_read() -> None:
    raw = question("b", "text", enableWhen=[when("a", "=", answerCoding=coded("oui"))])
    made = form(question("a", "choice", repeats=True, answerOption=[option("oui"), option("non", exclusive=True)]), raw)
    assert made.by_id["a"].options == (
        Option("oui", "Oui", "urn:relais:CodeSystem:essai"),
        Option("non", "Non", "urn:relais:CodeSystem:essai", exclusive=True),
    )
    assert made.by_id["b"].conditions == (Condition("a", "=", "oui"),)


def test_the_proxy_has_answers_help_and_an_order_of_their_own() -> None:
    raw = choice("a", "oui", text="Avez-vous mal ?")
    raw["answerOption"][0]["extension"] = [extension("urn:relais:proxy-text", valueString="Oui, je crois")]
    shown = question("a.aide", "display", "Où avez-vous mal ?")
    shown["extension"] = [
        extension("questionnaire-itemControl", valueCodeableConcept=HELP),
        extension("urn:relais:proxy-text", valueString="Où votre proche a-t-il mal ?"),
    ]
    raw["item"] = [shown]
    first = question("b", "boolean", extension=[extension("urn:relais:proxy-first", valueBoolean=True)])
    made = form(raw, first)
    item = made.by_id["a"]
    assert [item.options[0].sentence(voice) for voice in ("patient", "proxy")] == ["Oui", "Oui, je crois"]
    assert [item.hint(voice) for voice in ("patient", "proxy")] == [
        "Où avez-vous mal ?",
        "Où votre proche a-t-il mal ?",
    ]
    assert [each.link_id for each in made.in_order("patient")] == ["a", "b"]
    assert [each.link_id for each in made.in_order("proxy")] == ["b", "a"]


def test_what_the_site_answers_itself_is_the_context() -> None:
    hidden = {"readOnly": True, "extension": [extension("questionnaire-hidden", valueBoolean=True)]}
    made = form(
        {"linkId": "ctx", "type": "group", "item": [{"linkId": "ctx.age", "type": "decimal", **hidden}], **hidden},
        temperature(),
    )
    assert [item.link_id for item in made.context] == ["ctx.age"]


def test_json_for_the_browser_keeps_a_limit_of_zero_and_drops_what_is_not_said() -> None:
    low = form(question("a", "integer", extension=[extension("minValue", valueInteger=0)])).as_json()["items"][0]
    assert low == {"id": "a", "type": "integer", "text": "Une question ?", "min": 0}


A, AGE = choice("a", "oui", "non"), question("age", "integer")
REFUSED: dict[str, tuple[list[dict[str, Any]], str]] = {
    "a type that is not drawn": ([question("a", "quantity")], "a: the type 'quantity' is not drawn here."),
    "an unknown question": (
        [question("b", "text", enableWhen=[when("x", "exists", answerBoolean=True)])],
        "b: the condition on x names a question that is not in this form.",
    ),
    "a later question": (
        [question("b", "text", enableWhen=[when("age", "exists", answerBoolean=True)]), AGE],
        "b: the condition on age names a question that comes later.",
    ),
    "its own item": (
        [question("b", "text", enableWhen=[when("b", "exists", answerBoolean=True)])],
        "b: the condition on b is on its own item.",
    ),
    "an operator that does not fit": (
        [A, question("b", "text", enableWhen=[when("a", ">", answerCoding=coded("oui"))])],
        "b: the condition on a: the operator > does not fit the type choice.",
    ),
    "a value that does not fit": (
        [AGE, question("b", "text", enableWhen=[when("age", "=", answerString="12")])],
        "b: the condition on age: the value '12' does not fit the type integer.",
    ),
    "a code that is no answer": (
        [A, question("b", "text", enableWhen=[when("a", "=", answerCoding=coded("peut-etre"))])],
        "b: the condition on a: the code 'peut-etre' is not among its answers.",
    ),
    "two conditions without behaviour": (
        [AGE, question("b", "text", enableWhen=[when("age", ">", answerInteger=n) for n in (1, 2)])],
        "b: 2 conditions want enableBehavior, any or all.",
    ),
    "a group as a question": (
        [
            {"linkId": "g", "type": "group", "item": [AGE]},
            question("b", "text", enableWhen=[when("g", "exists", answerBoolean=True)]),
        ],
        "b: the condition on g names a group, not a question.",
    ),
    "the rows of another group": (
        [
            {"linkId": "g", "type": "group", "repeats": True, "item": [AGE]},
            question("b", "text", enableWhen=[when("age", ">", answerInteger=1)]),
        ],
        "b: the condition on age looks into the rows of g from outside.",
    ),
    "a linkId twice": ([AGE, AGE], "age: this linkId is there twice."),
    "a choice without answers": (
        [question("a", "choice")],
        "a: a choice has answers to choose from (answerOption).",
    ),
    "an answer twice": ([choice("a", "oui", "oui")], "a: the answer 'oui' is there twice."),
    "limits the wrong way round": (
        [
            question(
                "a", "integer", extension=[extension(f"{m}Value", valueInteger=n) for m, n in (("min", 3), ("max", 2))]
            )
        ],
        "a: the least allowed, 3, is above the most, 2.",
    ),
    "a limit of another type": (
        [question("a", "integer", extension=[extension("minValue", valueDecimal=1.5)])],
        "a: the limit 1.5 is not of the type integer.",
    ),
    "an unknown unit": (
        [
            question(
                "a",
                "integer",
                extension=[
                    extension("questionnaire-unit", valueCoding={"system": "http://unitsofmeasure.org", "code": "°F"})
                ],
            )
        ],
        "a: the unit '°F' is not among the UCUM units known here.",
    ),
    "an unknown extension": (
        [question("a", "text", extension=[extension("questionnaire-sliderStepValue", valueInteger=1)])],
        "a: the extension http://hl7.org/fhir/StructureDefinition/questionnaire-sliderStepValue is not read here.",
    ),
    "an extension with another value": (
        [question("a", "date", extension=[extension("urn:relais:days-min", valueString="1")])],
        "a: the extension urn:relais:days-min wants valueInteger.",
    ),
    "an extension on another type": (
        [question("a", "text", extension=[extension("maxDecimalPlaces", valueInteger=1)])],
        "a: maxDecimalPlaces does not go with the type text.",
    ),
    "hidden and required": (
        [question("a", "text", required=True, extension=[extension("questionnaire-hidden", valueBoolean=True)])],
        "a: a hidden item that is required must be read-only, or nobody can answer it.",
    ),
    "an element that is not read": (
        [question("a", "choice", answerValueSet="urn:x")],
        "a: 'answerValueSet' is not read here.",
    ),
    "questions below a question": (
        [question("a", "text", item=[AGE])],
        "a: only a group holds items (a help text apart).",
    ),
    "nothing to answer": ([question("a", "display")], "The questionnaire essai has no question."),
    "what FHIR forbids": ([question("a", "text", required="peut-être")], "a, required: "),
    "an answer without a code": (
        [question("a", "choice", answerOption=[{"valueString": "oui"}])],
        "a: 'valueString' is not read here.",
    ),
    "a file in a row": (
        [{"linkId": "g", "type": "group", "repeats": True, "item": [question("f", "attachment")]}],
        "f: a row of g holds no attachment.",
    ),
    "must be true without being required": (
        [question("a", "boolean", extension=[extension("urn:relais:must-be-true", valueBoolean=True)])],
        "a: what must be true must be required.",
    ),
}


@pytest.mark.parametrize(("items", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_meant_is_refused_in_one_sentence(items: list[dict[str, Any]], sentence: str) -> None:
    with pytest.raises(Unreadable) as refused:
        form(*items)
    assert str(refused.value).startswith(sentence)
    assert str(refused.value).count("\n") == 0


@pytest.mark.parametrize("version", ["", "1.0", "latest", "1.0.0-beta"])
def test_a_version_is_three_numbers(version: str) -> None:
    with pytest.raises(Unreadable, match="version"):
        read(resource(AGE, version=version))


@pytest.mark.parametrize("raw", [{}, {"resourceType": "Patient"}, resource(AGE) | {"url": "https://exemple.test/q"}])
def test_another_resource_or_address_is_refused(raw: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        read(raw)
