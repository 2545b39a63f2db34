"""Writing the directory."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from itertools import islice

from django.db import transaction

from relais.audit import actions as audit
from relais.core.actor import Actor
from relais.core.errors import NotFound
from relais.directory import permissions as may
from relais.directory.finess import Row, Skipped, Wrong
from relais.directory.models import Establishment

BATCH = 1000
FIELDS = ("name", "kind", "department", "address", "postal_code", "city", "phone")


@dataclass
class Imported:
    """What an import did, in lines."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    skipped: int = 0
    wrong: list[Wrong] = field(default_factory=list)


def import_establishments(*, actor: Actor, rows: Iterable[Row | Skipped | Wrong]) -> Imported:
    """Bring establishments in by FINESS number; again with the same file changes nothing.

    Wrong lines are told and leave the others untouched. Each batch is one transaction. What Relais keeps of its own
    (relay_only, active, synthetic) is not touched. Raises NotFound for who may not.
    """
    if not may.can_import(actor):
        raise NotFound
    told, lines = Imported(), iter(rows)
    while batch := list(islice(lines, BATCH)):
        told.skipped += sum(isinstance(each, Skipped) for each in batch)
        told.wrong += [each for each in batch if isinstance(each, Wrong)]
        _write({each.finess: each for each in batch if isinstance(each, Row)}, told)
    audit.record(actor=actor, action="directory.import", why=f"{told.created} créés, {told.changed} modifiés")
    return told


@transaction.atomic
def _write(rows: dict[str, Row], told: Imported) -> None:
    known = {
        each.finess: each
        for each in Establishment.objects.select_for_update(of=("self",)).filter(finess__in=rows).order_by("pk")
    }
    changed = []
    for finess, establishment in known.items():
        values = asdict(rows[finess])
        if any(getattr(establishment, name) != values[name] for name in FIELDS):
            for name in FIELDS:
                setattr(establishment, name, values[name])
            changed.append(establishment)
    new = [Establishment(**asdict(row)) for finess, row in rows.items() if finess not in known]
    Establishment.objects.bulk_update(changed, FIELDS)
    Establishment.objects.bulk_create(new)
    told.created += len(new)
    told.changed += len(changed)
    told.unchanged += len(known) - len(changed)
