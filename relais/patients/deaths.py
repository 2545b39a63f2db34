"""What must follow when a death is noted: each higher module registers its own in its AppConfig.ready()."""

from collections.abc import Callable

from relais.core.actor import Actor
from relais.patients.models import Patient

Follow = Callable[[Actor, Patient], None]  # who noted it, and the patient, whose day of death is written

_followers: list[Follow] = []


def register(follow: Follow) -> None:
    """`follow(actor, patient)` runs inside the transaction. Registering the same twice is harmless."""
    if follow not in _followers:
        _followers.append(follow)


def tell(actor: Actor, patient: Patient) -> None:
    for follow in _followers:
        follow(actor, patient)
