"""What the pages of the rule laboratory print: rules by population, what a draft changes, what a replay says."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from relais.core.actor import Actor
from relais.questionnaires.expressions import Kind, Name
from relais.telemonitoring.actions.rules import answers_of
from relais.telemonitoring.history import FACTS, FEATURES, PREFIXES
from relais.telemonitoring.judging import COUNTS, GREEN, ORDER
from relais.telemonitoring.models import Cell, RuleDraft, RuleSet
from relais.telemonitoring.replay import DAYS
from relais.telemonitoring.wording import LEVELS, Level

POPULATIONS: dict[str, str | Promise] = {
    "adult": _("Adultes"),
    "child": _("Enfants"),
    "contact": _("Personnes-contacts"),
}
EFFECTS: dict[str, str | Promise] = {
    "hospitalisation": _("événement d’hospitalisation"),
    "social": _("aide sociale"),
    "escalate": _("transmission au médecin"),
    "priority": _("rappel plus tôt"),
    "close": _("clôture de l’alerte"),
    "possible_case": _("devient cas possible"),
    "confirmed_case": _("devient cas confirmé"),
    "propose_closing": _("clôture proposée"),
}
NO_COLOUR = Level("none", _("Sans couleur"), "circle-dashed")
SHOWN = (*reversed(ORDER), "")  # levels in the order of a page: the gravest first
FIELDS: dict[str, str | Promise] = {
    "expression": _("Condition"),
    "level": _("Niveau"),
    "words": _("Texte"),
    "delay": _("Délai"),
    "active": _("Appliquée"),
}


@dataclass(frozen=True)
class Line:
    """A rule as a page prints it."""

    id: str
    population: str
    stage: str
    expression: str
    level: Level
    effect: str | Promise
    words: str
    active: bool
    delay: int


@dataclass(frozen=True)
class Section:
    """The rules of a population, by level."""

    label: str | Promise
    lines: list[Line]


def level_of(level: str) -> Level:
    return LEVELS[level] if level else NO_COLOUR


def line(rule: Mapping[str, Any]) -> Line:
    return Line(
        id=rule["id"],
        population=rule["population"],
        stage=rule["stage"],
        expression=rule["expression"],
        level=level_of(rule["level"]),
        effect=EFFECTS.get(rule["effect"], ""),
        words=rule["words"],
        active=rule.get("active", True),
        delay=rule.get("delay", 0),
    )


def sections(source: Mapping[str, Any], *, text: str = "", level: str = "") -> list[Section]:
    """The rules whose id, condition or words hold `text`, of one level ("sans": of none) or of all; the gravest first."""
    wanted = text.strip().lower()
    found = []
    for population, label in POPULATIONS.items():
        rules = [
            one
            for one in source["rules"]
            if one["population"] == population
            and wanted in f"{one['id']} {one['expression']} {one['words']}".lower()
            and level in ("", one["level"] or "sans")
        ]
        rules.sort(key=lambda one: SHOWN.index(one["level"]))
        if rules:
            found.append(Section(label, [line(one) for one in rules]))
    return found


def versions(actor: Actor) -> QuerySet[RuleSet]:
    """Every published version, the newest first, with the number of cells that work with it, here and in all."""
    here = Q(cells__establishment_id=actor.establishment_id)
    return (
        RuleSet.objects.filter(published_at__isnull=False)
        .annotate(at_work=Count("cells", distinct=True), here=Count("cells", filter=here, distinct=True))
        .select_related("establishment", "before")
        .defer("source", "before__source")
        .order_by("-published_at", "-created_at", "-pk")
    )


def drafts(actor: Actor) -> QuerySet[RuleDraft]:
    """The drafts that are not published nor given up, the last changed first."""
    return (
        RuleDraft.objects.visible_to(actor)
        .filter(published=None, dropped_at=None)
        .select_related("establishment", "author", "base")
        .defer("source", "base__source")
        .order_by("-changed_at", "-pk")
    )


@dataclass(frozen=True)
class Change:
    """What differs of one rule: (field, before, after) as words."""

    id: str
    words: str
    red: bool
    parts: list[tuple[str | Promise, str, str]]


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """What a draft changes of the set at work, rule by rule; a rule of one side alone counts as not applied on the other."""
    was, now = ({one["id"]: one for one in source["rules"]} for source in (before, after))
    found = []
    for rule_id in dict.fromkeys([*was, *now]):
        first, second = was.get(rule_id), now.get(rule_id)
        one = second or first or {}
        first = first or {**one, "active": False}
        second = second or {**one, "active": False}
        parts = [
            (label, _word(name, first), _word(name, second))
            for name, label in FIELDS.items()
            if _word(name, first) != _word(name, second)
        ]
        if parts:
            red = any(each["level"].startswith("rouge") for each in (first, second))
            found.append(Change(rule_id, one["words"], red, parts))
    return found


def _word(field: str, rule: Mapping[str, Any]) -> str:
    if field == "active":
        return str(_("oui") if rule.get("active", True) else _("non"))
    if field == "level":
        return str(level_of(rule["level"]).word)
    if field == "delay":
        return str(_("%d min") % rule["delay"] if rule.get("delay") else _("celui du niveau"))
    return str(rule[field])


@dataclass(frozen=True)
class NameRow:
    """A documented name."""

    name: str
    words: str
    kind: str
    codes: str


def names(population: str, stage: str) -> list[tuple[str | Promise, list[NameRow]]]:
    """The names that a rule of this population and pass may use, in groups."""
    if stage == "levels":
        return [(_("Ce que les règles ont compté"), _rows(COUNTS)), (_("Le patient"), _rows(FACTS))]
    return [
        (_("Les réponses"), _rows(answers_of(population))),
        (_("Le patient"), _rows(FACTS)),
        (_("Calculé"), _rows(FEATURES)),
        (
            _("Le passé : à écrire devant un nom"),
            [NameRow(prefix, words, "", "") for prefix, words in PREFIXES.items()],
        ),
    ]


def _rows(listed: Mapping[str, Name]) -> list[NameRow]:
    return [
        NameRow(name, one.words, "" if one.kind in (Kind.CODE, Kind.CODES) else one.kind.value, ", ".join(one.codes))
        for name, one in listed.items()
    ]


@dataclass(frozen=True)
class LevelRow:
    """Alerts of a level: before, after, from none, to none, from and to another level."""

    level: Level
    before: int
    after: int
    gained: int
    lost: int
    arrived: int
    left: int


def level_rows(pairs: Iterable[Iterable[Any]]) -> list[LevelRow]:
    """`Comparison.levels` as one row a level, the gravest first."""
    listed = [tuple(one) for one in pairs]
    found = []
    for level in reversed(ORDER):
        out = [(after, many) for before, after, many in listed if before == level]
        into = [(before, many) for before, after, many in listed if after == level]
        found.append(
            LevelRow(
                level=LEVELS[level],
                before=sum(many for _other, many in out),
                after=sum(many for _other, many in into),
                gained=sum(many for other, many in into if other == GREEN),
                lost=sum(many for other, many in out if other == GREEN),
                arrived=sum(many for other, many in into if other not in (GREEN, level)),
                left=sum(many for other, many in out if other not in (GREEN, level)),
            )
        )
    return [one for one in found if one.before or one.after]


@dataclass(frozen=True)
class Reading:
    """The result of a replay as a page prints it."""

    answers: int
    patients: int
    levels: list[LevelRow]
    gained: int
    lost: int
    moved: int
    rules: list[dict[str, Any]]
    cells: list[dict[str, Any]]
    hours: list[dict[str, Any]]
    minutes_before: int
    minutes_after: int


def reading(result: Mapping[str, Any], source: Mapping[str, Any]) -> Reading:
    """What a replay found; rules and cells that nothing changes for are left out of their tables."""
    rows = level_rows(result["levels"])
    words = {one["id"]: one["words"] for one in source["rules"]}
    cells = [one for one in result["cells"] if one["gained"] or one["lost"] or one["raised"] or one["lowered"]]
    known = dict(Cell.objects.filter(pk__in=[one["cell"] for one in cells]).values_list("pk", "name"))
    called = {str(pk): name for pk, name in known.items()}
    return Reading(
        answers=result["answers"],
        patients=result["patients"],
        levels=rows,
        gained=sum(one.gained for one in rows),
        lost=sum(one.lost for one in rows),
        moved=sum(one.arrived for one in rows),
        rules=[{**one, "words": words.get(one["id"], "")} for one in result["rules"] if one["before"] != one["after"]],
        cells=sorted(
            (
                {
                    **one,
                    "name": called.get(one["cell"], "—"),
                    "day_before": round(one["minutes_before"] / DAYS),
                    "day_after": round(one["minutes_after"] / DAYS),
                }
                for one in cells
            ),
            key=lambda one: (str(one["name"]).lower(), one["cell"]),
        ),
        hours=[one for one in result["hours"] if one["before"] or one["after"]],
        minutes_before=round(sum(one["before"] for one in result["hours"])),
        minutes_after=round(sum(one["after"] for one in result["hours"])),
    )


def next_version() -> str:
    """A name that no version has: the highest one, with its middle figure raised."""
    found = [
        tuple(int(part) for part in version.split("-")[0].split("."))
        for version in RuleSet.objects.order_by("pk").values_list("version", flat=True)
    ]
    major, minor, *_patch = max(found, default=(1, 0, 0))
    return f"{major}.{minor + 1}.0"
