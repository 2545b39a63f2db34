"""Before a new patient is made, those whom they might already be (expectations C10; traps of domain.md §9.7)."""

from datetime import date
from typing import Any

import pytest

from relais.accounts.testing import actor_for, make_establishment, make_member
from relais.core.actor import Actor
from relais.patients.models import CareLink, Patient
from relais.patients.queries import likely_duplicates
from relais.patients.queries.duplicates import Sought, likely_duplicates_of
from relais.patients.testing import make_patient

pytestmark = pytest.mark.django_db
BORN = date(1958, 3, 12)


@pytest.fixture
def actor() -> Actor:
    return actor_for(make_member())


def make(actor: Actor, family: str = "Durand", given: str = "Camille", **fields: Any) -> Patient:
    patient = make_patient(family, given, **{"birth_date": BORN, "phone": "", "email": "", **fields})
    CareLink.objects.create(patient=patient, establishment_id=actor.establishment_id, basis="episode")
    return patient


def reasons(actor: Actor, **asked: Any) -> list[str]:
    asked = {"family": "Durand", "given": "Camille", "birth_date": BORN, **asked}
    return [" ; ".join(each.reasons) for each in likely_duplicates(actor, **asked)]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({}, "même nom et même date de naissance"),
        ({"family": "DURAND", "given": "camille"}, "même nom et même date de naissance"),
        ({"family": "Durant"}, "nom proche et même date de naissance"),
        ({"family": "Camille", "given": "Durand"}, "nom et prénom inversés et même date de naissance"),
        ({"birth_date": date(1958, 12, 3)}, "même nom ; jour et mois de naissance inversés"),
        ({"birth_date": None}, "même nom ; date de naissance non renseignée"),
        ({"birth_date": date(1990, 1, 1)}, "même nom ; autre date de naissance : homonyme possible"),
        ({"given": "Alix"}, "même nom de famille et même date de naissance ; autre prénom : jumeau possible"),
    ],
)
def test_reasons_are_words(actor: Actor, asked: dict[str, Any], words: str) -> None:
    make(actor)
    assert reasons(actor, **asked) == [words]


def test_a_shared_telephone_alone_is_a_family(actor: Actor) -> None:
    make(actor, phone="+33639980001")
    assert reasons(actor, family="Petit", given="Léa", birth_date=date(2015, 5, 5), phone="+33639980001") == []
    assert reasons(actor, family="Petit", given="Camille", birth_date=None, phone="+33639980001") == [
        "même téléphone ou e-mail ; même prénom"
    ]


def test_a_married_name_is_recognised(actor: Actor) -> None:
    make(actor, family="Blanc", used_family_name="Durand")
    assert reasons(actor) == ["même nom et même date de naissance"]


def test_a_second_given_name_is_recognised(actor: Actor) -> None:
    make(actor, given="Camille Anne Odile")
    assert reasons(actor) == ["même nom et même date de naissance"]


def test_leap_day_birth(actor: Actor) -> None:
    make(actor, birth_date=date(2000, 2, 29))
    assert reasons(actor, birth_date=date(2000, 2, 29)) == ["même nom et même date de naissance"]


def test_the_likeliest_first_and_at_most_five(actor: Actor, django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    for _number in range(6):
        make(actor, birth_date=date(1990, 1, 1))
    twin, same = make(actor, given="Alix"), make(actor)
    with django_assert_num_queries(1):
        found = likely_duplicates(actor, family="Durand", given="Camille", birth_date=BORN)
    assert [each.patient for each in found][:2] == [same, twin]
    assert len(found) == 5


def test_only_those_whom_the_actor_may_see_but_for_an_exact_matricule(actor: Actor) -> None:
    elsewhere = make_patient(
        "Durand", seen_by=make_establishment(), birth_date=BORN, ins="258037512611119", ins_oid="1.2.250.1.213.1.4.10"
    )
    assert reasons(actor) == []
    found = likely_duplicates(actor, family="X", given="Y", ins="258037512611119")
    assert [(each.patient, each.reasons) for each in found] == [(elsewhere, ["même matricule INS"])]


def test_nobody_is_like_nobody(actor: Actor) -> None:
    make(actor)
    assert reasons(actor, family="", given="", birth_date=None) == []
    assert reasons(actor, family="Zyx", given="Quentin", birth_date=date(1999, 1, 1)) == []


def test_many_at_once_find_whom_each_finds_alone(actor: Actor, django_assert_num_queries: Any) -> None:
    """In as many statements for one as for all; a family name of two letters is looked for by itself."""
    for family, given, more in (
        ("Durand", "Camille", {}), ("Durand", "Alix", {}), ("Durant", "Camille", {"birth_date": None}),
        ("Blanc", "Camille", {"used_family_name": "Durand"}), ("Camille", "Durand", {}), ("Roy", "Zoé", {}),
        ("Roy-Martin", "Léo", {"birth_date": date(1990, 1, 1)}), ("Li", "Na", {}), ("N’Diaye", "Awa Marie", {}),
        ("Le Goff", "Anne", {}), ("Legoff", "Anne", {}),
        ("Petit", "Léa", {"phone": "+33639980001", "email": "Lea@exemple.test", "birth_date": None}),
        ("Petit", "Léa", {"birth_date": date(1958, 12, 3)}),
    ):  # fmt: skip
        make(actor, family, given, **more)
    make_patient("Durand", seen_by=make_establishment(), birth_date=BORN)
    sought = [
        Sought(family, given, born, phone, email)
        for family, given in (
            ("Durand", "Camille"), ("DURAN", "camile"), ("Durand", "Jo"), ("Roy", "Zoé"), ("Roy", "Léo"), ("Li", "Na"),
            ("Petit", "Léa"), ("Petti", "Lea"), ("N Diaye", "Awa"), ("le Gof", "Anne"), ("Le Goff", "Anne"), ("Zyx", "Quentin"), ("", ""),
        )
        for born in (BORN, None)
        for phone, email in (("", ""), ("+33639980001", "lea@exemple.test"))
    ]  # fmt: skip
    alone = [
        likely_duplicates(
            actor, family=one.family, given=one.given, birth_date=one.birth_date, phone=one.phone, email=one.email
        )
        for one in sought
    ]
    assert likely_duplicates_of(actor, sought) == alone
    assert sum(map(bool, alone)) > len(sought) / 2
    for some in ([one for one in sought if one.family != "Li"], sought[1:2]):
        with django_assert_num_queries(3):
            likely_duplicates_of(actor, some)
    assert likely_duplicates_of(actor, []) == []
