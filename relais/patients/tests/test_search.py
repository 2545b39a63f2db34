"""Search as one types: what is forgiven, what narrows, and never beyond what one may see (TC-16)."""

import unicodedata
from datetime import date, timedelta

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from relais.accounts.testing import actor_for, make_establishment, make_member
from relais.core.actor import PROFESSIONAL, SYSTEM_ACTOR, Actor
from relais.patients.actions import end_care
from relais.patients.models import CareLink, Patient
from relais.patients.queries import search
from relais.patients.queries.search import fold, one_error_at_most, understand
from relais.patients.testing import make_grant, make_patient

pytestmark = [pytest.mark.django_db, pytest.mark.req("TC-16")]


@pytest.fixture
def actor() -> Actor:
    return actor_for(make_member())


def make(actor: Actor, family: str, given: str = "Camille", **fields: object) -> Patient:
    patient = make_patient(family, given, **fields)
    CareLink.objects.create(patient=patient, establishment_id=actor.establishment_id, basis="episode", about=patient.pk)
    return patient


@pytest.mark.parametrize(
    ("family", "given", "typed"),
    [
        ("Lefèvre", "Hélène", "lefevre"),
        ("Lefèvre", "Hélène", "LEFÈVRE hélène"),
        ("Lefèvre", "Hélène", "helene lefevre"),
        ("Lefèvre", "Hélène", "lef hel"),
        ("O'Neil", "Kim", "oneil"),
        ("O'Neil", "Kim", "o neil"),
        ("O'Neil", "Kim", "O’Neil"),
        ("Oneil", "Kim", "o'neil"),
        ("d'Arc", "Jeanne", "darc"),
        ("Çelik", "Elif", "celik"),
        ("Nguyễn", "Thị-Mai", "nguyen thi mai"),
        ("Nguyễn", "Thị-Mai", "thimai"),
        ("Le Goff", "Jean-Pierre", "legoff jeanpierre"),
        ("Le Goff", "Jean-Pierre", "jean pierre le goff"),
        ("Œillet", "Rose", "oeillet"),
        ("Łukaszewski", "Jan", "lukasz"),
        ("Martin", "Paul", "matrin"),  # swapped
        ("Martin", "Paul", "marrtin"),  # too many
        ("Martin", "Paul", "matin"),  # missing
        ("Martin", "Paul", "nartin"),  # wrong, the first
        ("Martin", "Paul", "martim"),  # wrong, the last
        ("Nguyễn", "Linh", "ngyen linh"),
        ("Leroy", "Anne", "lroy"),
        ("Martineau", "Paul", "matri"),  # as one types
        ("Coulibaly", "Fatou", "coulibali faotu"),  # one error a word
        ("Durand", "Camille", "12/03/1958"),
        ("Durand", "Camille", "durand 12.03.1958"),
        ("Durand", "Camille", "12031958 dur"),
        ("Durand", "Camille", "1958-03-12"),
        ("Durand", "Camille", "durand 1958"),
    ],
)
def test_finds(actor: Actor, family: str, given: str, typed: str) -> None:
    patient = make(actor, family, given)
    make(actor, "Zzyx", "Quentin", birth_date=date(2001, 1, 1))
    assert search(actor, typed) == [patient]


@pytest.mark.parametrize(
    "typed", ["", " ", "d", "-", "xavier", "durand xavier", "durand 13/03/1958", "durand 1959", "mratni", "31/02/1958"]
)
def test_does_not_find(actor: Actor, typed: str) -> None:
    make(actor, "Durand")
    make(actor, "Martin", "Paul")
    assert search(actor, typed) == []


def test_finds_by_used_name_telephone_and_matricule(actor: Actor) -> None:
    patient = make(
        actor, "Blanc", "Odile", used_family_name="Moreau", phone="+33639981234", ins="295109912611193",
        ins_oid="1.2.250.1.213.1.4.10",
    )  # fmt: skip
    make(actor, "Autre", "Louise", phone="+33639985678")
    for typed in (
        "moreau",
        "moreau odile",
        "06 39 98 12 34",
        "0639981234",
        "+33639981234",
        "98 12 34",
        "295109912611193",
        "2 95 10 99 126 111 93",
    ):
        assert search(actor, typed) == [patient], typed


