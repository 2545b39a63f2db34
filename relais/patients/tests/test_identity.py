"""Matricules, statuses and names by the French rules."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.fr import nir

from relais.core.errors import Refused
from relais.patients import identity

THIRTEEN = st.builds(
    lambda first, year, month, department, rest: f"{first}{year:02d}{month:02d}{department}{rest:06d}",
    st.sampled_from("12"),
    st.integers(0, 99),
    st.one_of(st.integers(1, 12), st.integers(20, 42), st.integers(50, 99)),
    st.one_of(st.integers(1, 99).map(lambda number: f"{number:02d}"), st.sampled_from(["2A", "2B"])),
    st.integers(0, 999_999),
)


@given(THIRTEEN)
def test_a_number_with_its_key_is_taken_and_python_stdnum_agrees_corsica_included(thirteen: str) -> None:
    number = thirteen + identity.key_of(thirteen)
    assert identity.clean_matricule(number, field="ins") == number
    assert nir.calc_check_digits(thirteen) == identity.key_of(thirteen)
    assert nir.is_valid(number)


@given(THIRTEEN, st.integers(0, 12), st.sampled_from("0123456789"))
def test_one_wrong_figure_is_found(thirteen: str, place: int, figure: str) -> None:
    number = thirteen + identity.key_of(thirteen)
    wrong = number[:place] + figure + number[place + 1 :]
    if wrong == number or not wrong[5:7].isdigit() or not number[5:7].isdigit():
        return  # the same number; the letter of Corsica replaced by a figure is another number altogether
    with pytest.raises(Refused):
        identity.clean_matricule(wrong, field="ins")


@given(THIRTEEN, st.integers(0, 11))
def test_two_figures_swapped_are_found(thirteen: str, place: int) -> None:
    number = thirteen + identity.key_of(thirteen)
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    if swapped == number or not number[5:7].isdigit():
        return
    with pytest.raises(Refused):
        identity.clean_matricule(swapped, field="ins")


def test_the_key_of_corsica_is_that_of_19_and_18() -> None:
    assert identity.key_of("253072A073004") == "43"
    assert identity.key_of("253072B073004") == "70"


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("2 95 10 99 126 111", "Il manque la clé"),
        ("2 95 10 99 126 111 9", "vous en avez saisi 14 caractères"),
        ("295109912611199", "La clé (2 derniers chiffres)"),
        ("295139912611193", "forme attendue"),
        ("595109912611193", "forme attendue"),
        ("253072C07300443", "forme attendue"),
    ],
)
def test_what_is_wrong_is_said_beside_the_field(typed: str, sentence: str) -> None:
    with pytest.raises(Refused) as refused:
        identity.clean_matricule(typed, field="ins")
    assert sentence in refused.value.message
    assert refused.value.field == "ins"


def test_spaces_and_dots_do_not_count() -> None:
    assert identity.clean_matricule("2 95.10 99-126 111 93", field="ins") == "295109912611193"
    assert identity.clean_matricule("253072a07300443", field="ins") == "253072A07300443"


@pytest.mark.parametrize(
    ("number", "oid", "field"),
    [
        ("295109912611193", "", "ins"),
        ("", "1.2.250.1.213.1.4.8", "ins"),
        ("295109912611193", "1.2.250.1.213.1.4.10", "ins_oid"),  # a test matricule in production
        ("295109912611193", "1.2.250.1.213.1.4.9", "ins_oid"),  # a NIR given as NIA
    ],
)
def test_a_matricule_goes_with_its_authority(number: str, oid: str, field: str) -> None:
    with pytest.raises(Refused) as refused:
        identity.clean_ins(number, oid, allow_test=False)
    assert refused.value.field == field


def test_a_demonstration_takes_test_matricules_only() -> None:
    assert identity.clean_ins("295109912611193", "1.2.250.1.213.1.4.10", allow_test=True)[0] == "295109912611193"
    with pytest.raises(Refused):
        identity.clean_ins("295109912611193", "1.2.250.1.213.1.4.8", allow_test=True)


@pytest.mark.parametrize(
    ("sex", "born", "count"),
    [("F", date(1995, 10, 3), 0), ("M", date(1995, 10, 3), 1), ("F", date(1996, 10, 3), 1), ("M", date(1995, 9, 3), 2), ("I", None, 0)],
)  # fmt: skip
def test_sex_and_birth_that_differ_from_the_number_only_warn(sex: str, born: date | None, count: int) -> None:
    assert len(identity.warnings("295109912611193", sex=sex, birth_date=born)) == count


@pytest.mark.parametrize(
    ("retrieved", "checked", "status"),
    [(False, False, "PROV"), (False, True, "VALI"), (True, False, "RECUP"), (True, True, "QUAL")],
)
def test_the_status_is_two_facts(retrieved: Any, checked: Any, status: str) -> None:
    assert identity.status_of(retrieved=retrieved, checked=checked) == status
    assert identity.facts_of(status) == (retrieved, checked)


@pytest.mark.parametrize("mark", ["douteux", "fictif"])
def test_an_untrusted_identity_is_never_checked(mark: str) -> None:
    assert [identity.allowed_status(status, [mark]) for status in ("PROV", "VALI", "RECUP", "QUAL")] == [
        "PROV",
        "PROV",
        "RECUP",
        "RECUP",
    ]


def test_editing_a_strict_trait_downgrades_unless_the_document_is_at_hand() -> None:
    def after(status: str, *, strict: bool, checked: bool = False, marks: tuple[str, ...] = ()) -> str:
        return identity.status_after_edit(status, strict_trait_changed=strict, document_checked=checked, marks=marks)

    assert after("QUAL", strict=True) == "PROV"
    assert after("QUAL", strict=True, checked=True) == "VALI"
    assert after("QUAL", strict=False) == "QUAL"
    assert after("RECUP", strict=False, checked=True) == "QUAL"
    assert after("RECUP", strict=False, checked=True, marks=("douteux",)) == "RECUP"


@pytest.mark.parametrize("name", ["O'Neil", "d’Arc", "Çelik", "Nguyễn", "Le Goff-Péron", "Ba", "Saint-Étienne du B."])
def test_names_are_kept_as_typed(name: str) -> None:
    assert identity.clean_name(f"  {name} ", field="birth_family_name") == name


def test_decomposed_letters_are_composed_and_spaces_folded() -> None:
    assert identity.clean_name("Nguye\u0302\u0303n   Thi\u0323", field="x") == "Nguyễn Thị"


@pytest.mark.parametrize("name", ["", "   ", "12", "R2D2", "<b>", "- -", "Jean@exemple"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(Refused) as refused:
        identity.clean_name(name, field="birth_family_name")
    assert refused.value.field == "birth_family_name"


def test_birth_dates_that_cannot_be_are_refused() -> None:
    today = date(2026, 11, 21)
    assert identity.clean_birth_date(date(2000, 2, 29), today=today) == date(2000, 2, 29)
    assert identity.clean_birth_date(today, today=today) == today
    for wrong in (date(2026, 11, 22), date(1850, 1, 1)):
        with pytest.raises(Refused):
            identity.clean_birth_date(wrong, today=today)
