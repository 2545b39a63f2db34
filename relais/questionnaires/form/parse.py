"""From FHIR R4 Questionnaire JSON to a Form. What is not known here is refused: nothing in a source is ignored."""

import re
from typing import Any

from relais.questionnaires.form import rules
from relais.questionnaires.form.shape import DRAWN, Condition, Form, Item, Option, Unit, Unreadable, Value

PROXY = "urn:relais:proxy-text"
HL7 = "http://hl7.org/fhir/StructureDefinition/"
UCUM, LOINC = "http://unitsofmeasure.org", "http://loinc.org"
MOST_DECIMALS = 4
LONGEST = {"string": 300, "text": 5000}  # characters, where a source says nothing
UNITS = {
    *("Cel", "%", "/min", "L/min", "kg", "g", "cm", "m", "kg/m2", "mm[Hg]", "g/L", "mg/dL", "mmol/L", "mL", "L"),
    *("min", "h", "d", "wk", "mo", "a", "{score}", "1"),
}
# Extension of an item -> (field of Item, its value[x])
EXTENSIONS = {
    PROXY: ("proxy", "valueString"),
    "urn:relais:proxy-first": ("proxy_first", "valueBoolean"),
    "urn:relais:days-min": ("days_min", "valueInteger"),
    "urn:relais:days-max": ("days_max", "valueInteger"),
    "urn:relais:must-be-true": ("must_be_true", "valueBoolean"),
    HL7 + "questionnaire-hidden": ("hidden", "valueBoolean"),
    HL7 + "questionnaire-unit": ("unit", "valueCoding"),
    HL7 + "minValue": ("minimum", ("valueInteger", "valueDecimal", "valueDate")),
    HL7 + "maxValue": ("maximum", ("valueInteger", "valueDecimal", "valueDate")),
    HL7 + "maxDecimalPlaces": ("decimals", "valueInteger"),
    HL7 + "minLength": ("min_length", "valueInteger"),
    HL7 + "mimeType": ("mime_types", "valueCode"),
    HL7 + "maxSize": ("max_size", "valueDecimal"),
    HL7 + "questionnaire-itemControl": ("control", "valueCodeableConcept"),
}
EXCLUSIVE = HL7 + "questionnaire-optionExclusive"
TOP = {"resourceType", "url", "name", "version", "title", "status", "date", "subjectType", "publisher", "item"}
TOP |= {"id", "description", "purpose", "language"}
KEYS = {"linkId", "text", "type", "required", "repeats", "readOnly", "maxLength", "code", "answerOption", "extension"}
KEYS |= {"enableWhen", "enableBehavior", "item"}


def read(resource: dict[str, Any], *, loaded: bool = False) -> Form:
    """The form of a FHIR R4 Questionnaire; one that was `loaded` was compared with FHIR's own model then.

    Raises Unreadable: what FHIR forbids (fhir.resources), what the site does not draw, and what cannot be meant
    (see rules.py), one sentence that names the linkId.
    """
    if not loaded:
        _check_structure(resource)
    _only(resource, TOP, "The questionnaire")
    url = str(resource.get("url", ""))
    name = url.removeprefix("urn:relais:Questionnaire:")
    if not re.fullmatch(r"urn:relais:Questionnaire:[a-z0-9]+(-[a-z0-9]+)*", url) or len(name) > 60:
        raise Unreadable(f"The url {url!r} is not urn:relais:Questionnaire:<name>, 60 characters at most.")
    version = str(resource.get("version", ""))
    if not re.fullmatch(r"\d{1,4}\.\d{1,4}\.\d{1,4}", version):
        raise Unreadable(f"The version {version!r} of {name} is not of the form 1.0.0.")
    if not resource.get("title"):
        raise Unreadable(f"The questionnaire {name} has no title.")
    form = Form(name, version, resource["title"], tuple(_item(raw) for raw in resource.get("item", ())))
    rules.check(form)
    return form


