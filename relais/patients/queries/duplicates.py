"""Who a new patient might already be: proposed before one is made, decided by people."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Case, IntegerField, Q, When
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from relais.core.actor import Actor
from relais.patients.models import Patient
from relais.patients.queries.search import SHORTEST_TYPO, fold, nearly_begins, one_error_at_most, typo_keys

DUPLICATES = 5
CANDIDATES = 100


@dataclass(frozen=True)
class Likely:
    """A patient whom a new one might already be, and why, in words."""

    patient: Patient
    reasons: list[str]
    strength: int


def likely_duplicates(
    actor: Actor,
    *,
    family: str,
    given: str,
    birth_date: date | None = None,
    phone: str = "",
    email: str = "",
    ins: str = "",
) -> list[Likely]:
    """At most 5 patients whom this person might already be, the likeliest first: among those that the actor may see.

    `phone` in E.164. An exact matricule counts beyond them, since it was known (actions.claim opens such a patient).
    Twins and homonyms are proposed too, and said to be: people decide. One query.
    """
    seen = Patient.objects.visible_to(actor)
    family_words, given_words = fold(family), fold(given)
    rules = Q()
    if family_words and given_words:
        # Given names and family names share one searched text, so this finds them in either order.
        rules |= nearly_begins(family_words.split()[0]) & nearly_begins(given_words.split()[0])
    if birth_date and family_words:
        rules |= Q(birth_date=birth_date) & nearly_begins(family_words.split()[0])
    if phone:
        rules |= Q(phone=phone)
    if email:
        rules |= Q(email__iexact=email)
    within = seen.filter(rules) if rules else seen.none()
    found = Patient.objects.filter(Q(pk__in=within.values("pk")) | (Q(ins=ins) if ins else Q(pk__in=[])))
    weighed = [
        _weigh(patient, family_words, given_words, birth_date, phone, email, ins)
        for patient in found.defer("typo_keys").order_by(_birth_first(birth_date), "id")[:CANDIDATES]
    ]
    return _likeliest(weighed)


def _likeliest(weighed: list[Likely]) -> list[Likely]:
    likely = [each for each in weighed if each.strength > 0]
    return sorted(likely, key=lambda each: (-each.strength, each.patient.search_name, each.patient.pk))[:DUPLICATES]


@dataclass(frozen=True)
class Sought:
    """One person of many who are looked for: as the arguments of `likely_duplicates`."""

    family: str
    given: str
    birth_date: date | None = None
    phone: str = ""
    email: str = ""


# Of each line those whose names begin alike, or one of whose names does and who were born on that day.
NEAR = """
WITH line AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(%s) AS line (number int, family text[], given text[], born date)
), seen AS MATERIALIZED (
    SELECT id, birth_date, typo_keys FROM patients_patient WHERE id IN ({visible})
), begun AS MATERIALIZED (
    SELECT DISTINCT number, id
      FROM (SELECT number, unnest(family) AS key FROM line) AS sought
      JOIN (SELECT id, unnest(typo_keys) AS key FROM seen) AS held USING (key)
), near AS (
    SELECT number, seen.id, row_number() OVER (
               PARTITION BY number ORDER BY coalesce(seen.birth_date = line.born, false) DESC, seen.id) AS place
      FROM begun JOIN line USING (number) JOIN seen ON seen.id = begun.id
     WHERE seen.typo_keys && line.given OR seen.birth_date = line.born
)
SELECT number, id FROM near WHERE place <= %s
"""


def likely_duplicates_of(actor: Actor, people: Sequence[Sought]) -> list[list[Likely]]:
    """`likely_duplicates` of each of these people, in three queries for all of them.

    A family name of two letters is looked for by itself, a query each.
    """
    words = [(fold(one.family), fold(one.given)) for one in people]
    keys = [(_starts(family), given) for family, given in words]
    candidates = _reached_alike(actor, people)
    for number, pk in _near(actor, people, keys):
        candidates[number].add(pk)
    known = Patient.objects.defer("typo_keys").in_bulk(set().union(*candidates))
    found = []
    for one, (family, given), (starts, _given), ids in zip(people, words, keys, candidates, strict=True):
        if family and not starts:
            found.append(
                likely_duplicates(
                    actor,
                    family=one.family,
                    given=one.given,
                    birth_date=one.birth_date,
                    phone=one.phone,
                    email=one.email,
                )
            )
            continue
        weighed = [
            _weigh(known[pk], family, given, one.birth_date, one.phone, one.email, "") for pk in ids if pk in known
        ]
        found.append(_likeliest(weighed))
    return found


def _starts(family: str) -> list[str]:
    """The keys of the word that a family name begins with; behind a particle (le Goff, N’Diaye), of the next one and of all
    as one word."""
    words = family.split()
    first = next((place for place, word in enumerate(words) if typo_keys(word)), None)
    if not first:
        return typo_keys(words[0]) if words else []
    return [*typo_keys(words[first]), *typo_keys("".join(words))]


def _near(actor: Actor, people: Sequence[Sought], keys: Sequence[tuple[list[str], str]]) -> list[tuple[int, UUID]]:
    lines = [
        {
            "number": number,
            "family": starts,
            "given": (typo_keys(given.split()[0]) if given else []) or starts,  # too short to say anything
            "born": one.birth_date.isoformat() if one.birth_date else None,
        }
        for number, (one, (starts, given)) in enumerate(zip(people, keys, strict=True))
        if starts
    ]
    visible, given_to_it = Patient.objects.visible_to(actor).order_by().values("id").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(NEAR.format(visible=visible), [json.dumps(lines), *given_to_it, CANDIDATES])
        found: list[tuple[int, UUID]] = cursor.fetchall()
    return found


def _reached_alike(actor: Actor, people: Sequence[Sought]) -> list[set[UUID]]:
    """For each of these people those who have the same telephone or e-mail."""
    by_phone, by_email = ({one: set[UUID]() for one in found} for found in (
        {one.phone for one in people} - {""}, {one.email.lower() for one in people} - {""},
    ))  # fmt: skip
    rows = Patient.objects.visible_to(actor).annotate(mail=Lower("email"))
    for pk, phone, mail in rows.filter(Q(phone__in=by_phone) | Q(mail__in=by_email)).values_list("pk", "phone", "mail"):
        by_phone.get(phone, set()).add(pk)
        by_email.get(mail, set()).add(pk)
    return [by_phone.get(one.phone, set()) | by_email.get(one.email.lower(), set()) for one in people]


def _birth_first(birth_date: date | None) -> Any:
    return (
        Case(When(birth_date=birth_date, then=0), default=1, output_field=IntegerField())
        if birth_date
        else "birth_date"
    )


def _weigh(
    patient: Patient, family: str, given: str, birth_date: date | None, phone: str, email: str, ins: str
) -> Likely:
    """How alike they are; what families share (telephone, name, birth date of twins) is not enough alone."""
    if ins and patient.ins == ins:
        return Likely(patient, [_("même matricule INS")], 9)
    families = {fold(patient.birth_family_name), fold(patient.used_family_name)} - {""}
    givens = {fold(patient.birth_given_names), fold(patient.used_given_name), fold(patient.given_name)} - {""}
    same_family, near_family = family in families, any(_alike(family, name) for name in families)
    same_given, near_given = given in givens, any(_alike(given, name) for name in givens)
    same_birth = birth_date is not None and patient.birth_date == birth_date
    other_birth = birth_date is not None and patient.birth_date is not None and not same_birth
    swapped = other_birth and _day_and_month_swapped(birth_date, patient.birth_date)
    shared = (bool(phone) and patient.phone == phone) or (bool(email) and patient.email.lower() == email.lower())
    swapped_names = family in givens and given in families
    contact = [_("même téléphone ou e-mail")] if shared else []
    if (near_family and near_given) or swapped_names:
        name = (
            _("nom et prénom inversés")
            if swapped_names
            else _("même nom")
            if same_family and same_given
            else _("nom proche")
        )
        exact = 1 if same_family and same_given else 0
        if same_birth:
            return Likely(patient, [_("%s et même date de naissance") % name, *contact], 6 + exact)
        if swapped:
            return Likely(patient, [name, _("jour et mois de naissance inversés"), *contact], 5 + exact)
        if not other_birth:
            return Likely(patient, [name, _("date de naissance non renseignée"), *contact], 4 + exact)
        return Likely(
            patient, [name, _("autre date de naissance : homonyme possible"), *contact], 1 + exact + len(contact)
        )
    if same_birth and near_family:
        return Likely(
            patient,
            [_("même nom de famille et même date de naissance"), _("autre prénom : jumeau possible"), *contact],
            2,
        )
    if shared and near_given and (same_birth or not other_birth):
        return Likely(patient, [*contact, _("même prénom")], 2)
    return Likely(patient, [], 0)


def _alike(typed: str, name: str) -> bool:
    """The same, one being the beginning of the other's words, or one typing error apart."""
    if not typed:
        return False
    if typed == name or f"{name} ".startswith(f"{typed} ") or f"{typed} ".startswith(f"{name} "):
        return True
    close = min(len(typed), len(name)) >= SHORTEST_TYPO and abs(len(typed) - len(name)) <= 1
    return close and (one_error_at_most(typed, name) or one_error_at_most(name, typed))


def _day_and_month_swapped(one: date | None, other: date | None) -> bool:
    return bool(one and other and (one.year, one.day, one.month) == (other.year, other.month, other.day))
