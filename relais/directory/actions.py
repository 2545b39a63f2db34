"""Writing the directory."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import time
from itertools import islice

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from relais.audit import actions as audit
from relais.core.actor import Actor
from relais.core.doors import get_visible
from relais.core.errors import NotFound, Refused
from relais.core.transactions import whole
from relais.directory import permissions as may
from relais.directory.finess import Row, Skipped, Wrong
from relais.directory.models import Establishment, Service

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


@dataclass(frozen=True, kw_only=True)
class Described:
    """What a manager says of a service; the words are those of the model."""

    name: str
    need: str
    specialty: str
    departments: list[str]
    days: list[int]
    opens: time
    closes: time
    phone: str
    ways: list[str]
    note: str


@whole
def describe_service(*, actor: Actor, said: Described) -> Service:
    """Add a service of the manager's establishment to the directory.

    Raises NotFound for who is no manager, Refused for a name that the establishment uses already.
    """
    if not may.can_describe(actor):
        raise NotFound
    return _kept(actor, Service(establishment_id=actor.here, **asdict(said)))


@whole
def change_service(*, actor: Actor, service: Service, said: Described) -> Service:
    """Describe a service anew, from now on. Raises NotFound for who does not manage it, Refused as `describe_service`."""
    locked = _lock(actor, service)
    for name, value in asdict(said).items():
        setattr(locked, name, value)
    return _kept(actor, locked)


@whole
def close_service(*, actor: Actor, service: Service) -> Service:
    """Nobody finds it any more; its managers do, and open it again. Raises NotFound for who does not manage it."""
    return _set_active(actor, service, active=False)


@whole
def open_service(*, actor: Actor, service: Service) -> Service:
    """Bring back a service that was closed. Raises as `change_service`."""
    return _set_active(actor, service, active=True)


def _set_active(actor: Actor, service: Service, *, active: bool) -> Service:
    locked = _lock(actor, service)
    locked.active = active
    return _kept(actor, locked)


def _lock(actor: Actor, service: Service) -> Service:
    locked: Service = get_visible(Service.objects.select_for_update(of=("self",)), actor, pk=service.pk)
    if not may.can_change(actor, locked):
        raise NotFound
    return locked


def _kept(actor: Actor, service: Service) -> Service:
    try:
        with transaction.atomic():
            service.save()
    except IntegrityError:
        raise Refused(
            _("Votre établissement a déjà un service de ce nom : choisissez-en un autre, ou modifiez celui-là."),
            field="name",
        ) from None
    audit.record(actor=actor, action="directory.service", about=service.pk)
    return service
