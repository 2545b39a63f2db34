"""What a telephone without network judges by itself: the red rules that need the answers of now and the facts alone.

Pure: no table. The same expressions as everywhere, as trees (questionnaires.trees); the server judges again on arrival.
"""

from collections.abc import Mapping
from typing import Any

from relais.questionnaires.expressions import Name
from relais.questionnaires.trees import Tree, tree
from relais.telemonitoring.history import FACTS, FEVER, PEAK, documented
from relais.telemonitoring.judging import RuleSet

RED = ("rouge", "rouge-psy")


def red_rules(rules: RuleSet) -> dict[str, Any]:
    """{names: {linkId: number|flag|code|codes}, rules: [{id, level, when}]}, in the order of the set."""
    names = documented(rules.answers)
    features = features_of(rules.answers)
    now = {*FACTS, *rules.answers, *features}
    kept = [
        one
        for one in rules.rules
        if one.stage == "answers" and one.level in RED and rules.compiled["answers"][one.id].uses <= now
    ]
    used = {name for one in kept for name in rules.compiled["answers"][one.id].uses} | set(rules.answers)
    return {
        "names": {name: rules.answers[name].kind.name.lower() for name in sorted(used & set(rules.answers))},
        "rules": [{"id": one.id, "level": one.level, "when": tree(one.expression, names, features)} for one in kept],
    }


def features_of(answers: Mapping[str, Name]) -> dict[str, Tree]:
    """The features of history.py that need no earlier answer, written in the language of the rules (a test compares)."""
    texts = {
        "peak": [f"day between {PEAK[0]} and {PEAK[1]}"],
        "o2_usual": ["o2_prescribed"] if "ad.spo2.o2" in answers else [],
        "rr": [name for name in ("ad.fr.recompte", "ad.fr") if name in answers],
        "fever": [
            *[f"{name} >= {FEVER}" for name in ("ad.temp", "en.temp", "ct.temp") if name in answers],
            *["ad.fievre.ress" for name in ("ad.fievre.ress",) if name in answers],
        ],
        "gut": ["has(ad.digestif, 'dia3', 'vom')" for name in ("ad.digestif",) if name in answers],
    }
    known = {**FACTS, **answers}
    return {name: _first_of(parts, known) for name, parts in texts.items()}


def _first_of(parts: list[str], names: Mapping[str, Name]) -> Tree:
    """The first of these values that is there; a feature that no question of the form gives is missing."""
    trees = [tree(f"({part}) is null", names)[1] for part in parts]  # `read` takes conditions alone
    return ["coalesce", *trees] if trees else ["value", None]
