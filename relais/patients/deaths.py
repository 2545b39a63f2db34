"""What must follow when a death is noted, or was noted by mistake: each higher module registers its own in its
AppConfig.ready()."""

from collections.abc import Callable

from relais.core.actor import Actor
from relais.patients.models import Patient

Follow = Callable[[Actor, Patient], None]  # who says it, and the patient, whose day of death is written, or erased

_followers: list[Follow] = []
_returns: list[Follow] = []


def register(follow: Follow) -> None:
    """`follow(actor, patient)` runs inside the transaction. Registering the same twice is harmless."""
    if follow not in _followers:
        _followers.append(follow)


def register_return(follow: Follow) -> None:
    """As `register`, for a death that is withdrawn."""
    if follow not in _returns:
        _returns.append(follow)


def tell(actor: Actor, patient: Patient) -> None:
    for follow in _followers:
        follow(actor, patient)


def tell_return(actor: Actor, patient: Patient) -> None:
    for follow in _returns:
        follow(actor, patient)
