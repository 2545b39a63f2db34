"""What is required and the tests that show it: docs/features.md is written from them."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.urls import reverse

from relais.accounts.models import Role
from relais.accounts.testing import client_of, make_establishment, make_member
from relais.core.management.commands import features
from relais.directory.models import Establishment

ROOT: Path = settings.BASE_DIR

# Required by this version.
REQUIRED = {
    f"{kind}-{number:02d}" for kind, last in (("TC", 64), ("TE", 10), ("VR", 7), ("FG", 13)) for number in range(1, last + 1)
} | {"SU-01", "SU-03", "SU-04", "SU-05", "SU-06", "D10", "D12"}  # fmt: skip


def test_the_page_of_features_is_up_to_date() -> None:
    call_command("features", check=True)


def test_every_requirement_is_shown_by_a_test() -> None:
    assert sorted(REQUIRED - set(features.shown())) == []


def test_every_requirement_has_its_words() -> None:
    words = features.requirements()
    assert set(words) >= REQUIRED
    assert all(words.values())


def test_a_mark_with_an_unknown_id_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "requirements.csv").write_text("id,requirement\nTC-01,One\n")
    (tmp_path / "tests").mkdir()
    known = tmp_path / "tests" / "test_known.py"
    known.write_text("@pytest.mark.req('TC-01')\ndef test_one(): ...\n")
    monkeypatch.setattr(settings, "BASE_DIR", tmp_path)
    assert features.shown() == {"TC-01": ["tests/test_known.py::test_one"]}
    known.write_text("pytestmark = [pytest.mark.django_db, pytest.mark.req('TC-01')]\ndef test_one(): ...\n")
    assert features.shown() == {"TC-01": ["tests/test_known.py::the whole file"]}
    known.write_text("@pytest.mark.req('TC-01')\ndef test_one(): ...\n")
    known.write_text("@pytest.mark.req('TC-01', 'TC-99')\ndef test_one(): ...\n")
    with pytest.raises(features.UnknownRequirement, match=r"tests/test_known.py::test_one shows TC-99"):
        features.shown()
    with pytest.raises(SystemExit, match="TC-99"):
        call_command("features", check=True)


# What no module shows alone


def linted(script: str) -> str:
    """What the linter of `make check` says of a browser script."""
    return subprocess.run(
        [
            "node",
            "node_modules/eslint/bin/eslint.js",
            "--stdin",
            "--stdin-filename",
            "relais/core/static/core/ui/one.js",
        ],
        cwd=ROOT,
        env=os.environ | {"PATH": f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"},
        input=script,
        capture_output=True,
        text=True,
        check=False,
    ).stdout


@pytest.mark.req("TC-57", "TC-58", "TC-59")
def test_the_browsers_required_are_declared_and_scripts_checked_against_them() -> None:
    """Chrome 71, Firefox 60, Edge 80, iOS 13, Android by its Chrome: declared and linted, not tried on such devices."""
    declared = json.loads((ROOT / "package.json").read_text())["browserslist"]
    assert sorted(declared) == ["Chrome >= 71", "ChromeAndroid >= 71", "Edge >= 80", "Firefox >= 60", "iOS >= 13"]
    assert linted("export const name = (one) => one.name;\n") == ""
    assert "Parsing error" in linted("export const name = (one) => one?.name;\n")
    assert "not supported in Firefox 60" in linted("export const seen = new ResizeObserver(() => 1);\n")


@pytest.mark.req("TC-61")
@pytest.mark.django_db
@pytest.mark.parametrize("kind", [value for value, _ in Establishment._meta.get_field("kind").choices])
def test_every_establishment_has_the_service_without_being_switched_on(kind: str) -> None:
    member = make_member(make_establishment(kind=kind), Role.SECRETARY)
    assert client_of(member).get(reverse("teleconsultation:dashboard")).status_code == 200


@pytest.mark.req("TC-62")
def test_nothing_is_billed() -> None:
    """No table has a column for a price, an invoice or a contract."""
    money = re.compile(r"price|prix|tarif|bill|invoice|factur|payment|paiement|contract|quota_of|subscription")
    fields = [
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        if model.__module__.startswith("relais.")
        for field in model._meta.get_fields()
    ]
    assert fields
    assert [name for name in fields if money.search(name.lower())] == []
