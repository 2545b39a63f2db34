"""The rule sets that exist, and the one of them that a cell works with, read once a process."""

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from relais.questionnaires.columns import names_of
from relais.questionnaires.form import read_once
from relais.questionnaires.models import Questionnaire
from relais.telemonitoring import judging, pocket
from relais.telemonitoring.models import RuleSet
from relais.telemonitoring.programme import FORMS

SOURCES = Path(__file__).parent.parent / "rules"


@transaction.atomic
def load_installed() -> list[RuleSet]:
    """Keep each rule set beside this module as a published version; those that are there already stay.

    They carry no approval: only a demonstration region opens a cell on one (see `enrol`).
    """
    known = set(RuleSet.objects.values_list("name", "version"))
    sources = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(SOURCES.glob("*.json"))]
    fresh = [source for source in sources if (source["name"], source["version"]) not in known]
    for source in fresh:
        judging.load(source)
    return RuleSet.objects.bulk_create(
        RuleSet(name=source["name"], version=source["version"], source=source, published_at=timezone.now())
        for source in fresh
    )


@lru_cache(maxsize=32)
def reader(rule_set_id: UUID, population: str) -> judging.RuleSet:
    """The rules of a population, read against its forms as they are now. A published set never changes."""
    return read(RuleSet.objects.only("source").get(pk=rule_set_id).source)[population]


def read(source: Mapping[str, Any]) -> dict[str, judging.RuleSet]:
    """The rules of a source by population, against the forms as they are now; a population without rules has none.

    Raises Refused for a rule that is badly written. Expressions are read at their first use, or by `.compiled`.
    """
    rules = judging.load(source)
    return {one: judging.RuleSet(rules.get(one, ()), answers_of(one)) for one in FORMS}


@lru_cache(maxsize=32)
def on_device(rule_set_id: UUID, population: str) -> dict[str, Any]:
    """What a telephone judges by itself (see `pocket.red_rules`)."""
    return pocket.red_rules(reader(rule_set_id, population))


@lru_cache(maxsize=8)
def answers_of(population: str) -> dict[str, judging.Name]:
    """The names of every loaded version of a population's forms."""
    forms = [
        read_once(one.sha256, one.source)
        for one in Questionnaire.objects.filter(name__in=FORMS[population]).order_by("name", "rank")
    ]
    return names_of(*forms)
