"""The cells of the demo region (EC-13, EC-14, EC-16): five departments first, then the others, and one for the region."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from relais.accounts.models import Role, User
from relais.core.demo import Region, insert, new_id
from relais.directory.models import Department, Establishment, Kind
from relais.telemonitoring.models import Cell, CellKind, CellMember, RuleSet

FIRST = ("77", "78", "91", "93", "95")  # e-COVID began there (EC-16)
DAY = timedelta(days=1)
BEGAN, LATER = 260 * DAY, 190 * DAY  # before now: when the first cells opened, and the others
MOST, GUESTS = 12, 3  # members of a cell, and from a place that joined one
# What the cell of a kind belongs to. A DAC is no kind of the directory: a site of its department carries it.
HOLDERS = {CellKind.HOSPITAL: Kind.HOSPITAL, CellKind.CENTRE: Kind.CENTRE, CellKind.DAC: Kind.ESMS}
LABELS = {CellKind.HOSPITAL: "Cellule COVID", CellKind.CENTRE: "Centre COVID ambulatoire", CellKind.DAC: "DAC"}


@dataclass(frozen=True)
class Team:
    """A cell with those who work in it and since when."""

    cell: Cell
    staff: list[User]
    doctors: list[User]
    opened: datetime


@dataclass(frozen=True)
class Network:
    """`home`: the cell of the personas' hospital; `regional`: for those who have no other; `local`: (kind, department)."""

    home: Team
    regional: Team
    local: dict[tuple[str, str], Team]

    def team(self, kind: str, department: str, at: datetime) -> Team:
        """The department's cell of a kind once it is open, before that the regional one."""
        found = self.local.get((kind, department))
        return found if found and found.opened <= at else self.regional


def build(region: Region, rng: random.Random, *, small: bool) -> Network:
    """Open the cells with their members: two in a small region, else three a department and the regional one."""
    rules = RuleSet.objects.get(name="ecovid", version="1.0.0")
    hospital = region.places["hospital"]
    other = next(
        (one for one in region.establishments if one.kind == Kind.HOSPITAL and one != hospital),
        region.establishments[-1],
    )
    cells: list[Cell] = []
    members: list[CellMember] = []

    def open_one(name: str, kind: str, place: Establishment, opened: datetime) -> Team:
        cell = Cell(
            id=new_id(rng), name=name, kind=kind, establishment=place, rules=rules, created_at=opened,
            accepts_others=kind == CellKind.REGIONAL,
        )  # fmt: skip
        cells.append(cell)
        staff = clinicians(region, place)[:MOST]
        members.extend(_member(rng, cell, user, place, opened) for user in staff)
        people = staff or region.professionals[:1]
        able = set(region.members.get(place.pk, {}).get(Role.PRACTITIONER, []))
        return Team(cell, people, [one for one in people if one in able] or people[:1], opened)

    home = open_one("Cellule COVID de l’hôpital", CellKind.HOSPITAL, hospital, region.now - BEGAN)
    regional = open_one("Cellule régionale", CellKind.REGIONAL, other, region.now - BEGAN)
    guests = region.places["nursing_home"]
    members += [_member(rng, home.cell, one, guests, home.opened) for one in clinicians(region, guests)[:GUESTS]]
    local: dict[tuple[str, str], Team] = {(CellKind.HOSPITAL, hospital.department): home}
    for department in [] if small else Department:
        for kind, holder in HOLDERS.items():
            place = next(
                (
                    one for one in region.establishments
                    if (one.kind, one.department) == (holder, department) and clinicians(region, one) and one != other
                ),
                None,
            )  # fmt: skip
            if place and (kind, department) not in local:
                opened = region.now - (BEGAN if department in FIRST else LATER) - rng.randint(0, 9) * DAY
                name = f"{LABELS[kind]} {department.label}"
                local[kind, str(department)] = open_one(name, kind, place, opened)
    insert(cells)
    insert(members)
    return Network(home, regional, local)


def _member(rng: random.Random, cell: Cell, user: Any, place: Establishment, opened: datetime) -> CellMember:
    return CellMember(id=new_id(rng), cell=cell, user=user, establishment=place, created_at=opened)


def clinicians(region: Region, place: Establishment) -> list[User]:
    """Practitioners, then caregivers of a place."""
    by_role = region.members.get(place.pk, {})
    return [*by_role.get(Role.PRACTITIONER, []), *by_role.get(Role.CAREGIVER, [])]
