"""What leaves as FHIR R4: a QuestionnaireResponse, and the vital signs of it as Observations. Pure; nothing is stored.

Who the patient is, and who answered, are the caller's references: a questionnaire knows neither. IG Télésurveillance and
Mesures de santé (standards.md §1.4): category vital-signs, LOINC and UCUM codes, effective time required.
"""

from collections.abc import Iterable
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from django.utils import timezone

from relais.questionnaires.form import Item
from relais.questionnaires.logic import Answers, placed
from relais.questionnaires.models import Response

UCUM, LOINC = "http://unitsofmeasure.org", "http://loinc.org"
ENTERED_BY, REASON = "urn:relais:saisie-par", "urn:relais:saisie-raison"
VITAL_SIGNS = {
    "system": "http://terminology.hl7.org/CodeSystem/observation-category",
    "code": "vital-signs",
    "display": "Vital Signs",
}


def questionnaire_response(
    response: Response,
    *,
    subject: dict[str, Any],
    author: dict[str, Any] | None = None,
    based_on: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """A response as QuestionnaireResponse: items nested as in the questionnaire, hidden ones too.

    `based_on`: the ServiceRequest that it belongs to.
    `source` is the patient when they answered themselves, else the author; who answered and why are the extensions
    urn:relais:saisie-par and saisie-raison (EC-10). A corrected response stays *completed*, its correction is *amended*.
    """
    form = response.questionnaire.form
    extensions = [{"url": ENTERED_BY, "valueCode": response.relation}]
    if response.reason:
        extensions.append({"url": REASON, "valueCode": response.reason})
    made: dict[str, Any] = {
        "resourceType": "QuestionnaireResponse",
        "id": str(response.pk),
        "extension": extensions,
        "identifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{response.pk}"},
        "questionnaire": f"{form.url}|{form.version}",
        "status": "amended" if response.replaces_id else "completed",
        "subject": subject,
        "authored": _moment(response.ended_at),
    }
    if based_on:
        made["basedOn"] = [based_on]
    if author:
        made["author"] = author
    source = subject if response.relation == "patient" else author
    if source:
        made["source"] = source
    items = _items(form.items, response.answers, response.voice)
    return made | ({"item": items} if items else {})


def _items(items: Iterable[Item], answers: Answers, voice: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for item in items:
        head = {"linkId": item.link_id} | ({"text": item.sentence(voice)} if item.sentence(voice) else {})
        if item.is_rows:
            for row in answers.get(item.link_id, []):
                found.append(head | {"item": _items(item.items, row, voice)})
        elif item.type == "group":
            inside = _items(item.items, answers, voice)
            found += [head | {"item": inside}] if inside else []
        elif values := answers.get(item.link_id, []):
            found.append(head | {"answer": [_answer(item, value) for value in values]})
    return found


def _answer(item: Item, value: Any) -> dict[str, Any]:
    """One value[x], as the type of its question has it."""
    if isinstance(value, dict):
        return {"valueString": value["text"]}
    if option := item.option(value):
        return {"valueCoding": {"system": option.system, "code": option.code, "display": option.label}}
    if item.type == "attachment":
        return {"valueAttachment": {"url": f"urn:uuid:{value}"}}
    if item.type == "reference":
        return {"valueReference": {"identifier": {"value": value}}}
    if item.type == "time":
        return {"valueTime": f"{value}:00"}
    names = {"boolean": "Boolean", "integer": "Integer", "decimal": "Decimal", "date": "Date"}
    return {f"value{names.get(item.type, 'String')}": value}


def observations(
    response: Response, *, subject: dict[str, Any], performer: dict[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Each numeric answer with a LOINC code as a vital-sign Observation, derived from the response.

    The effective time is when the last question was answered. Its id follows from the response and the question, so
    that exporting twice names the same observation.
    """
    found = []
    for key, item, values in placed(response.questionnaire.form.items, response.answers):
        if not item.loinc or item.type not in ("integer", "decimal"):
            continue
        coding = {"system": LOINC, "code": item.loinc} | ({"display": item.loinc_label} if item.loinc_label else {})
        made: dict[str, Any] = {
            "resourceType": "Observation",
            "id": observation_id(response, key),
            "status": "amended" if response.replaces_id else "final",
            "category": [{"coding": [VITAL_SIGNS]}],
            "code": {"coding": [coding], "text": item.text},
            "subject": subject,
            "effectiveDateTime": _moment(response.ended_at),
            "issued": _moment(response.received_at),
            "valueQuantity": _quantity(item, values[0]),
            "derivedFrom": [{"reference": f"QuestionnaireResponse/{response.pk}"}],
        }
        found.append(made | ({"performer": [performer]} if performer else {}))
    return found


def observation_id(response: Response, key: str) -> str:
    """Of the Observation of one answer, by its key (its linkId outside rows)."""
    return str(uuid5(NAMESPACE_URL, f"urn:uuid:{response.pk}#{key}"))


def _quantity(item: Item, value: Any) -> dict[str, Any]:
    quantity: dict[str, Any] = {"value": value}
    if item.unit:
        quantity |= {"unit": item.unit.label, "system": UCUM, "code": item.unit.code}
    return quantity


def _moment(moment: Any) -> str:
    return timezone.localtime(moment).isoformat(timespec="milliseconds")
