"""Answers are kept once, by whom and why, and never changed."""

import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, ProgrammingError, transaction
from django.http import HttpRequest
from django.test import RequestFactory
from django.utils import timezone

from relais.core.actor import PATIENT, PROFESSIONAL, Actor
from relais.core.errors import NotFound, Refused
from relais.files import actions as files
from relais.files.models import StoredFile
from relais.questionnaires import actions, queries
from relais.questionnaires.actions import Times, Who, Wrong
from relais.questionnaires.forms import Fill
from relais.questionnaires.models import Reason, Relation, Response, Voice
from relais.questionnaires.tests.make import choice, extension, form, question, resource, temperature, when

pytestmark = pytest.mark.django_db
ABOUT, KEY = UUID(int=1), UUID(int=2)
HIDDEN = {"readOnly": True, "extension": [extension("questionnaire-hidden", valueBoolean=True)]}


def patient() -> Actor:
    return Actor(kind=PATIENT, grant_id=uuid4(), patient_id=uuid4(), about=ABOUT, assurance=2)


def send(answers: dict[str, Any], *items: dict[str, Any], **more: Any) -> actions.Answered:
    """Answer a form of these items (loaded once a test)."""
    actions.load(resources=[resource(*items)] if items else [])
    given = {"actor": patient(), "about": ABOUT, "request_key": KEY, "times": Times(timezone.now())} | more
    return actions.answer(questionnaire=queries.current("essai"), answers=answers, **given)


def test_an_answer_is_kept_with_who_when_and_which_version() -> None:
    actor, began = patient(), timezone.now() - datetime.timedelta(minutes=2)
    kept = send({"temp": ["38,5"]}, temperature(), actor=actor, times=Times(began)).response
    kept.refresh_from_db()
    assert (kept.answers, kept.questionnaire.version, kept.about) == ({"temp": [38.5]}, "1.0.0", ABOUT)
    assert (kept.relation, kept.reason, kept.voice) == (Relation.PATIENT, "", Voice.PATIENT)
    assert (kept.actor_kind, kept.grant_id, kept.started_at) == (PATIENT, actor.grant_id, began)
    assert began < kept.ended_at <= kept.received_at


@pytest.mark.req("EC-10")
def test_whoever_answers_for_the_patient_is_named_with_the_reason() -> None:
    nurse = Actor(kind=PROFESSIONAL, user_id=uuid4(), establishment_id=uuid4(), assurance=2)
    who = Who(Relation.NURSE, Reason.DEPENDENT, Voice.PROXY)
    kept = send({"temp": ["38"]}, temperature(), actor=nurse, who=who).response
    assert (kept.relation, kept.reason, kept.voice) == ("ide", "non-autonome", "proxy")
    assert (kept.user_id, kept.establishment_id) == (nurse.user_id, nurse.establishment_id)


@pytest.mark.req("EC-10")
@pytest.mark.parametrize(
    "who",
    [Who(Relation.CARER), Who(Relation.PATIENT, Reason.CALL), Who("voisin", Reason.CALL), Who(Relation.NURSE, "x")],
)
def test_the_database_refuses_somebody_in_place_without_a_reason_and_unknown_words(who: Who) -> None:
    with pytest.raises(IntegrityError, match="response_reason_when_in_place"):
        send({"temp": ["38"]}, temperature(), who=who)


def test_sent_five_times_it_is_one() -> None:
    first = send({"temp": ["38"]}, temperature())
    again = [send({"temp": ["39"]}) for _ in range(4)]
    assert [each.is_new for each in (first, *again)] == [True, False, False, False, False]
    assert {each.response.pk for each in again} == {first.response.pk}
    assert Response.objects.get().answers == {"temp": [38.0]}


def test_the_same_key_about_something_else_is_another_answer() -> None:
    send({"temp": ["38"]}, temperature())
    assert send({"temp": ["39"]}, about=UUID(int=9)).is_new