def test_the_right_spelling_comes_first(actor: Actor) -> None:
    near, other, exact = make(actor, "Martan"), make(actor, "Adam", "Martin"), make(actor, "Martin")
    assert search(actor, "martin") == [exact, other, near]


def test_nobody_is_seen_beyond_the_care_links(actor: Actor) -> None:
    mine = make(actor, "Durand", "Paul")
    elsewhere = make_patient("Durand", "Autre", seen_by=make_establishment())
    make_patient("Durand", "Personne")
    ended = make(actor, "Durand", "Passé")
    end_care(actor=actor, about=ended.pk)
    to_me = make_patient("Durand", "Moi")
    CareLink.objects.create(
        patient=to_me, user_id=actor.user_id, basis="circle", until=timezone.now() + timedelta(days=1)
    )
    assert search(actor, "durand") == [to_me, mine]
    grant, _secrets = make_grant(elsewhere)
    assert search(Actor(kind="patient", grant_id=grant.pk, patient_id=elsewhere.pk), "durand") == [elsewhere]
    assert search(Actor(kind="guest", grant_id=grant.pk), "durand") == []


def test_an_actor_without_establishment_or_user_sees_nobody() -> None:
    """A link of the one has NULL for the other: an absent id must match nothing."""
    make_patient("Durand", seen_by=make_establishment())
    make_patient("Durand", seen_by=make_member().user)
    member = make_member()
    for nobody in (Actor(kind=PROFESSIONAL), Actor(kind=PROFESSIONAL, user_id=member.user_id)):
        assert not Patient.objects.visible_to(nobody).exists()
    assert Patient.objects.visible_to(SYSTEM_ACTOR).count() == 2


def test_at_most_twenty_in_two_queries(actor: Actor, django_assert_max_num_queries) -> None:  # type: ignore[no-untyped-def]
    for number in range(25):
        make(actor, "Durand", f"Prénom{'abcdefghijklmnopqrstuvwxyz'[number]}")
    with django_assert_max_num_queries(1):
        assert len(search(actor, "durand")) == 20
    with django_assert_max_num_queries(2):
        assert len(search(actor, "durnad")) == 20


def test_folding_here_is_folding_in_the_database() -> None:
    ranges = (range(0xC0, 0x180), range(0x1EA0, 0x1EFA))  # western, central European, Turkish, Vietnamese
    letters = [chr(code) for codes in ranges for code in codes if unicodedata.category(chr(code))[0] == "L"]
    letters = [*(letter for letter in letters if letter not in "ĸŉ"), *"ɓɗƙƴɛɲɖƒ"]  # and West African
    with connection.cursor() as cursor:
        cursor.execute("SELECT letter, relais_fold(letter) FROM unnest(%s::text[]) AS letter", [letters])
        folded = dict(cursor.fetchall())
    different = {letter: (fold(letter), folded[letter]) for letter in letters if fold(letter) != folded[letter]}
    assert different == {}


def test_keys_of_typos_are_those_of_the_database(actor: Actor) -> None:
    assert set(make(actor, "Roy", "Li-Na").typo_keys) == {"roy", "oy", "ry", "ro", "lina", "ina", "lna", "lia", "lin"}


WORD = st.text("abcdeilmnorst", min_size=4, max_size=9)


@given(WORD, st.integers(0, 8), st.sampled_from("xyz"), st.sampled_from(["wrong", "many", "missing", "swapped"]))
def test_one_error_is_forgiven_wherever_it_is(word: str, place: int, letter: str, kind: str) -> None:
    at = place % len(word)
    typed = {
        "wrong": word[:at] + letter + word[at + 1 :],
        "many": word[:at] + letter + word[at:],
        "missing": word[:at] + word[at + 1 :],
        "swapped": word[:at] + word[at + 1 : at + 2] + word[at] + word[at + 2 :],
    }[kind]
    assert one_error_at_most(typed, word)
    assert one_error_at_most(typed, word + "end") or kind in ("wrong", "many")


@given(WORD, st.integers(0, 3))
def test_two_wrong_letters_are_not(word: str, place: int) -> None:
    at = place % (len(word) - 3)
    assert not one_error_at_most(word[:at] + "xyz" + word[at + 3 :], word)


def test_a_line_is_taken_apart() -> None:
    asked = understand("Dupont jean 12/3/1950 06.39.98")
    assert (asked.words, asked.birth_date, asked.phone) == ((("dupont",), ("jean",)), date(1950, 3, 12), "63998")
