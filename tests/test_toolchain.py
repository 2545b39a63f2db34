"""The two commands before anything is installed: what they say when something is missing, what they skip."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

import bootstrap
from config.environment import BadSetting, read

ROOT = settings.BASE_DIR


def one_sentence(stopped: pytest.ExceptionInfo[SystemExit]) -> str:
    said = str(stopped.value.code)
    assert said.startswith("Relais: ")
    assert said.endswith(".")
    assert "\n" not in said
    return said


def test_bootstrap_can_be_read_by_python_3_6() -> None:
    ast.parse((ROOT / "bootstrap.py").read_text(), feature_version=(3, 6))


def test_an_old_python_is_told_which_one_is_needed() -> None:
    with pytest.raises(SystemExit) as stopped:
        bootstrap.check_python((3, 9, 2))
    assert "Python 3.11 or newer is needed and this one is 3.9" in one_sentence(stopped)
    bootstrap.check_python((3, 11, 0))


def test_the_version_is_checked_before_anything_else_runs() -> None:
    script = "import sys; sys.version_info = (3, 8, 0); sys.argv = ['bootstrap.py', 'check']; "
    script += "import runpy; runpy.run_path('bootstrap.py', run_name='__main__')"
    result = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.startswith("Relais: Python 3.11 or newer is needed")


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_a_missing_venv_module_is_told_with_its_package(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(SystemExit) as stopped:
        bootstrap.check_venv()
    assert "python3-venv" in one_sentence(stopped)


def test_a_machine_without_network_is_told_so_in_one_sentence(tmp_path: Path) -> None:
    failing = [sys.executable, "-c", "print('Temporary failure in name resolution'); raise SystemExit(1)"]
    with pytest.raises(SystemExit) as stopped:
        bootstrap.quietly(failing, tmp_path / "log", "The packages cannot be installed")
    assert "cannot be reached" in one_sentence(stopped)


def test_a_missing_chromium_is_told_when_we_may_not_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(SystemExit) as stopped:
        bootstrap.browser()
    assert "Chromium" in one_sentence(stopped)


class Fresh:
    """A checkout with lock files and nothing installed; commands are noted instead of run."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.commands: list[list[str]] = []
        for name in ("requirements.lock", "requirements-dev.lock", "package-lock.json", "package.json", ".npmrc"):
            (folder / name).write_text(name)
        monkeypatch.setattr(bootstrap, "ROOT", folder)
        monkeypatch.setattr(bootstrap, "VENV", folder / ".venv")
        monkeypatch.setattr(bootstrap, "PYTHON", folder / ".venv" / "bin" / "python")
        monkeypatch.setattr(bootstrap, "MODULES", folder / "node_modules")
        monkeypatch.setattr(bootstrap, "quietly", self.note)
        self.folder = folder

    def note(self, arguments: list[str], log: Path, failure: str, **options: object) -> None:
        self.commands.append(arguments)
        log.write_text("")
        if "venv" in arguments:
            (self.folder / ".venv" / "bin").mkdir(parents=True)
            (self.folder / ".venv" / "bin" / "python").symlink_to(sys.executable)
        if arguments[0] == "npm":
            (self.folder / "node_modules").mkdir(exist_ok=True)

    def installed(self, *, dev: bool) -> list[str]:
        """What an installation runs: venv, a lock file, npm."""
        self.commands.clear()
        bootstrap.install_python(dev=dev)
        bootstrap.install_assets(dev=dev)
        return [
            "venv" if "venv" in command else "npm" if command[0] == "npm" else Path(command[-1]).name
            for command in self.commands
        ]


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fresh:
    return Fresh(tmp_path, monkeypatch)


def test_the_second_start_installs_nothing(fresh: Fresh) -> None:
    assert fresh.installed(dev=False) == ["venv", "requirements.lock", "npm"]
    assert fresh.installed(dev=False) == []


def test_what_the_checks_need_serves_the_site_too_but_not_the_other_way_round(fresh: Fresh) -> None:
    fresh.installed(dev=False)
    assert fresh.installed(dev=True) == ["requirements-dev.lock", "npm"]
    assert fresh.installed(dev=False) == []


@pytest.mark.parametrize(
    ("changed", "again"), [("requirements.lock", ["requirements.lock"]), ("package-lock.json", ["npm"])]
)
def test_a_changed_lock_file_is_installed_again(fresh: Fresh, changed: str, again: list[str]) -> None:
    fresh.installed(dev=False)
    (fresh.folder / changed).write_text("changed")
    assert fresh.installed(dev=False) == again


def test_pip_takes_hashed_wheels_alone(fresh: Fresh) -> None:
    fresh.installed(dev=False)
    assert {"--require-hashes", "--no-deps", "--only-binary=:all:"} <= set(fresh.commands[1])


def test_no_lock_file_names_a_server() -> None:
    bootstrap.check_locks()


@pytest.mark.parametrize(
    ("name", "line"),
    [("requirements.lock", "--index-url https://packages.exemple.test"), ("package-lock.json", '"resolved": "x"')],
)
def test_a_lock_file_that_names_a_server_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, line: str
) -> None:
    for each in ("requirements.lock", "requirements-dev.lock", "requirements-node.lock", "package-lock.json"):
        (tmp_path / each).write_text(f"first\n{line}\n" if each == name else "first\n")
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    with pytest.raises(SystemExit, match=rf"Relais: {name}, line 2, names a server"):
        bootstrap.check_locks()


def test_make_lists_its_targets() -> None:
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    said = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True, env=outside).stdout
    assert [line.split()[1] for line in said.strip().split("\n")][:5] == ["help", "run", "test", "check", "fix"]


def test_the_gate_runs_exactly_check_and_test() -> None:
    lines = [line for line in (ROOT / ".ci" / "run").read_text().split("\n") if line.startswith("make")]
    assert lines == ["make check", "make test"]
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


PRODUCTION = {
    "RELAIS_MODE": "production",
    "SECRET_KEY": "k" * 50,
    "DATABASE_URL": "postgresql://relais@db.exemple.test/relais",
    "PUBLIC_URL": "https://relais.exemple.test",
}


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"PORT": "abc"}, "PORT"),
        ({"PORT": "70000"}, "PORT"),
        ({"RELAIS_MODE": "staging"}, "RELAIS_MODE"),
        ({"HTTPS": "maybe"}, "HTTPS"),
        ({"SESSION_IDLE_MINUTES": "-5"}, "SESSION_IDLE_MINUTES"),
        (PRODUCTION | {"SECRET_KEY": "short"}, "SECRET_KEY"),
        (PRODUCTION | {"DATABASE_URL": ""}, "DATABASE_URL"),
        (PRODUCTION | {"PUBLIC_URL": "http://relais.exemple.test"}, "PUBLIC_URL"),
        (PRODUCTION | {"SYNTHETIC_DATA": "1"}, "SYNTHETIC_DATA"),
    ],
)
def test_a_wrong_setting_is_named(environment: dict[str, str], named: str) -> None:
    with pytest.raises(BadSetting, match=rf"^{named}"):
        read(environment)


def test_production_starts_with_its_four_settings() -> None:
    assert read(PRODUCTION)["RELAIS_MODE"] == "production"


def test_a_wrong_setting_stops_a_program_with_one_sentence() -> None:
    result = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env=os.environ | {"PORT": "abc"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert result.stderr == "Relais: PORT='abc': expected a port from 1 to 65535.\n"


def test_the_settings_page_is_up_to_date() -> None:
    call_command("settings_table", check=True)