def read_once(sha256: str, resource: dict[str, Any]) -> Form:
    """The form of a source that was loaded, kept for the life of the process under its digest."""
    if sha256 not in _forms:
        _forms[sha256] = read(resource, loaded=True)
    return _forms[sha256]


def kept(sha256: str) -> Form | None:
    """The form of this digest if this process has read it."""
    return _forms.get(sha256)


_forms: dict[str, Form] = {}  # versions are few and never change


def _check_structure(resource: dict[str, Any]) -> None:
    # Half a second and 30 MB that only whoever loads a source pays for.
    from fhir.resources.R4B.questionnaire import Questionnaire  # noqa: PLC0415
    from pydantic import ValidationError  # noqa: PLC0415

    if not isinstance(resource, dict) or resource.get("resourceType") != "Questionnaire":
        raise Unreadable("This is not a Questionnaire of FHIR.")
    for raw in _raw_items(resource):
        if "linkId" not in raw:
            raise Unreadable(f"An item of type {raw.get('type')!r} has no linkId.")
        if raw.get("type") not in DRAWN:
            raise Unreadable(f"{raw['linkId']}: the type {raw.get('type')!r} is not drawn here.")
    try:
        Questionnaire.model_validate(resource)
    except ValidationError as error:
        first = error.errors()[0]
        raise Unreadable(f"{_place(resource, first['loc'])}: {first['msg']}.") from None


def _raw_items(node: dict[str, Any]) -> list[dict[str, Any]]:
    """Every item below, parents first; what is no object is left to fhir.resources."""
    items = node.get("item")
    found: list[dict[str, Any]] = []
    for raw in items if isinstance(items, list) else []:
        if isinstance(raw, dict):
            found += [raw, *_raw_items(raw)]
    return found


def _place(resource: dict[str, Any], location: tuple[Any, ...]) -> str:
    """Where FHIR refuses: the deepest linkId on the way, then the rest of the path."""
    node: Any = resource
    label, rest = "The questionnaire", []
    for step in location:
        try:
            node = node[step]
        except (KeyError, IndexError, TypeError):
            node = None
        rest.append(str(step))
        if isinstance(node, dict) and "linkId" in node:
            label, rest = str(node["linkId"]), []
    return ", ".join([label, *([".".join(rest)] if rest else [])])


def _only(raw: dict[str, Any], known: set[str], place: str) -> None:
    for key in raw:
        if key not in known:
            raise Unreadable(f"{place}: {key!r} is not read here.")


def _item(raw: dict[str, Any]) -> Item:
    link_id, kind = raw["linkId"], raw["type"]
    _only(raw, KEYS, link_id)
    extensions = _extensions(raw)
    if extensions.pop("control", None):
        raise Unreadable(f"{link_id}: itemControl is read on help texts alone (a display item inside its question).")
    below = raw.get("item", [])
    help_text, help_proxy = _help(link_id, [each for each in below if _is_help(each)])
    loinc = _loinc(raw)
    if "max_size" in extensions:
        extensions["max_size"] = int(extensions["max_size"])
    return Item(
        link_id=link_id,
        type=kind,
        text=raw.get("text", ""),
        help=help_text,
        help_proxy=help_proxy,
        required=raw.get("required", False),
        repeats=raw.get("repeats", False),
        read_only=raw.get("readOnly", False),
        options=tuple(_option(link_id, option) for option in raw.get("answerOption", ())),
        loinc=loinc.get("code", ""),
        loinc_label=loinc.get("display", ""),
        max_length=raw.get("maxLength", LONGEST.get(kind)),
        decimals=extensions.pop("decimals", MOST_DECIMALS if kind == "decimal" else None),
        conditions=tuple(_condition(link_id, each) for each in raw.get("enableWhen", ())),
        any_of=_any_of(raw),
        items=tuple(_item(each) for each in below if not _is_help(each)),
        **extensions,
    )


