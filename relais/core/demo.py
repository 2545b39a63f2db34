"""What the parts of the demo region share: its size, its moment, and what the parts before have built.

Each module that has synthetic data offers `build(region, rng)` in its `demo.py`; `manage.py demo_region` calls them
from the lowest layer up, in one transaction, and only on a database that allows it (`settings.DEMO`). Nobody in it
exists: addresses end in `@exemple.test`, telephones are in the ranges kept for fiction, FINESS numbers start with 99
and RPPS numbers with 899 (domain.md §9).
"""

import random
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Volumes:
    """How much of everything a size holds."""

    establishments: int
    professionals: int
    patients: int
    teleconsultations: int
    days: int  # over how many days the teleconsultations are spread
    tickets: int


SIZES = {
    "small": Volumes(60, 40, 200, 260, 7, 12),
    "tenth": Volumes(120, 1_800, 3_500, 5_000, 100, 60),  # what growth is measured from (bench)
    "region": Volumes(1_200, 18_000, 35_000, 50_000, 100, 600),
}


@dataclass
class Region:
    """What is being built. Each part reads what the parts before left here and adds its own.

    `establishments`, `professionals`, `patients` and `teleconsultations` hold saved rows; `members` says who works
    where (establishment id → user rows, by role); `personas` the accounts of the demo page by key (`doctor`,
    `secretary`, `caregiver`, `help_desk`, `manager`); `places` the establishments they work in (`hospital`,
    `nursing_home`). `now` is the moment around which the region lives, in UTC.
    """

    size: str
    now: datetime
    establishments: list[Any] = field(default_factory=list)
    professionals: list[Any] = field(default_factory=list)
    members: dict[uuid.UUID, dict[str, list[Any]]] = field(default_factory=dict)
    personas: dict[str, Any] = field(default_factory=dict)
    places: dict[str, Any] = field(default_factory=dict)
    patients: list[Any] = field(default_factory=list)
    teleconsultations: list[Any] = field(default_factory=list)

    @property
    def volumes(self) -> Volumes:
        return SIZES[self.size]


def new_id(rng: random.Random) -> uuid.UUID:
    """A UUID that the seed decides, so that two builds of one seed are the same region."""
    return uuid.UUID(int=rng.getrandbits(128), version=4)


def landline(rng: random.Random) -> str:
    """A telephone number of the range kept for fiction."""
    return f"01 99 00 {rng.randrange(100):02d} {rng.randrange(100):02d}"


def mobile(rng: random.Random) -> str:
    """A mobile number (E.164) of the range kept for fiction."""
    return f"+3363998{rng.randrange(10_000):04d}"
