"""Rules of answering, one a test; test_twins holds the browser to the same."""

import datetime
from typing import Any

import pytest

from relais.questionnaires.logic import check, enabled
from relais.questionnaires.tests.make import choice, coded, extension, form, option, question, temperature, when

TODAY = datetime.date(2026, 11, 21)


def errors(item: dict[str, Any], *given: Any, draft: bool = False) -> str:
    """The sentence beside the only question of a form."""
    found = check(form(item), {item["linkId"]: list(given)}, TODAY, draft=draft).errors
    return found.get(item["linkId"], "")


@pytest.mark.parametrize("typed", ["38,5", "38.5", " 38,50 ", 38.5])
def test_a_comma_and_a_point_are_read_alike(typed: Any) -> None:
    assert check(form(temperature()), {"temp": [typed]}, TODAY).answers == {"temp": [38.5]}


@pytest.mark.parametrize("typed", ["385", "33,9", "42,6", -1])
def test_an_impossible_value_is_refused_with_the_range(typed: Any) -> None:
    checked = check(form(temperature()), {"temp": [typed]}, TODAY)
    assert "34 à 42,5\u00a0°C" in checked.errors["temp"]
    assert checked.answers == {}


@pytest.mark.parametrize("typed", ["34", "42,5"])
def test_the_limits_themselves_are_possible(typed: str) -> None:
    assert errors(temperature(), typed) == ""


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [("trente-huit", "Saisissez un nombre, par exemple 38,5."), ("38,55", "Gardez un seul chiffre après la virgule.")],
)
def test_what_is_no_number_is_said(typed: str, sentence: str) -> None:
    assert errors(temperature(), typed) == sentence


def test_an_integer_takes_no_decimals() -> None:
    assert errors(question("n", "integer"), "18,5") == "Saisissez un nombre entier, par exemple 18."
    assert errors(question("n", "integer"), "18,0") == ""


def test_a_required_question_wants_an_answer_but_not_in_a_draft() -> None:
    raw = question("q", "boolean", required=True)
    assert errors(raw) == "Répondez à cette question."
    assert errors(raw, draft=True) == ""
    assert errors(raw, False) == ""


def test_a_question_that_is_not_asked_wants_no_answer_and_keeps_none() -> None:
    made = form(
        question("mesuree", "boolean"),
        temperature(required=True, enableWhen=[when("mesuree", "=", answerBoolean=True)]),
    )
    checked = check(made, {"mesuree": [False], "temp": ["38"]}, TODAY)
    assert (checked.answers, checked.errors) == ({"mesuree": [False]}, {})
    assert check(made, {"mesuree": [True]}, TODAY).errors == {"temp": "Répondez à cette question."}


def test_a_question_that_is_not_asked_counts_as_not_answered() -> None:
    made = form(
        choice("a", "oui", "non"),
        choice("b", "oui", "non", enableWhen=[when("a", "=", answerCoding=coded("oui"))]),
        question("c", "text", enableWhen=[when("b", "=", answerCoding=coded("oui"))]),
        question("d", "text", enableWhen=[when("b", "exists", answerBoolean=False)]),
    )
    assert enabled(made, {"a": ["non"], "b": ["oui"]}) == {"a", "d"}


def test_different_from_asks_for_an_answer_first() -> None:
    made = form(
        choice("a", "oui", "non"), question("b", "text", enableWhen=[when("a", "!=", answerCoding=coded("oui"))])
    )
    assert [enabled(made, {"a": given}) for given in ([], ["oui"], ["non"])] == [{"a"}, {"a"}, {"a", "b"}]


@pytest.mark.parametrize(("behaviour", "asked"), [("any", {"low", "high", "b"}), ("all", {"low", "high"})])
def test_one_or_all_conditions_hold(behaviour: str, asked: set[str]) -> None:
    rules = [when("low", ">", answerInteger=3), when("high", ">", answerInteger=3)]
    raw = question("b", "text", enableWhen=rules, enableBehavior=behaviour)
    made = form(question("low", "integer"), question("high", "integer"), raw)
    assert enabled(made, {"low": [3], "high": ["4"]}) == asked


