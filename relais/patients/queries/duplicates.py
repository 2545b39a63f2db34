"""Who a new patient might already be: proposed before one is made, decided by people."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Case, IntegerField, Q, When
from django.utils.translation import gettext as _

from relais.core.actor import Actor
from relais.patients.models import Patient
from relais.patients.queries.search import SHORTEST_TYPO, fold, nearly_begins, one_error_at_most

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
    likely = [each for each in weighed if each.strength > 0]
    return sorted(likely, key=lambda each: (-each.strength, each.patient.search_name))[:DUPLICATES]


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
