"""What the parts of the demo region share: its size, its moment, and what the parts before have built.

Each module that has synthetic data offers `build(region, rng)` in its `demo.py`; `manage.py demo_region` calls them
from the lowest layer up, in one transaction, and only on a database that allows it (`settings.DEMO`). Nobody in it
exists: addresses end in `@exemple.test`, telephones are in the ranges kept for fiction, FINESS numbers start with 99
and RPPS numbers with 899 (domain.md §9).
"""

import json
import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any

from django.db import connection, models

HAPPENED = ("events", "entries")  # lists of a batch whose tables number their rows as they come


@dataclass(frozen=True)
class Volumes:
    """How much of everything a size holds."""

    establishments: int
    professionals: int
    patients: int
    teleconsultations: int
    days: int  # over how many days the teleconsultations are spread
    tickets: int
    deaths: int  # of residents, within a month of a request of their nursing home (domain.md §9.5)


SIZES = {
    "small": Volumes(60, 53, 200, 260, 7, 12, 5),
    "tenth": Volumes(120, 1_800, 3_500, 5_000, 100, 60, 24),  # what growth is measured from (bench)
    "region": Volumes(1_200, 18_000, 35_000, 50_000, 100, 600, 240),
    # As many people followed at home as in the whole region's eight months, all at once; little around them (domain.md §9.2).
    "stress": Volumes(130, 2_000, 35_000, 2_000, 30, 60, 5),
}


@dataclass
class Region:
    """What is being built. Each part reads what the parts before left here and adds its own.

    `establishments`, `professionals`, `patients` and `teleconsultations` hold saved rows; `members` says who works
    where (establishment id → user rows, by role); `personas` the accounts of the demo page by key (`doctor`, `expert`,
    `caregiver`, `on_call`, `samu`, `secretary`, `manager`, `help_desk`); `places` the establishments they work in
    (`hospital`, `nursing_home`, `on_call`, `samu`); `services` what the directory offers. `dying` are saved patients too, old
    ones left to liaison, which says when they died: nothing else is told of them. `now` is the moment around which the
    region lives, in UTC.
    """

    size: str
    now: datetime
    establishments: list[Any] = field(default_factory=list)
    services: list[Any] = field(default_factory=list)
    professionals: list[Any] = field(default_factory=list)
    members: dict[uuid.UUID, dict[str, list[Any]]] = field(default_factory=dict)
    personas: dict[str, Any] = field(default_factory=dict)
    places: dict[str, Any] = field(default_factory=dict)
    patients: list[Any] = field(default_factory=list)
    dying: list[Any] = field(default_factory=list)
    teleconsultations: list[Any] = field(default_factory=list)

    @property
    def volumes(self) -> Volumes:
        return SIZES[self.size]


def insert(rows: Sequence[models.Model]) -> None:
    """Copy rows of one model into its table as they are; some eight times as fast as bulk_create.

    No clock and no signal touches them: `created_at` and its like must have been given (else the database refuses),
    so that no list shows the whole region made in the same second. Every constraint holds.
    """
    if not rows:
        return
    meta, quote = rows[0]._meta, connection.ops.quote_name
    fields = [
        each
        for each in meta.concrete_fields
        if not each.generated and not (isinstance(each, models.AutoField) and rows[0].pk is None)
    ]
    names = [each.attname for each in fields]
    objects = {number for number, each in enumerate(fields) if isinstance(each, models.JSONField)}
    columns = ", ".join(quote(str(each.column)) for each in fields)
    with connection.cursor() as cursor, cursor.copy(f"COPY {quote(meta.db_table)} ({columns}) FROM STDIN") as copy:
        for row in rows:
            values = [getattr(row, name) for name in names]
            for number in objects:
                values[number] = json.dumps(values[number])
            copy.write_row(values)


@dataclass
class Batch:
    """Rows that are inserted together, so that memory stays small whatever the region's size: a list of each model, in the
    order of the foreign keys."""

    def insert(self) -> None:
        """Save everything with the times it was given, what happened in the order in which it did, and begin an empty batch."""
        for name, rows in vars(self).items():
            insert(sorted(rows, key=attrgetter("at")) if name in HAPPENED else rows)
            rows.clear()


def new_id(rng: random.Random) -> uuid.UUID:
    """A UUID that the seed decides, so that two builds of one seed are the same region."""
    return uuid.UUID(int=rng.getrandbits(128), version=4)


def landline(rng: random.Random) -> str:
    """A telephone number of the range kept for fiction."""
    return f"01 99 00 {rng.randrange(100):02d} {rng.randrange(100):02d}"


def mobile(rng: random.Random) -> str:
    """A mobile number (E.164) of the range kept for fiction."""
    return f"+3363998{rng.randrange(10_000):04d}"
