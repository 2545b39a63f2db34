"""pytest plugin: encrypted files and their key lie in a folder of the run, never among the demo's."""

import pytest
from django.conf import settings


@pytest.fixture(scope="session", autouse=True)
def _files_of_the_run(tmp_path_factory: pytest.TempPathFactory) -> None:
    home = tmp_path_factory.mktemp("home")
    settings.FILES_DIR = home / "files"
    settings.FILES_KEY_FILE = home / "keys" / "files.key"
    settings.SECRETS_KEY_FILE = home / "keys" / "secrets.key"
    settings.ANSWERS_KEY_FILE = home / "keys" / "answers.key"
