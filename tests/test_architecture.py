"""The rules of ARCHITECTURE.md that a reader of one file cannot see: read from the source, nothing runs."""

import ast
import re
import tomllib
from collections.abc import Iterator
from dataclasses import MISSING as NO_DEFAULT
from dataclasses import fields
from functools import cache
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.urls import reverse

from relais.core.workflow import Transition
from relais.dossiers.models import Dossier, Phase
from relais.dossiers.registry import KINDS, Kind

ROOT: Path = settings.BASE_DIR
RELAIS = ROOT / "relais"
MODULES = sorted(path.name for path in RELAIS.iterdir() if (path / "__init__.py").exists())

LINES_OF_A_FILE = 400
LINES_OF_A_FUNCTION = 60
README_LINES = 60
FORBIDDEN = re.compile(r"(utils?|helpers?|services?|mixins?|common|misc|base)", re.IGNORECASE)

VOCABULARY = {
    *("models", "workflow", "permissions", "queries", "messages", "actions", "forms", "views", "urls", "tasks"),
    *("management", "templates", "static", "tests"),
    *("__init__", "apps", "migrations", "templatetags"),  # Django's own
    "demo",  # the module's part of the demo region
    "questionnaires",  # the forms that it owns: FHIR JSON, one file each
    "testing",  # scenes for the tests of the modules above
    "patient_urls",  # its addresses under /p/
    "typst",  # its printed pages
}
# Files of another name, each with the reason why the vocabulary has no word for it. core is not listed: it has no
# domain, and its files are what the vocabulary is made of.
OTHER_FILES = {
    "accounts/adapter": "the one file that allauth asks for",
    "accounts/departures": "what must follow when somebody leaves: a registry",
    "accounts/middleware": "a session becomes an Actor",
    "accounts/stages": "the one second factor that allauth does not have",
    "directory/duties": "who is on duty now: a registry",
    "directory/finess": "the format of the national extraction",
    "directory/identifiers": "FINESS and RPPS keys: pure rules",
    "dossiers/facts": "what a dossier says already to the form of another: a registry",
    "dossiers/fhir": "what leaves of any dossier as FHIR: pure functions",
    "dossiers/registry": "the kinds of dossier",
    "dossiers/sequels": "what comes back to a dossier from those opened from it: a registry",
    "expertise/delays": "the clocks of requests: pure rules",
    "expertise/kind": "the module's row in the registry of kinds",
    "expertise/printing": "the printed opinion: its content, its words, its PDF",
    "expertise/topics": "the live topics of its pages, said once",
    "files/clamav": "the protocol of the antivirus",
    "files/content": "what bytes are: pure rules",
    "files/dicom": "DICOM images: a reader in a process of its own, and pure rules",
    "files/gate": "ASGI, before Django",
    "files/handoff": "ASGI, after Django",
    "files/looking": "a file looked at in the page, called by the owners' views",
    "files/pictures": "drawing pictures again: pure functions",
    "files/serving": "the way out of a file, called by the owners' views",
    "files/spool": "uploads before their action",
    "files/upload_urls": "addresses that config/asgi.py serves async",
    "files/vault": "encrypted files on disk",
    "liaison/delays": "the clocks of requests: pure rules",
    "liaison/kind": "the module's row in the registry of kinds",
    "liaison/printing": "the DLU and the transfer sheet on paper: content, words, PDF",
    "liaison/scores": "NEWS2, qSOFA and the rule of the 15: pure rules",
    "liaison/topics": "the live topics of its pages, said once",
    "notifications/bounces": "the format of reports of non-delivery",
    "notifications/channels": "one file a channel",
    "notifications/checks": "system checks",
    "notifications/mail": "the HTML alternative of an e-mail",
    "notifications/registry": "the types of message",
    "notifications/sending": "the protocol around one attempt",
    "notifications/vault": "secrets in messages",
    "oncall/calendars": "the format of calendar files",
    "oncall/bells": "what rings for those on call: a registry",
    "oncall/changes": "what must follow a change of a rota: a registry",
    "oncall/hours": "day, night, holes and double hours: pure rules",
    "oncall/lines": "the format of CSV files of a rota: pure",
    "oncall/recurrences": "on which days a calendar's rule falls: pure",
    "patients/contact": "telephones and addresses: pure rules",
    "patients/deaths": "what must follow a death: a registry",
    "patients/entry": "secrets and cookies of a grant: pure rules",
    "patients/identity": "French identity rules: pure rules",
    "patients/middleware": "a patient's cookie becomes an Actor",
    "patients/sections": "what higher modules show on a patient's page",
    "patients/spaces": "where a way in leads: a registry",
    "portal/checks": "system checks",
    "portal/navigation": "what the portal adds to the rail",
    "questionnaires/columns": "answers as the names of rules: pure functions",
    "questionnaires/expressions": "the language of alert rules: pure functions",
    "questionnaires/fhir": "what leaves as FHIR: pure functions",
    "questionnaires/form": "what a source says: pure rules",
    "questionnaires/logic": "what is asked and what is wrong: pure rules",
    "questionnaires/trees": "conditions as the browser computes them: pure functions",
    "rooms/janus": "the protocol of the video relay",
    "rooms/sfu": "video relays, and how a room uses one: no table",
    "rooms/turn": "the credentials of relays: pure rules",
    "teleconsultation/calendar": "the format of calendar files",
    "teleconsultation/content": "sections and model texts of a report",
    "teleconsultation/kind": "the module's row in the registry of kinds",
    "teleconsultation/papers": "what printed papers hold: dataclasses, no rule",
    "teleconsultation/pdf": "what printed documents hold: pure functions",
    "teleconsultation/prescribing": "the rules of a prescription: pure rules",
    "teleconsultation/prescription_form": "a form with lines: a forms package of two would hide it",
    "teleconsultation/printing": "the words of printed documents: pure functions",
    "teleconsultation/slots": "cutting hours into slots: pure rules",
    "teleconsultation/topics": "the live topics of its pages, said once",
    "meetings/calendar": "the format of calendar files",
    "meetings/links": "secrets of links and cookies: pure rules",
    "meetings/middleware": "a guest's cookie becomes an Actor",
    "meetings/topics": "the live topics of its pages, said once",
    "telemonitoring/bulk": "the format of files of inclusions: pure",
    "telemonitoring/checks": "system checks",
    "telemonitoring/capacity": "whether a cell can keep its promises: pure",
    "telemonitoring/delays": "the clocks of alerts: pure rules",
    "telemonitoring/drafts": "the tables of the laboratory: models.py is long enough without them",
    "telemonitoring/history": "what rules know of the answers before: pure functions",
    "telemonitoring/inclusion": "from the inclusion form to a follow-up: pure rules",
    "telemonitoring/judging": "the two passes of alert rules: pure functions",
    "telemonitoring/pocket": "what a telephone judges by itself: pure rules",
    "telemonitoring/reaching": "whom to call next: pure rules",
    "telemonitoring/kind": "the module's row in the registry of kinds",
    "telemonitoring/programme": "when answers are awaited: pure rules",
    "telemonitoring/replay": "stored answers judged again by two rule sets: no write",
    "telemonitoring/rules": "alert rules as data",
    "telemonitoring/topics": "the live topics of its pages, said once",
    "telemonitoring/wording": "codes as professionals read them",
}
# Product files that are still longer than LINES_OF_A_FILE. The aim is none: take a line out, never add one.
LONG_FILES = {
    "relais/core/static/core/components.css",
    "relais/core/static/core/forms.css",
    "relais/core/static/core/lists.css",
    "relais/core/static/core/shell.css",
    "relais/core/static/core/utilities.css",
    "relais/rooms/static/rooms/call.css",
}
# Where states change without the transition table, and why.
STATES_CHANGED_BY_HAND = {
    "relais/core/workflow.py": "the engine",
    "relais/dossiers/actions.py": "the phase follows the state that the engine has just set",
    "relais/liaison/demo/__init__.py": "rows of a past that is made up, in memory: there is none to lock",
    "relais/telemonitoring/demo/desk.py": "rows of a past that is made up, in memory: there is none to lock",
    "relais/telemonitoring/demo/story.py": "the same",
}


