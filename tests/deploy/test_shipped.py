"""What is shipped beside nginx.conf, and the pages that say how to use it."""

import configparser
import re
import shutil
import subprocess

import pytest
from django.core.management import get_commands

from config.environment import TABLE
from tests.deploy.site import (
    DEPLOY,
    ROOT,
)


def environment_file() -> dict[str, str]:
    lines = [line.strip() for line in (DEPLOY / "relais.env").read_text().splitlines()]
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_the_example_environment_names_settings_that_exist_and_holds_no_secret() -> None:
    found = environment_file()
    assert set(found) <= {setting.name for setting in TABLE}
    assert [name for name in found if re.search(r"SECRET$|SECRET_KEY$|TOKEN$", name) and found[name]] == []
    assert {name for name in found if "REPLACE" in found[name]} == {"DATABASE_URL", "SMTP_URL"}


@pytest.mark.parametrize("unit", ["relais-web.service", "relais-worker.service", "relais-sfu.service"])
def test_units_run_unprivileged_and_confined(unit: str) -> None:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(DEPLOY / unit)
    service = parser["Service"]
    assert service["User"] == "relais"
    assert service["EnvironmentFile"] == "/etc/relais/relais.env"
    assert (service["NoNewPrivileges"], service["ProtectSystem"], service["CapabilityBoundingSet"]) == (
        "yes",
        "strict",
        "",
    )
    command = service["ExecStart"].split()
    assert command[-1] in get_commands()
    if analyze := shutil.which("systemd-analyze"):
        said = subprocess.run(
            [analyze, "security", "--offline=true", "--threshold=20", str(DEPLOY / unit)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert said.returncode == 0, said.stdout[-200:] + said.stderr


def test_the_operations_pages_name_commands_that_exist_and_each_other() -> None:
    pages = {path.name: path.read_text() for path in (ROOT / "docs" / "operations").glob("*.md")}
    named = {name for text in pages.values() for name in re.findall(r"relais-manage ([a-z_]+)", text)}
    assert {"migrate", "collectstatic", "files_key", "secrets_key", "invite_member"} <= named
    assert sorted(named - set(get_commands())) == []
    assert sorted(set(pages) - {"README.md"} - set(re.findall(r"\]\(([\w-]+\.md)\)", pages["README.md"]))) == []
    for text in pages.values():
        assert [
            name for name in re.findall(r"\]\(([^)#:]+)\)", text) if not (ROOT / "docs/operations" / name).exists()
        ] == []