def test_what_cannot_be_kept_is_refused_with_the_sentence_of_each_question() -> None:
    with pytest.raises(Wrong) as wrong:
        send({"temp": ["385"]}, temperature(), question("q", "text", required=True))
    assert sorted(wrong.value.errors) == ["q", "temp"]
    assert wrong.value.message == "2 réponses sont à corriger."
    assert not Response.objects.exists()


def test_the_site_answers_its_own_questions_whatever_the_page_says() -> None:
    oximeter = {"linkId": "ctx.oxymetre", "type": "boolean", **HIDDEN}
    spo2 = question("spo2", "integer", enableWhen=[when("ctx.oxymetre", "=", answerBoolean=True)])
    items = ({"linkId": "ctx", "type": "group", "item": [oximeter], **HIDDEN}, spo2, question("q", "text"))
    kept = send({"ctx.oxymetre": [True], "spo2": ["97"], "q": ["x"]}, *items, context={"ctx.oxymetre": [False]})
    assert kept.response.answers == {"ctx.oxymetre": [False], "q": ["x"]}


def test_a_context_that_does_not_fit_is_a_bug_of_the_caller() -> None:
    age = {"linkId": "ctx.age", "type": "decimal", "required": True, **HIDDEN}
    with pytest.raises(ValueError, match=r"ctx\.age"):
        send({"q": ["x"]}, age, question("q", "text"))


def test_days_are_judged_from_the_day_of_the_answer() -> None:
    """An answer of yesterday that arrives today is judged as yesterday."""
    yesterday = timezone.now() - datetime.timedelta(days=1)
    today = timezone.localdate().isoformat()
    item = question("d", "date", extension=[extension("urn:relais:days-max", valueInteger=0)])
    assert send({"d": [today]}, item).is_new
    with pytest.raises(Wrong):
        send({"d": [today]}, request_key=uuid4(), times=Times(yesterday, yesterday))


def test_a_clock_that_is_ahead_does_not_write_into_the_future() -> None:
    later = timezone.now() + datetime.timedelta(hours=3)
    kept = send({"temp": ["38"]}, temperature(), times=Times(later, later, later)).response
    assert kept.started_at <= kept.ended_at <= kept.received_at < later == kept.device_at


def test_a_correction_is_a_new_response_and_the_first_stays() -> None:
    first = send({"temp": ["39"]}, temperature()).response
    second = send({"temp": ["37"]}, request_key=uuid4(), replaces=first).response
    assert list(queries.responses(ABOUT)) == [second]
    assert queries.response(ABOUT, first.pk).replaced_by == second
    with pytest.raises(Refused, match="déjà été corrigées"):
        send({"temp": ["38"]}, request_key=uuid4(), replaces=first)


def test_a_correction_is_about_the_same_thing() -> None:
    first = send({"temp": ["39"]}, temperature()).response
    with pytest.raises(NotFound):
        send({"temp": ["37"]}, request_key=uuid4(), replaces=first, about=UUID(int=9))


@pytest.mark.parametrize("write", ["update", "delete"])
def test_the_database_refuses_to_change_a_response(write: str) -> None:
    rows = Response.objects.filter(pk=send({"temp": ["39"]}, temperature()).response.pk)
    with pytest.raises(ProgrammingError, match="Cannot update or delete"), transaction.atomic():
        rows.update(answers={}) if write == "update" else rows.delete()


def photo(**more: Any) -> dict[str, Any]:
    limits = [extension("mimeType", valueCode="text/*"), extension("maxSize", valueDecimal=2000000)]
    return question("photo", "attachment", repeats=True, extension=limits, **more)


def test_a_file_is_kept_when_the_one_who_answers_has_stored_it() -> None:
    actor = patient()
    file = files.store(actor=actor, upload=b"un mot", name="mot.txt")
    kept = send({"photo": [str(file.pk)]}, photo(), actor=actor)
    assert kept.response.answers == {"photo": [str(file.pk)]}