def test_a_group_that_is_not_asked_silences_what_it_holds() -> None:
    group = {"linkId": "g", "type": "group", "item": [question("b", "text", required=True)]}
    made = form(question("a", "boolean"), group | {"enableWhen": [when("a", "=", answerBoolean=True)]})
    assert check(made, {"a": [False], "b": ["x"]}, TODAY).answers == {"a": [False]}


def test_rows_have_conditions_and_errors_of_their_own_and_empty_rows_are_none() -> None:
    rows = {
        "linkId": "aidant",
        "type": "group",
        "repeats": True,
        "item": [
            question("nom", "string", required=True),
            question("fixe", "boolean"),
            question("tel", "string", required=True, enableWhen=[when("fixe", "=", answerBoolean=True)]),
        ],
    }
    given = {"aidant": [{"nom": ["Ana"], "tel": ["x"]}, {"nom": [""]}, {"fixe": [True]}]}
    checked = check(form(rows), given, TODAY)
    assert checked.answers == {"aidant": [{"nom": ["Ana"]}, {"fixe": [True]}]}
    assert sorted(checked.errors) == ["aidant/2/nom", "aidant/2/tel"]
    assert "aidant/0/tel" not in checked.enabled


def test_an_exclusive_answer_goes_with_no_other() -> None:
    raw = question("q", "choice", repeats=True, answerOption=[option("non", exclusive=True), option("a"), option("b")])
    assert errors(raw, "a", "non") == "« Non » ne va avec aucune autre réponse."
    assert errors(raw, "a", "b") == errors(raw, "non") == ""


def test_one_answer_where_one_is_asked() -> None:
    assert errors(choice("q", "a", "b"), "a", "b") == "Une seule réponse est attendue."
    assert errors(choice("q", "a", "b"), "c") == "Choisissez une des réponses proposées."


def test_answers_are_kept_in_the_order_of_the_form() -> None:
    assert check(form(choice("q", "a", "b", repeats=True)), {"q": ["b", "a", "b"]}, TODAY).answers == {"q": ["a", "b"]}


def test_an_open_choice_takes_a_text() -> None:
    raw = question("q", "open-choice", answerOption=[option("fr")])
    assert check(form(raw), {"q": [{"text": " breton "}]}, TODAY).answers == {"q": [{"text": "breton"}]}


@pytest.mark.parametrize(("days", "wrong"), [(-31, True), (-30, False), (0, False), (1, True)])
def test_a_date_is_judged_from_today(days: int, wrong: bool) -> None:  # noqa: FBT001
    limits = [extension("urn:relais:days-min", valueInteger=-30), extension("urn:relais:days-max", valueInteger=0)]
    day = (TODAY + datetime.timedelta(days=days)).strftime("%d/%m/%Y")
    expected = "Vérifiez cette date : indiquez un jour du 22/10/2026 au 21/11/2026."
    assert errors(question("d", "date", extension=limits), day) == (expected if wrong else "")


def test_what_must_be_true_is_true_to_go_on() -> None:
    raw = question("q", "boolean", required=True, extension=[extension("urn:relais:must-be-true", valueBoolean=True)])
    assert errors(raw, False) == errors(raw) == "Ce point doit être confirmé pour continuer."
    assert errors(raw, True) == errors(raw, draft=True) == ""


def test_a_text_has_a_length_in_characters() -> None:
    raw = question("q", "text", maxLength=3, extension=[extension("minLength", valueInteger=2)])
    assert errors(raw, "😀😀😀") == ""
    assert errors(raw, "😀😀😀😀") == "Écrivez 3 caractères au plus."
    assert errors(raw, "a") == "Écrivez au moins 2 caractères."
    assert errors(raw, "a", draft=True) == ""


def test_a_text_keeps_no_control_character_nor_half_a_character() -> None:
    checked = check(form(question("q", "text")), {"q": ["a\x00b\ud800c\r\nd "]}, TODAY)
    assert checked.answers == {"q": ["abc\nd"]}


def test_unknown_questions_are_not_kept() -> None:
    assert check(form(question("q", "text")), {"autre": ["x"]}, TODAY).answers == {}
