"""Whom to call when a patient does not answer, one after the other (MA04 of domain.md §1.7.f). Pure.

Three calls to the patient in vain, then each person who is close to them, then the treating doctor; when none of them
has news, a physician decides whether somebody goes and looks.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from django.db import models


class Called(models.TextChoices):
    """Who is called, in this order; the last is no call: a physician decides."""

    PATIENT = "patient", "Patient"
    HELPER = "proche", "Proche"
    DOCTOR = "medecin-traitant", "Médecin traitant"
    CHECK = "verification", "Vérification sur place"


class Person(NamedTuple):
    """Somebody who can be called; without `numbers` they have to be looked for."""

    called: str
    name: str
    numbers: tuple[str, ...] = ()
    link: str = ""  # what they are to the patient, or where they work


CHECK = Person(Called.CHECK, "")
Tried = tuple[str, str]  # whom an attempt was for: Called, and the name that was noted


def was_tried(person: Person, tried: Collection[Tried]) -> bool:
    """Whether an attempt was for this person; among several who are close, the name says which, or none was noted."""
    if person.called != Called.HELPER:
        return any(called == person.called for called, _name in tried)
    return any(called == Called.HELPER and name in ("", person.name) for called, name in tried)


def next_of(people: Sequence[Person], tried: Collection[Tried]) -> Person:
    """The first of these people whom nobody has tried; CHECK once each was."""
    return next((one for one in people if not was_tried(one, tried)), CHECK)