@pytest.mark.parametrize("case", ["of another", "of nobody", "sealed"])
def test_a_file_of_another_of_nobody_or_withdrawn_is_refused_alike(case: str) -> None:
    actor = patient()
    file = files.store(actor=patient() if case == "of another" else actor, upload=b"un mot", name="mot.txt")
    if case == "sealed":
        files.seal(file)
    with pytest.raises(Wrong) as wrong:
        send({"photo": [str(uuid4() if case == "of nobody" else file.pk)]}, photo(), actor=actor)
    assert wrong.value.errors == {"photo": "Ce fichier n’est pas arrivé. Ajoutez-le de nouveau."}


def test_a_file_of_another_type_is_refused() -> None:
    actor = patient()
    file = files.store(actor=actor, upload=b"un mot", name="mot.txt")
    item = question("photo", "attachment", extension=[extension("mimeType", valueCode="image/*")])
    with pytest.raises(Wrong) as wrong:
        send({"photo": [str(file.pk)]}, item, actor=actor)
    assert "type attendu" in wrong.value.errors["photo"]


def test_a_response_reads_in_french_with_units() -> None:
    rows = {
        "linkId": "aidant",
        "type": "group",
        "repeats": True,
        "text": "Aidant",
        "item": [question("nom", "string", "Nom")],
    }
    items = (temperature(), choice("q", "oui", "non", text="Toux"), question("d", "date", "Depuis"), rows)
    given = {"temp": ["38,5"], "q": ["oui"], "d": ["2026-11-01"], "aidant": [{"nom": ["Ana"]}, {"nom": ["Léo"]}]}
    sections = queries.shown(send(given, *items).response)
    assert [(each.title, [(line.label, line.words) for line in each.lines]) for each in sections] == [
        ("", [("Température", ("38,5 °C",)), ("Toux", ("Oui",)), ("Depuis", ("01/11/2026",))]),
        ("Aidant (1)", [("Nom", ("Ana",))]),
        ("Aidant (2)", [("Nom", ("Léo",))]),
    ]


def test_the_newest_version_is_current_and_older_ones_stay_readable() -> None:
    for number in ("1.9.0", "1.10.0"):
        actions.load(resources=[resource(temperature(), version=number)])
    assert queries.current("essai").version == "1.10.0"
    assert queries.version("essai", "1.9.0").form.version == "1.9.0"
    with pytest.raises(NotFound):
        queries.current("inconnu")


def sent(actor: Actor, **post: Any) -> HttpRequest:
    """A posted page of this actor with one file."""
    file = SimpleUploadedFile("mot.txt", b"un mot", content_type="text/plain")
    request = RequestFactory().post("/", {"q-photo": file, **post})
    request.actor = actor  # type: ignore[attr-defined]
    return request


def test_a_file_of_a_page_is_stored_with_the_answers() -> None:
    actor = patient()
    fill = Fill(form(photo()), request=sent(actor))
    kept = send(fill.answers, photo(), actor=actor, uploads=fill.uploads).response
    (pk,) = kept.answers["photo"]
    assert StoredFile.objects.get(pk=pk).name == "mot.txt"
    assert queries.shown(kept, lambda pk: f"/fichier/{pk}")[0].lines[0].files[0].url == f"/fichier/{pk}"


def test_a_refused_page_stores_no_file_and_carries_it_on() -> None:
    actor, items = patient(), (photo(), temperature())
    fill = Fill(form(*items), request=sent(actor, **{"q-temp": "385"}))
    with pytest.raises(Wrong) as wrong, transaction.atomic():
        send(fill.answers, *items, actor=actor, uploads=fill.uploads)
    fill.refuse(wrong.value)
    assert not StoredFile.objects.exists()
    (node,) = [node for node in fill.nodes if node.key == "photo"]
    assert [file["name"] for file in node.ahead] == ["mot.txt"]


def test_what_a_file_is_refused_for_stands_beside_its_question() -> None:
    with pytest.raises(Wrong) as wrong:
        send({}, photo(), uploads={"photo": [b""]})
    assert "vide" in wrong.value.errors["photo"]
