"""The national file: what is taken, what is left out, what is told; twice is once."""

from contextlib import nullcontext
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from relais.audit.models import Entry
from relais.core.actor import PROFESSIONAL, SYSTEM_ACTOR, Actor
from relais.core.errors import NotFound
from relais.directory import actions, finess
from relais.directory.management.commands import import_finess
from relais.directory.models import Establishment
from relais.directory.tests.test_identifiers import with_key

pytestmark = pytest.mark.django_db
HEADER = "finess;etalab;91;2026-11-05"


def line(
    number: int = 1, name: str = "EHPAD LES TILLEULS", department: str = "75", category: str = "500", **more: str
) -> str:
    cells = [""] * 32
    cells[0], cells[1], cells[3], cells[13], cells[18] = (
        "structureet",
        with_key(f"99{number:06d}"),
        name,
        department,
        category,
    )
    cells[7], cells[8], cells[9], cells[15], cells[16] = "12", "R", "DES TILLEULS", "75013 PARIS", "0199001234"
    for index, value in more.items():
        cells[int(index[1:])] = value
    return ";".join(cells)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "finess.csv"


def write(path: Path, *lines: str, encoding: str = "utf-8") -> Path:
    path.write_text("\n".join([HEADER, *lines]) + "\n", encoding=encoding)
    return path


def bring(path: Path, *lines: str) -> actions.Imported:
    return actions.import_establishments(actor=SYSTEM_ACTOR, rows=finess.read(write(path, *lines)))


def test_a_line_becomes_an_establishment(path: Path) -> None:
    told = bring(path, line(c4="ÉTABLISSEMENT D’HÉBERGEMENT LES TILLEULS"))
    found = Establishment.objects.get()
    assert (told.created, told.wrong) == (1, [])
    assert (found.finess, found.kind, found.department) == (with_key("99000001"), "ehpad", "75")
    assert (found.name, found.address) == ("ÉTABLISSEMENT D’HÉBERGEMENT LES TILLEULS", "12 R DES TILLEULS")
    assert (found.postal_code, found.city, found.phone) == ("75013", "PARIS", "01 99 00 12 34")
    assert not found.synthetic


def test_the_same_file_twice_changes_nothing(path: Path) -> None:
    lines = [line(number) for number in range(1, 4)]
    bring(path, *lines)
    before = list(Establishment.objects.order_by("finess").values())
    told = bring(path, *lines)
    assert (told.created, told.changed, told.unchanged) == (0, 0, 3)
    assert list(Establishment.objects.order_by("finess").values()) == before


def test_a_change_of_name_is_brought_in_and_what_is_ours_stays(path: Path) -> None:
    bring(path, line(), line(2))
    Establishment.objects.filter(finess=with_key("99000001")).update(relay_only=True, active=False)
    told = bring(path, line(name="EHPAD LES CHÊNES"), line(2))
    found = Establishment.objects.get(finess=with_key("99000001"))
    assert (told.changed, told.unchanged) == (1, 1)
    assert (found.name, found.relay_only, found.active) == ("EHPAD LES CHÊNES", True, False)


def test_other_regions_and_other_categories_are_left_out_and_counted(path: Path) -> None:
    told = bring(path, line(1, department="2A"), line(2, category="620"), line(3))
    assert (told.created, told.skipped) == (1, 2)


def test_a_wrong_line_is_told_by_its_number_and_the_others_come_in(path: Path) -> None:
    told = bring(path, line(1), line(2, c1="990000029"), "structureet;court", "autre;chose", line(3, name=""), line(4))
    assert told.created == 2
    assert [each.line for each in told.wrong] == [3, 4, 5, 6]
    assert "n’existe pas" in told.wrong[0].message


def test_latin_1_is_read_as_well_as_utf_8(path: Path) -> None:
    write(path, line(name="RÉSIDENCE DES ÉRABLES"), encoding="latin-1")
    actions.import_establishments(actor=SYSTEM_ACTOR, rows=finess.read(path))
    assert Establishment.objects.get().name == "RÉSIDENCE DES ÉRABLES"


def test_lines_are_written_a_thousand_at_a_time(path: Path, django_assert_max_num_queries) -> None:
    lines = [line(number) for number in range(1, 3001)]
    with django_assert_max_num_queries(3 * 8 + 1):
        assert bring(path, *lines).created == 3000


def test_only_the_system_imports(path: Path) -> None:
    with pytest.raises(NotFound):
        actions.import_establishments(actor=Actor(kind=PROFESSIONAL), rows=iter(()))


def test_the_command_says_what_it_did_and_leaves_a_trace(
    path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_finess, "available", nullcontext)  # the tests' database, not the demo's
    call_command("import_finess", write(path, line(1)))
    assert "1 créés, 0 modifiés, 0 inchangés, 0 hors périmètre." in capsys.readouterr().out
    assert Entry.objects.get(action="directory.import").actor_kind == "system"
    with pytest.raises(CommandError, match="1 ligne"):
        call_command("import_finess", write(path, line(1), "structureet;x"))
    with pytest.raises(CommandError, match="is not a file"):
        call_command("import_finess", path.with_name("absent.csv"))
