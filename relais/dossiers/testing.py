"""FHIR files for tests, as a reader takes them."""

from typing import Any

from fhir.resources.R4B.bundle import Bundle

Found = dict[str, dict[str, Any]]


def read_bundle(answer: Any) -> Found:
    """The resources of a FHIR file by `Type/id`, in their order, once fhir.resources has read them.

    AssertionError for another kind of answer, for a resource that stands twice, or for a reference that names no entry.
    """
    if (answer.status_code, answer["Content-Type"]) != (200, "application/fhir+json"):
        raise AssertionError(f"{answer.status_code}, {answer['Content-Type']}")
    given = answer.json()
    Bundle.model_validate(given)
    found = {one["fullUrl"].split("/fhir/")[1]: one["resource"] for one in given["entry"]}
    if len(found) < len(given["entry"]):
        raise AssertionError("a resource stands twice")
    if missing := _references(given) - set(found):
        raise AssertionError(f"no entry for {missing}")
    return found


def of(found: Found, kind: str) -> list[dict[str, Any]]:
    """Those of a resource type."""
    return [one for one in found.values() if one["resourceType"] == kind]


def _references(made: Any) -> set[str]:
    if isinstance(made, list):
        return {name for one in made for name in _references(one)}
    if not isinstance(made, dict):
        return set()
    own = {made["reference"]} if isinstance(made.get("reference"), str) else set()
    return own | {name for one in made.values() for name in _references(one)}