def product(*suffixes: str) -> list[Path]:
    """Files of the site, tests and migrations left out."""
    return sorted(
        path
        for path in RELAIS.rglob("*")
        if path.suffix in suffixes and not {"tests", "migrations"} & set(path.relative_to(RELAIS).parts)
    )


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def everywhere(*kinds: type[ast.AST], paths: tuple[Path, ...] = ()) -> Iterator[tuple[str, ast.AST]]:
    """Each node of these kinds in the product's Python, with its place."""
    for path in paths or product(".py"):
        for node in ast.walk(tree(path)):
            if isinstance(node, kinds):
                yield f"{named(path)}:{getattr(node, 'lineno', 0)}", node


def called(node: ast.AST) -> str:
    """Name of the function or method of a call."""
    function = getattr(node, "func", None)
    return getattr(function, "attr", "") or getattr(function, "id", "")


# State


def assigned(node: ast.AST) -> list[ast.expr]:
    """What an assignment assigns to, tuples opened."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]  # type: ignore[attr-defined]
    return [part for target in targets for part in getattr(target, "elts", [target])]


@pytest.mark.parametrize("attribute", ["state", "phase"])
def test_only_the_workflow_engine_assigns_a_state(attribute: str) -> None:
    found = [
        place
        for place, node in everywhere(ast.Assign, ast.AugAssign, ast.AnnAssign)
        if any(isinstance(target, ast.Attribute) and target.attr == attribute for target in assigned(node))
    ]
    found += [place for place, node in everywhere(ast.Call) if called(node) in WRITES and attribute in written(node)]
    assert elsewhere(found, STATES_CHANGED_BY_HAND) == []


WRITES = ("setattr", "update", "aupdate", "bulk_update", "update_or_create")


def written(call: ast.AST) -> set[str]:
    """The names that a call may write to: its keywords, and the strings among its arguments."""
    words = {str(keyword.arg) for keyword in call.keywords}  # type: ignore[attr-defined]
    for argument in call.args:  # type: ignore[attr-defined]
        words |= {part.value for part in ast.walk(argument) if isinstance(part, ast.Constant)}
    return words


def elsewhere(places: list[str], allowed: dict[str, str]) -> list[str]:
    return [place for place in places if place.split(":")[0] not in allowed]


def test_the_list_of_states_changed_by_hand_is_short_of_no_reason_and_holds_no_past() -> None:
    for path in STATES_CHANGED_BY_HAND:
        assert re.search(r"\.(state|phase) = |update\(\s*state=", (ROOT / path).read_text()), path


def test_rows_are_locked_alone() -> None:
    """`select_for_update` with a join would lock the joined rows too, and deadlock with who takes them first."""
    found = [
        place
        for place, node in everywhere(ast.Call)
        if called(node) == "select_for_update"
        and [ast.unparse(keyword) for keyword in node.keywords if keyword.arg == "of"] != ["of=('self',)"]
    ]
    assert found == []


# Modules


def test_every_module_has_a_place_in_the_layers() -> None:
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]
    placed = sorted(name.strip() for layer in contract["layers"] for name in layer.split("|"))
    assert placed == sorted(["config", *(f"relais.{module}" for module in MODULES)])


def test_every_module_is_installed_and_owns_a_table() -> None:
    """A module exists when it owns a table; core has none."""
    without = [module for module in MODULES if not list(apps.get_app_config(module).get_models())]
    assert without == ["core"]


def test_no_file_is_named_after_what_it_is_not() -> None:
    found = [named(path) for path in product(".py", ".js") if FORBIDDEN.fullmatch(path.stem)]
    found += [named(path) for path in RELAIS.rglob("*") if path.is_dir() and FORBIDDEN.fullmatch(path.name)]
    assert found == []


def test_modules_hold_only_the_files_of_the_vocabulary() -> None:
    """Otherwise: take a word of the vocabulary, make a package by noun of it, or list the file with its reason."""
    found = {
        f"{module}/{path.stem}"
        for module in MODULES
        if module != "core"
        for path in (RELAIS / module).iterdir()
        if path.stem not in VOCABULARY and path.name != "__pycache__"
    }
    assert sorted(found - set(OTHER_FILES)) == []


def test_no_signals_pass_between_modules() -> None:
    found = [
        place
        for place, node in everywhere(ast.ImportFrom)
        if (node.module or "").startswith(("django.db.models.signals", "django.dispatch"))
        # Django's own: the end of a request; the end of migrate, after which questionnaires and rules are loaded
        and not place.startswith(
            ("relais/core/streams.py:", "relais/questionnaires/apps.py:", "relais/telemonitoring/apps.py:")
        )
    ]
    assert found == []


def test_files_are_short() -> None:
    found = {
        named(path)
        for path in product(".py", ".js", ".css", ".html", ".typ")
        if len(path.read_text().splitlines()) > LINES_OF_A_FILE
    }
    assert sorted(found - set(LONG_FILES)) == []


def test_functions_are_short() -> None:
    found = [
        f"{place} {node.name}"
        for place, node in everywhere(ast.FunctionDef, ast.AsyncFunctionDef)
        if node.end_lineno - node.lineno + 1 > LINES_OF_A_FUNCTION
    ]
    assert found == []


def test_the_domain_never_sees_a_request() -> None:
    """Jobs, imports and tests call what pages call."""
    domain = ("actions", "queries", "permissions", "models", "workflow", "messages", "tasks")
    found = []
    for path in product(".py"):
        if path.stem in domain or path.parent.name in domain:
            for place, node in everywhere(ast.FunctionDef, ast.AsyncFunctionDef, paths=(path,)):
                if "request" in [each.arg for each in (*node.args.args, *node.args.kwonlyargs)]:
                    found.append(f"{place} {node.name}")
    assert found == []


# Closed by default (the sweep holds the list of public pages)


def test_only_core_access_opens_a_view() -> None:
    found = [
        place
        for place, node in everywhere(ast.Assign, ast.AnnAssign)
        if any(isinstance(target, ast.Attribute) and target.attr == "access" for target in assigned(node))
    ]
    found += [
        place
        for place, node in everywhere(ast.ImportFrom)
        if any(alias.name in ("login_not_required", "csrf_exempt") for alias in node.names)
    ]
    # The SMS gateway has no session: its receipts are signed instead. Uploads check the token themselves.
    allowed = ("relais/core/access.py:", "relais/notifications/views.py:", "relais/files/views.py:")
    assert [place for place in found if not place.startswith(allowed)] == []


# Dossiers


def test_a_kind_has_at_most_eight_fields_and_no_default() -> None:
    assert len(fields(Kind)) <= 8
    assert [
        each.name for each in fields(Kind) if (each.default, each.default_factory) != (NO_DEFAULT, NO_DEFAULT)
    ] == []


def test_the_registry_holds_the_workflows_of_the_database() -> None:
    """One kind for each table that is one-to-one with Dossier and moves by a transition table, and the reverse."""
    workflows = {
        relation.related_model._meta.app_label: relation.related_model
        for relation in Dossier._meta.related_objects
        if relation.one_to_one and hasattr(relation.related_model, "TRANSITIONS")
    }
    assert sorted(KINDS) == sorted(workflows)
    for key, kind in KINDS.items():
        states = set(_states(workflows[key]))
        assert kind.key == key
        assert {str(state) for state in kind.phases} == states
        assert {str(phase) for phase in kind.phases.values()} <= set(Phase.values)
        assert reverse(kind.url_name, args=["00000000-0000-4000-8000-000000000000"])


def _states(model: type) -> list[str]:
    return [str(value) for value, _ in model._meta.get_field("state").choices]  # type: ignore[attr-defined]


def test_every_transition_leads_between_states_that_exist() -> None:
    moving = [model for model in apps.get_models() if hasattr(model, "TRANSITIONS")]
    assert moving
    for model in moving:
        states = set(_states(model))
        for verb, step in model.TRANSITIONS.items():
            assert isinstance(step, Transition)
            assert {*map(str, step.sources), str(step.target)} <= states, f"{model.__name__}: {verb}"


def test_dossiers_name_no_workflow() -> None:
    """If `dossiers` needs the name of a workflow, the design has failed there."""
    above = "teleconsultation|expertise|telemonitoring|liaison|coordination|placement|surveillance"
    found = [
        place
        for place, node in everywhere(ast.Constant, ast.Attribute, ast.Name, paths=tuple(_of("dossiers")))
        if re.search(above, _word(node)) and not (isinstance(node, ast.Constant) and " " in _word(node))
    ]
    assert found == []


def _of(module: str) -> list[Path]:
    return [path for path in product(".py") if (RELAIS / module) in path.parents]


def _word(node: ast.AST) -> str:
    return str(
        getattr(node, "value", "") if isinstance(node, ast.Constant) else getattr(node, "attr", getattr(node, "id", ""))
    )


# The whole


@pytest.mark.django_db
def test_migrations_are_complete() -> None:
    call_command("makemigrations", check_changes=True, dry_run=True, verbosity=0)


def test_the_readme_fits_on_one_screen() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= README_LINES


def test_the_first_pages_of_a_reader_exist() -> None:
    wanted = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "docs/glossary.md")
    assert [name for name in wanted if not (ROOT / name).exists()] == []


def test_no_file_names_a_package_registry() -> None:
    """Packages come from wherever the machine is set to look."""
    registries = re.compile(r"py" + r"pi\.org|registry\.np" + r"mjs|files\.python" + r"hosted", re.IGNORECASE)
    kept = [
        path
        for folder in ("relais", "config", "tests", "docs", "deploy", "bench")
        for path in (ROOT / folder).rglob("*")
    ]
    kept += [path for path in ROOT.iterdir() if path.is_file()]
    texts = {".py", ".md", ".html", ".js", ".json", ".toml", ".lock", ".css", ".conf", ".csv", ""}
    found = [named(path) for path in kept if path.is_file() and path.suffix in texts and registries.search(_text(path))]
    assert found == []


def _text(path: Path) -> str:
    return path.read_text(errors="replace")
