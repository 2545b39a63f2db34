"""What higher modules show on a patient's page: each registers its own section in its AppConfig.ready()."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from relais.core.actor import Actor
from relais.patients.models import Patient


@dataclass(frozen=True, kw_only=True)
class Section:
    """One part of a patient's page: `template` is included with `section`, what `load` returns for this actor (None: nothing)."""

    key: str
    order: int
    template: str
    load: Callable[[Actor, Patient], Any]


_sections: dict[str, Section] = {}


def register(section: Section) -> None:
    """Add a section, in its order. Registering the same twice is harmless."""
    _sections[section.key] = section


def loaded_for(actor: Actor, patient: Patient) -> list[tuple[str, Any]]:
    """(template, what it shows) of each section that has something for this actor."""
    ordered = sorted(_sections.values(), key=lambda section: (section.order, section.key))
    loaded = [(section.template, section.load(actor, patient)) for section in ordered]
    return [(template, shown) for template, shown in loaded if shown is not None]
