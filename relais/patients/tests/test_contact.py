"""Telephones and addresses as people type them."""

from typing import Any

import pytest

from relais.core.errors import Refused
from relais.patients import contact


@pytest.mark.parametrize(
    ("typed", "stored", "mobile"),
    [
        ("06 12 34 56 78", "+33612345678", True),
        ("0612.34.56.78", "+33612345678", True),
        ("+33 (0)6 12 34 56 78", "+33612345678", True),
        ("0033612345678", "+33612345678", True),
        ("01 23 45 67 89", "+33123456789", False),
        ("0696 12 34 56", "+596696123456", True),
        ("+32 470 12 34 56", "+32470123456", True),
        ("06 39 98 00 01", "+33639980001", True),
        ("01 99 00 00 01", "+33199000001", False),
        ("", "", False),
    ],
)
@pytest.mark.req("TC-18")
def test_numbers_are_stored_one_way_and_mobiles_known(typed: str, stored: str, mobile: bool) -> None:  # noqa: FBT001
    assert contact.clean_phone(typed) == stored
    assert contact.is_mobile(stored) is mobile


@pytest.mark.parametrize(
    "typed", ["112", "15", "06 12 34 56", "06 12 34 56 78 90", "abc", "00 00 00 00 00", "06 39 98 00", "0899 12 34 56"]
)
@pytest.mark.req("TC-18")
def test_impossible_numbers_get_a_sentence_beside_the_field(typed: str) -> None:
    with pytest.raises(Refused) as refused:
        contact.clean_phone(typed, field="mobile")
    assert refused.value.field == "mobile"


def test_a_landline_is_no_mobile() -> None:
    assert contact.clean_mobile("06 12 34 56 78") == "+33612345678"
    with pytest.raises(Refused, match="fixe"):
        contact.clean_mobile("01 23 45 67 89")


@pytest.mark.parametrize(
    ("typed", "stored"),
    [(" Jeanne@Exemple.TEST ", "Jeanne@exemple.test"), ("a.b+c@mail.fr", "a.b+c@mail.fr"), ("", "")],
)
def test_addresses_are_kept_with_their_domain_in_small_letters(typed: str, stored: str) -> None:
    assert contact.clean_email(typed) == stored


@pytest.mark.parametrize(
    "typed",
    ["jeanne", "jeanne@", "@mail.fr", "jeanne@mail", "a b@mail.fr", "jeanne@mail..fr", "jeanne@gmail.con",
     f"a@{'exemple.' * 32}test"],
)  # fmt: skip
def test_impossible_addresses_get_a_sentence(typed: str) -> None:
    with pytest.raises(Refused) as refused:
        contact.clean_email(typed)
    assert refused.value.field == "email"


def test_a_wrong_ending_proposes_the_right_one() -> None:
    with pytest.raises(Refused, match=r"jeanne@gmail\.com"):
        contact.clean_email("jeanne@gmail.con")


def test_invented_contacts_are_for_demonstrations_only(settings: Any) -> None:
    settings.DEMO = settings.TESTING = False
    with pytest.raises(Refused):
        contact.clean_phone("06 39 98 00 01")
    with pytest.raises(Refused):
        contact.clean_email("a@exemple.test")
    assert contact.clean_phone("06 12 34 56 78") == "+33612345678"


def test_numbers_are_shown_as_people_read_them() -> None:
    assert contact.shown("+33639980001") == "06 39 98 00 01"
    assert contact.shown("+32470123456") == "+32 470 12 34 56"
    assert contact.shown("") == ""
