"""Sources become versions that nothing changes."""

import json
from pathlib import Path

import pytest
from django.db import ProgrammingError

from relais.questionnaires import actions, apps
from relais.questionnaires.form import Unreadable
from relais.questionnaires.models import Questionnaire
from relais.questionnaires.tests.make import question, resource, temperature

pytestmark = pytest.mark.django_db


def test_a_source_becomes_a_version_once() -> None:
    (made,) = actions.load(resources=[resource(temperature())])
    assert (made.name, made.version, made.title) == ("essai", "1.0.0", "Un essai")
    assert made.form.by_id["temp"].maximum == 42.5
    assert actions.load(resources=[resource(temperature())]) == []


def test_the_order_of_keys_and_the_spaces_of_a_source_mean_nothing() -> None:
    raw = resource(temperature())
    actions.load(resources=[raw])
    assert actions.load(resources=[dict(reversed(raw.items()))]) == []


def test_a_changed_source_asks_for_a_new_version() -> None:
    actions.load(resources=[resource(temperature())])
    changed = resource(temperature(), question("q", "text"))
    with pytest.raises(Unreadable, match=r"essai 1\.0\.0 was loaded with another content"):
        actions.load(resources=[changed])
    assert [each.version for each in actions.load(resources=[changed | {"version": "1.0.1"}])] == ["1.0.1"]


def test_nothing_is_loaded_when_one_source_cannot_be_read() -> None:
    before = Questionnaire.objects.count()
    with pytest.raises(Unreadable):
        actions.load(resources=[resource(temperature()), resource(question("q", "url"), name="autre")])
    assert Questionnaire.objects.count() == before


@pytest.mark.parametrize("write", ["update", "delete"])
def test_the_database_refuses_to_change_a_version(write: str) -> None:
    (made,) = actions.load(resources=[resource(temperature())])
    rows = Questionnaire.objects.filter(pk=made.pk)
    with pytest.raises(ProgrammingError, match="Cannot update or delete"):
        rows.update(title="Autre") if write == "update" else rows.delete()


def test_a_later_version_ranks_higher() -> None:
    assert actions.rank_of("1.10.0") > actions.rank_of("1.9.9") > actions.rank_of("1.0.10")


def test_every_source_of_the_installed_modules_is_loaded_after_migrate() -> None:
    loaded = {(each.name, each.sha256) for each in Questionnaire.objects.all()}
    for path in actions.installed():
        assert (path.stem, actions.sha256_of(json.loads(path.read_text()))) in loaded


def test_a_file_that_is_not_json_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "casse.json").write_text("{")
    monkeypatch.setattr(actions, "installed", lambda: [tmp_path / "casse.json"])
    with pytest.raises(Unreadable, match=r"^casse\.json is not JSON"):
        apps.load("default")
