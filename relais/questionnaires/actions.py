"""Loading questionnaires, and keeping answers."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.apps import apps
from django.db import transaction

from relais.questionnaires.form import Unreadable, read_once
from relais.questionnaires.models import Questionnaire


@transaction.atomic
def load(*, resources: Iterable[dict[str, Any]]) -> list[Questionnaire]:
    """Keep each FHIR Questionnaire as an immutable version; those that are there already stay. Returns the new ones.

    Raises Unreadable, with nothing loaded: a source that cannot be read, or that changed without a new version.
    """
    known = {(each.name, each.version): each.sha256 for each in Questionnaire.objects.only("name", "version", "sha256")}
    made = []
    for resource in resources:
        digest = sha256_of(resource)
        if digest in known.values():
            continue
        form = read_once(digest, resource)
        if (form.name, form.version) in known:
            raise Unreadable(
                f"The questionnaire {form.name} {form.version} was loaded with another content: "
                "give the changed source a new version."
            )
        known[form.name, form.version] = digest
        made.append(
            Questionnaire(
                name=form.name,
                version=form.version,
                rank=rank_of(form.version),
                title=form.title,
                sha256=digest,
                source=resource,
            )
        )
    return Questionnaire.objects.bulk_create(made)


def load_installed() -> list[Questionnaire]:
    """Load `questionnaires/*.json` of every installed module. Raises Unreadable with the file's name."""
    return load(resources=[_read_file(path) for path in installed()])


def installed() -> list[Path]:
    """The sources of the installed modules."""
    return sorted(
        path for config in apps.get_app_configs() for path in (Path(config.path) / "questionnaires").glob("*.json")
    )


def _read_file(path: Path) -> dict[str, Any]:
    try:
        resource = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise Unreadable(f"{path.name} is not JSON: {error}.") from None
    if not isinstance(resource, dict):
        raise Unreadable(f"{path.name} is not a Questionnaire of FHIR.")
    return resource


def sha256_of(resource: dict[str, Any]) -> str:
    """Digest of a source, whatever its spaces and the order of its keys."""
    text = json.dumps(resource, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def rank_of(version: str) -> int:
    """1.2.3 as 1_0002_0003."""
    major, minor, patch = map(int, version.split("."))
    return (major * 10_000 + minor) * 10_000 + patch
