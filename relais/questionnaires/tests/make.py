"""Small questionnaires for the tests, written as short as can be."""

from typing import Any

from relais.questionnaires.form import Form, read
from relais.questionnaires.form.parse import HL7

SYSTEM = "urn:relais:CodeSystem:essai"


def extension(name: str, **value: Any) -> dict[str, Any]:
    """An extension of HL7 by its short name, or of ours by its urn."""
    return {"url": name if ":" in name else HL7 + name, **value}


def question(link_id: str, kind: str, text: str = "Une question ?", **more: Any) -> dict[str, Any]:
    return {"linkId": link_id, "type": kind, "text": text, **more}


def option(code: str, label: str = "", *, exclusive: bool = False) -> dict[str, Any]:
    made: dict[str, Any] = {"valueCoding": {"system": SYSTEM, "code": code, "display": label or code.capitalize()}}
    if exclusive:
        made["extension"] = [extension("questionnaire-optionExclusive", valueBoolean=True)]
    return made


def choice(link_id: str, *codes: str, text: str = "Une question ?", **more: Any) -> dict[str, Any]:
    return question(link_id, "choice", text, answerOption=[option(code) for code in codes], **more)


def when(question: str, operator: str, **value: Any) -> dict[str, Any]:
    return {"question": question, "operator": operator, **value}


def coded(code: str) -> dict[str, str]:
    return {"system": SYSTEM, "code": code}


def resource(*items: dict[str, Any], name: str = "essai", version: str = "1.0.0", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Questionnaire",
        "url": f"urn:relais:Questionnaire:{name}",
        "version": version,
        "title": "Un essai",
        "status": "active",
        "item": list(items),
        **more,
    }


def form(*items: dict[str, Any], **more: Any) -> Form:
    return read(resource(*items, **more))


def temperature(link_id: str = "temp", **more: Any) -> dict[str, Any]:
    return question(
        link_id,
        "decimal",
        "Température",
        code=[{"system": "http://loinc.org", "code": "8310-5", "display": "Body temperature"}],
        extension=[
            extension("minValue", valueDecimal=34.0),
            extension("maxValue", valueDecimal=42.5),
            extension("maxDecimalPlaces", valueInteger=1),
            extension(
                "questionnaire-unit",
                valueCoding={"system": "http://unitsofmeasure.org", "code": "Cel", "display": "°C"},
            ),
        ],
        **more,
    )
