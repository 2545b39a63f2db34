"""Who may read a follow-up, and why (TS-14)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from relais.accounts.models import Membership, User
from relais.directory.models import Establishment
from relais.dossiers.models import Event
from relais.patients.models import CareLink
from relais.telemonitoring.actions.circle import circle_of
from relais.telemonitoring.models import FollowUp


@dataclass(frozen=True)
class Reader:
    """Somebody who may read, and why; `link_id` of the care circle alone, which can be ended."""

    name: str
    detail: str
    why: str
    since: datetime | None = None
    by: str = ""
    link_id: UUID | None = None


def readers(follow_up: FollowUp) -> list[Reader]:
    """The cell, who included the patient, then the care circle, the oldest first."""
    cell, home = follow_up.cell, follow_up.dossier.establishment
    found = [Reader(cell.name, cell.establishment.name, _("Équipe qui suit le patient"))]
    if home.pk == cell.establishment_id:
        found.append(
            Reader(home.name, "", _("Soignants de l’établissement qui a inclus le patient et tient la cellule"))
        )
    else:
        found.append(Reader(home.name, "", _("Soignants de l’établissement qui a inclus le patient")))
        found.append(Reader(cell.establishment.name, "", _("Soignants de l’établissement qui tient la cellule")))
    return found + _circle(follow_up)


def _circle(follow_up: FollowUp) -> list[Reader]:
    links = list(circle_of(follow_up).order_by("created_at", "pk"))
    users = User.objects.in_bulk({one.user_id for one in links if one.user_id})
    places = Establishment.objects.in_bulk({one.establishment_id for one in links if one.establishment_id})
    works = work_of(users)
    added = _added(follow_up) if links else {}
    return [_reader(one, users, places, works, added.get(str(one.user_id or one.establishment_id))) for one in links]


def _reader(
    link: CareLink, users: dict[UUID, User], places: dict[UUID, Establishment], works: dict[UUID, str], event: Event | None
) -> Reader:  # fmt: skip
    user, place = users.get(link.user_id), places.get(link.establishment_id)  # type: ignore[arg-type]
    by = event.user.full_name if event and event.user else _("le patient ou son proche") if event else ""
    return Reader(
        name=user.full_name if user else place.name if place else _("Professionnel inconnu"),
        detail=", ".join(part for part in (user.profession, works.get(user.pk, "")) if part) if user else "",
        why=_("Cercle de soins"),
        since=event.at if event else link.created_at,
        by=by,
        link_id=link.pk,
    )


def _added(follow_up: FollowUp) -> dict[str, Event]:
    """Who was added by whom: the last time counts."""
    rows = Event.objects.filter(dossier=follow_up.pk, verb="reader_added").select_related("user").order_by("at", "pk")
    return {one.data["user"]: one for one in rows}


def work_of(users: dict[UUID, User]) -> dict[UUID, str]:
    """Where each of these professionals works, in one line."""
    live = Membership.objects.filter(user__in=list(users), ended_at=None, establishment__active=True)
    found: dict[UUID, list[str]] = {}
    for one in live.select_related("establishment").order_by("establishment__name", "pk"):
        found.setdefault(one.user_id, []).append(one.establishment.name)
    return {pk: ", ".join(names) for pk, names in found.items()}


@dataclass(frozen=True)
class Known:
    """A professional whom a search found."""

    user: User
    work: str


def known(users: list[User]) -> list[Known]:
    works = work_of({one.pk: one for one in users})
    return [Known(one, works.get(one.pk, "")) for one in users]
