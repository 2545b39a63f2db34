"""FINESS and RPPS numbers: keys, Corsica, what refuses and what warns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn

from relais.core.errors import Refused
from relais.directory.identifiers import check_finess, check_rpps, rpps_warning


def with_key(digits: str) -> str:
    return digits + luhn.calc_check_digit(digits.translate(str.maketrans("AB", "12")))


@given(st.from_regex(r"(99|2[AB])\d{6}", fullmatch=True).map(lambda text: text.encode("ascii", "ignore").decode()))
def test_of_ten_keys_one_alone_is_right(digits: str) -> None:
    if len(digits) != 8:
        return
    right = with_key(digits)
    assert check_finess(right) == right
    for key in set("0123456789") - {right[-1]}:
        with pytest.raises(Refused, match="n’existe pas"):
            check_finess(digits + key)


def test_corsica_is_read_as_1_and_2() -> None:
    assert check_finess(with_key("2A000001")) == "2A0000014"
    assert check_finess("2b 000001" + with_key("2B000001")[-1]) == with_key("2B000001")


@pytest.mark.parametrize("text", ["", "12345678", "1234567890", "2C0000011", "99000000A", "990 000 01é"])
def test_another_shape_is_refused_beside_its_field(text: str) -> None:
    with pytest.raises(Refused) as found:
        check_finess(text)
    assert found.value.field == "finess"


def test_an_rpps_has_eleven_digits_and_a_wrong_key_only_warns() -> None:
    right = with_key("8990000001")
    assert check_rpps(f"{right[:5]} {right[5:]}") == right
    assert rpps_warning(right) == ""
    wrong = right[:-1] + str((int(right[-1]) + 1) % 10)
    assert check_rpps(wrong) == wrong
    assert "semble comporter une erreur" in rpps_warning(wrong)
    with pytest.raises(Refused):
        check_rpps("8990000001")
