"""Templates as a whole: each is used, names icons and addresses that exist, and runs under the strict CSP."""

import ast
import re
from functools import cache
from pathlib import Path

import allauth
import pytest
from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver

from relais.core.templatetags.ui import UnknownIcon, icon

ROOT: Path = settings.BASE_DIR
RELAIS = ROOT / "relais"

# Folders whose templates are named by a slug, and where that happens.
NAMED_BY_SLUG = {"portal/guides/": "portal/views/guides.py"}
# Django looks for these by itself.
LOOKED_FOR = {"400.html", "403.html", "404.html", "500.html", "429.html"}
# Runs before the first paint, so that no page flashes in the other theme.
FIRST = "core/ui/theme.js"
# An e-mail, not a page: mail programs need their style inside.
MAILS = {"notifications/mail.html"}


@cache
def templates() -> dict[str, str]:
    """Text of each template by the name it is asked for."""
    found = {}
    for folder in RELAIS.glob("*/templates"):
        for path in folder.rglob("*"):
            if path.is_file():
                found[path.relative_to(folder).as_posix()] = path.read_text()
    return found


@cache
def python() -> dict[str, str]:
    """Text of each Python file of the site, tests included, by path."""
    return {path.relative_to(ROOT).as_posix(): path.read_text() for path in RELAIS.rglob("*.py")}


def product() -> dict[str, str]:
    return {path: text for path, text in python().items() if "/tests/" not in path}


@cache
def asked_for() -> set[str]:
    """Every template name that a string of the product or a tag of a template holds."""
    found = set()
    for text in product().values():
        found |= {
            node.value
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and re.fullmatch(r"[\w/-]+\.(html|txt)", node.value)
        }
    for text in templates().values():
        found |= set(re.findall(r"""\{%-?\s*(?:extends|include)\s+["']([^"']+)["']""", text))
    return found


def test_every_template_is_used() -> None:
    theirs = Path(allauth.__file__).parent / "templates"
    unused = [
        name
        for name in templates()
        if name not in asked_for() | LOOKED_FOR
        and not (theirs / name).exists()  # ours in the place of one of allauth's
        and not name.startswith(tuple(NAMED_BY_SLUG))
    ]
    assert unused == []


def test_every_template_asked_for_exists() -> None:
    ours = {
        name for name in asked_for() if "/" in name and name.split("/")[0] in {path.name for path in RELAIS.iterdir()}
    }
    assert sorted(ours - set(templates())) == []


def icons_named() -> set[tuple[str, str]]:
    """Place and name of each icon that a template or a module names outright."""
    found = set()
    for place, text in {**templates(), **product()}.items():
        names = re.findall(r"""\{%\s*icon\s+["']([\w-]+)["']""", text)
        names += re.findall(r"""(?<![\w.-])icon(?:_name)?\s*=\s*["']([\w-]+)["']""", text)
        names += re.findall(r"""\{%\s*badge\s+\S+\s+(?:"[^"]*"|[\w.]+)\s+["']([\w-]+)["']""", text)
        found |= {(place, name) for name in names}
    return found


def test_every_icon_exists() -> None:
    """axe does not see a blank square."""
    named = icons_named()
    assert len(named) > 50
    unknown = []
    for place, name in sorted(named):
        try:
            icon(name)
        except UnknownIcon:
            unknown.append((place, name))
    assert unknown == []


def addresses(patterns: list[URLPattern | URLResolver], prefix: str = "") -> set[str]:
    """Every name that `reverse` knows."""
    found = set()
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix
            found |= addresses(pattern.url_patterns, inner)
        elif pattern.name:
            found.add(prefix + pattern.name)
    return found


REVERSED = re.compile(
    r"""(?:\breverse(?:_lazy)?\(|\bredirect\(|\burl_or_none\(|\burl_name\s*=\s*|\bpattern_name\s*=\s*)["']([\w:-]+)["']"""
)


def test_every_address_named_resolves() -> None:
    known = addresses(get_resolver().url_patterns)
    named = {(place, name) for place, text in product().items() for name in REVERSED.findall(text)}
    named |= {
        (place, name)
        for place, text in templates().items()
        for name in re.findall(r"""\{%\s*url\s+["']([\w:-]+)""", text)
    }
    assert len(named) > 100
    assert sorted(pair for pair in named if pair[1] not in known and not _of_the_kit(pair[0])) == []


def _of_the_kit(place: str) -> bool:
    """The kit of components has addresses of its own, mounted by its tests alone."""
    return place.startswith(("core/kit", "relais/core/views_kit"))


@pytest.mark.parametrize(
    ("forbidden", "what"),
    [
        (r"<[a-zA-Z][^<>]*\sstyle\s*=", "a style attribute"),
        (r"<[a-zA-Z][^<>]*\son[a-z]+\s*=", "an event handler"),
        (r"<style\b", "a style element"),
        (r"<script\b(?![^>]*\ssrc=)(?![^>]*\stype=\"application/json\")", "a script without src"),
        (r"javascript:", "a script in an address"),
        (r"<[a-zA-Z][^<>]*\shx-on", "a handler of htmx"),
        (r"\|\s*safe\b", "a text declared safe"),
        (r"autoescape\s+off", "texts unescaped"),
        (r"""(?:src|href)="(?:https?:)?//""", "an address of another site"),
    ],
)
def test_templates_run_under_the_strict_csp(forbidden: str, what: str) -> None:
    """Template tags are taken out first: `{% confirm style="quiet" %}` is no attribute."""
    found = []
    for name, text in templates().items():
        bare = (
            re.sub(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", "", text)
            if "safe" not in forbidden and "auto" not in forbidden
            else text
        )
        if name.endswith(".html") and name not in MAILS and re.search(forbidden, bare):
            found.append(name)
    assert found == [], what


def test_scripts_are_modules() -> None:
    """`defer` by nature, and a scope of their own; htmx is the one script that is not ours."""
    tags = [tag for text in templates().values() for tag in re.findall(r"<script\b[^>]*>", text)]
    assert tags
    allowed = ('type="module"', 'type="application/json"', "vendor/htmx", FIRST)
    assert [tag for tag in tags if not any(sign in tag for sign in allowed)] == []


def test_a_text_in_one_language_is_marked_for_translation() -> None:
    """Sentences between tags stand in translate or blocktranslate, but on pages that exist in French alone."""
    french_pages = (
        "400.html",
        "500.html",
        "portal/guides/",
        "portal/accessibility.html",
        "portal/legal.html",
        "core/kit",
    )
    found = []
    for name, text in templates().items():
        if name.startswith(french_pages) or not name.endswith(".html"):
            continue
        bare = re.sub(r"\{%\s*blocktrans(?:late)?\b.*?\{%\s*endblocktrans(?:late)?\s*%\}", "", text, flags=re.S)
        bare = re.sub(
            r"\{#.*?#\}|\{%\s*comment\b.*?endcomment\s*%\}|<script.*?</script>|<title>.*?</title>", "", bare, flags=re.S
        )
        bare = re.sub(r"\{%.*?%\}|\{\{.*?\}\}", "", bare, flags=re.S)
        found += [
            (name, words.strip()) for words in re.findall(r">([^<>]+)<", bare) if re.search(r"\w{4,} \w+ \w+", words)
        ]
    assert found == []