def _extensions(raw: dict[str, Any]) -> dict[str, Any]:
    """The extensions of an item as fields of Item."""
    found: dict[str, Any] = {}
    for extension in raw.get("extension", ()):
        field, keys = EXTENSIONS.get(extension["url"], ("", ()))
        if not field:
            raise Unreadable(f"{raw['linkId']}: the extension {extension['url']} is not read here.")
        wanted = (keys,) if isinstance(keys, str) else keys
        key = next((key for key in extension if key != "url"), "")
        if key not in wanted:
            raise Unreadable(f"{raw['linkId']}: the extension {extension['url']} wants {' or '.join(wanted)}.")
        value = extension[key]
        if field == "mime_types":
            found[field] = (*found.get(field, ()), value)
            continue
        if field in found:
            raise Unreadable(f"{raw['linkId']}: the extension {extension['url']} is there twice.")
        found[field] = _unit(raw["linkId"], value) if field == "unit" else value
    return found


def _unit(link_id: str, coding: dict[str, Any]) -> Unit:
    if coding.get("system") != UCUM or coding.get("code") not in UNITS:
        raise Unreadable(f"{link_id}: the unit {coding.get('code')!r} is not among the UCUM units known here.")
    return Unit(coding["code"], coding.get("display") or coding["code"])


def _help(link_id: str, helps: list[dict[str, Any]]) -> tuple[str, str]:
    """The help text of an item in both voices."""
    if not helps:
        return "", ""
    if len(helps) > 1:
        raise Unreadable(f"{link_id}: there are {len(helps)} help texts.")
    known = _extensions(helps[0])
    if set(known) - {"control", "proxy"}:
        raise Unreadable(f"{helps[0]['linkId']}: a help text takes no extension but the proxy's text.")
    return helps[0].get("text", ""), known.get("proxy", "")


def _is_help(raw: dict[str, Any]) -> bool:
    if raw["type"] != "display":
        return False
    return any(
        extension["url"] == HL7 + "questionnaire-itemControl"
        and [coding.get("code") for coding in extension.get("valueCodeableConcept", {}).get("coding", ())] == ["help"]
        for extension in raw.get("extension", ())
    )


def _loinc(raw: dict[str, Any]) -> dict[str, Any]:
    codes = raw.get("code", [])
    if not codes:
        return {}
    if len(codes) > 1 or codes[0].get("system") != LOINC or not re.fullmatch(r"\d{1,7}-\d", codes[0].get("code", "")):
        raise Unreadable(f"{raw['linkId']}: code takes one LOINC code.")
    return dict(codes[0])


def _option(link_id: str, raw: dict[str, Any]) -> Option:
    _only(raw, {"valueCoding", "extension"}, link_id)
    coding = raw.get("valueCoding") or {}
    if not (coding.get("code") and coding.get("display") and coding.get("system")):
        raise Unreadable(f"{link_id}: each answer wants a valueCoding with system, code and display.")
    exclusive, proxy = False, ""
    for extension in raw.get("extension", ()):
        if extension["url"] == EXCLUSIVE and "valueBoolean" in extension:
            exclusive = extension["valueBoolean"]
        elif extension["url"] == PROXY and "valueString" in extension:
            proxy = extension["valueString"]
        else:
            raise Unreadable(f"{link_id}: the extension {extension['url']} is not read on an answer.")
    return Option(coding["code"], coding["display"], coding["system"], exclusive, proxy)


def _condition(link_id: str, raw: dict[str, Any]) -> Condition:
    key = next((key for key in raw if key.startswith("answer")), "")
    rules.check_value_kind(link_id, raw["question"], key)
    value: Value = raw[key].get("code", "") if key == "answerCoding" else raw[key]
    if key == "answerTime":
        value = raw[key][:5]  # FHIR writes seconds, our answers do not
    return Condition(raw["question"], raw["operator"], value)


def _any_of(raw: dict[str, Any]) -> bool:
    conditions, behaviour = raw.get("enableWhen", []), raw.get("enableBehavior")
    if len(conditions) > 1 and behaviour not in ("any", "all"):
        raise Unreadable(f"{raw['linkId']}: {len(conditions)} conditions want enableBehavior, any or all.")
    return behaviour == "any"
