"""The colours that carry words and marks keep their contrast, in both themes (WCAG 2.1 AA)."""

import re
from itertools import pairwise
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders

TEXT, MARK = 4.5, 3.0
PAIRS = [
    ("ink", "paper", TEXT),
    ("ink", "surface", TEXT),
    ("ink", "sunken", TEXT),
    ("ink-soft", "paper", TEXT),
    ("ink-soft", "surface", TEXT),
    ("ink-soft", "sunken", TEXT),
    ("ink-soft", "brand-soft", TEXT),
    ("brand-ink", "paper", TEXT),
    ("brand-ink", "surface", TEXT),
    ("brand-ink", "brand-soft", TEXT),
    ("on-accent", "accent", TEXT),
    ("on-accent", "accent-hover", TEXT),
    ("on-danger", "danger", TEXT),
    ("on-brand", "brand-deep", TEXT),
    ("on-brand-soft", "brand-deep", TEXT),
    *((f"{state}-ink", f"{state}-soft", TEXT) for state in ("ok", "warning", "danger", "none")),
    *(("ink", f"{state}-soft", TEXT) for state in ("ok", "warning", "danger", "none", "brand")),
    ("danger-ink", "surface", TEXT),
    ("line-strong", "surface", MARK),
    ("line-strong", "paper", MARK),
    ("focus", "surface", MARK),
    ("focus", "paper", MARK),
    ("danger", "surface", MARK),
]
LEAST = {(one, other): ratio for one, other, ratio in PAIRS}


def _tokens() -> dict[str, dict[str, str]]:
    css = Path(finders.find("core/tokens.css")).read_text()
    light, dark = re.split(r'\n\[data-bs-theme="dark"\] \{', css, maxsplit=1)
    colours = re.compile(r"--([a-z-]+): (#[0-9a-f]{6});")
    base = dict(colours.findall(light))
    return {"light": base, "dark": base | dict(colours.findall(dark))}


def _luminance(colour: str) -> float:
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pairs_of_tokens_keep_their_contrast(theme: str) -> None:
    tokens = _tokens()[theme]
    found = {(a, b): round(contrast(tokens[a], tokens[b]), 2) for a, b in LEAST}
    assert {pair: found[pair] for pair in found if found[pair] < LEAST[pair]} == {}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_states_differ_in_lightness_and_not_in_hue_alone(theme: str) -> None:
    """Seen in grey, no two of the four state colours are the same."""
    tokens = _tokens()[theme]
    greys = sorted((tokens[state] for state in ("ok", "warning", "danger", "none")), key=_luminance)
    assert all(contrast(one, other) > 1.15 for one, other in pairwise(greys))
