"""A production site on an external database: what it needs, and what it refuses to start with."""

from pathlib import Path

import pytest

from tests.deploy.site import (
    Site,
    free_port,
)

pytestmark = pytest.mark.xdist_group("deploy")  # one site behind nginx, made once


def test_an_owner_without_superuser_rights_migrates_an_empty_database(site: Site) -> None:
    """btree_gist, pg_trgm and unaccent are trusted extensions: the owner of the database creates them."""
    done = site.manage("migrate", "--check", "-v0")
    assert done.returncode == 0, done.stderr


def test_production_refuses_a_database_with_synthetic_accounts(site: Site) -> None:
    site.tell_database(
        "UPDATE accounts_user SET synthetic = true, password = substr(password, 2)"
    )  # no longer unusable
    try:
        refused = site.manage("web", PORT=str(free_port()))
        assert refused.returncode != 0
        assert "synthetic accounts" in refused.stderr
    finally:
        site.tell_database("UPDATE accounts_user SET synthetic = false, password = '!' || password")


def test_production_refuses_a_short_secret_key(site: Site) -> None:
    refused = site.manage("web", SECRET_KEY="short", PORT=str(free_port()))
    assert refused.returncode == 1
    assert refused.stderr == "Relais: SECRET_KEY: production needs a key of at least 50 characters.\n"


def test_production_refuses_to_start_without_its_static_files(site: Site, tmp_path: Path) -> None:
    """Without them every page would be an error."""
    refused = site.manage("web", STATIC_DIR=str(tmp_path), PORT=str(free_port()))
    assert refused.returncode == 1
    assert refused.stderr.startswith("Relais: ")
    assert "collectstatic" in refused.stderr


def test_production_refuses_to_start_without_its_keys(site: Site, tmp_path: Path) -> None:
    refused = site.manage("web", RELAIS_HOME=str(tmp_path), PORT=str(free_port()))
    assert refused.returncode == 1
    assert "manage.py files_key" in refused.stderr
    assert "manage.py secrets_key" in refused.stderr
    assert not list(tmp_path.rglob("*.key"))
