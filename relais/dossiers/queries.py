"""What a dossier's page needs, prefetched."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from relais.accounts.models import User
from relais.audit import actions as audit
from relais.audit.models import Entry
from relais.core.actor import Actor
from relais.core.reading import read_id
from relais.core.written import written
from relais.dossiers import permissions as may
from relais.dossiers import sequels
from relais.dossiers.models import Document, Dossier, Event
from relais.dossiers.registry import KINDS
from relais.dossiers.sequels import Standing


def documents(actor: Actor, dossier: Dossier) -> list[Document]:
    """The documents that this actor sees, oldest first; none for whoever may not read clinical content."""
    if not (actor.is_patient or may.can_read_clinical(actor, dossier)):
        return []
    rows = dossier.documents.filter(withdrawn_at=None).select_related("file", "author")
    return [row for row in rows if not actor.is_patient or may.can_see_document(actor, row)]


def documents_of(actor: Actor, dossiers: Iterable[Dossier]) -> list[Document]:
    """The documents of several dossiers, which the caller has opened for this professional, oldest first."""
    read = [one.pk for one in dossiers if KINDS[one.kind].may_read(actor)]
    rows = Document.objects.filter(dossier__in=read, withdrawn_at=None).select_related("file", "author")
    return list(rows.order_by("created_at", "id"))


def document_counts(dossier_ids: Iterable[UUID]) -> dict[UUID, int]:
    """How many documents each dossier holds, withdrawn ones left out; dossiers without any are left out."""
    kept = Document.objects.filter(dossier_id__in=list(dossier_ids), withdrawn_at=None)
    return dict(kept.order_by().values_list("dossier_id").annotate(Count("pk")))


@dataclass(frozen=True)
class Link:
    """A dossier of the same patient that stands on another's page; one that the reader may not open has no address."""

    dossier: Dossier
    standing: Standing | None = None
    opens: bool = True

    @property
    def label(self) -> str:
        return KINDS[self.dossier.kind].label

    @property
    def url(self) -> str:
        return reverse(KINDS[self.dossier.kind].url_name, args=[self.dossier.pk])


@dataclass(frozen=True)
class Links:
    """From which dossier this one was opened, and those opened from it, the newest first."""

    origin: Link | None
    sequels: list[Link]


def links(actor: Actor, dossier: Dossier) -> Links:
    """What the page of a dossier shows of those tied to it, with the trace: what this actor may read, and how that stands
    which was opened from it where its kind tells (`sequels`)."""
    readable = tuple(key for key, kind in KINDS.items() if kind.may_read(actor))
    rows: list[Any] = _tied(actor, dossier.pk, dossier.origin_id, readable, timezone.now())
    opened = [one for one in rows if one.pk != dossier.origin_id]
    told = bool(opened) and sequels.listens(dossier) and may.can_read_clinical(actor, dossier)
    stands = sequels.standings(opened) if told else {}
    found = [one for one in rows if one.opens or one.pk in stands]
    if found:
        audit.record_list(actor=actor, action="dossier.links", ids=[one.pk for one in found])
    made = {one.pk: Link(one, stands.get(one.pk), one.opens) for one in found}
    origin = made.pop(dossier.origin_id, None) if dossier.origin_id else None
    return Links(origin, list(made.values()))


@written
def _tied(
    actor: Actor, dossier_id: UUID, origin_id: UUID | None, readable: tuple[str, ...], now: datetime
) -> QuerySet[Dossier]:
    known = Dossier.objects.known_to(actor, now).filter(pk=OuterRef("pk"))
    tied = Dossier.objects.filter(Q(pk=origin_id) | Q(origin_id=dossier_id), kind__in=readable)
    return tied.annotate(opens=Exists(known)).order_by("-created_at", "-pk")


def origin_for(actor: Actor, patient_id: UUID, dossier_id: str) -> Dossier | None:
    """The dossier named in an address (*?depuis=*) from which another is opened: of this patient, and known to the actor."""
    wanted = read_id(dossier_id)
    if not wanted:
        return None
    return Dossier.objects.known_to(actor).filter(pk=wanted, patient_id=patient_id).first()


def timeline(dossier: Dossier) -> list[Event]:
    """Everything that happened, newest first, with its author."""
    return list(dossier.events.select_related("user").order_by("-at", "-id"))


@dataclass(frozen=True)
class Reader:
    """One person's readings of one day: how often, for what, first and last."""

    name: str
    profession: str
    kind: str
    why: list[str]
    first: datetime
    last: datetime
    count: int


def readers(dossier: Dossier, *, limit: int = 500) -> list[Reader]:
    """Who has seen this file, one line a person and day, newest first; for its practitioners and its patient (D13)."""
    entries = list(Entry.objects.filter(about=dossier.pk, action__endswith=".read").order_by("-at", "-id")[:limit])
    users = User.objects.in_bulk({entry.user_id for entry in entries if entry.user_id})
    by_person: dict[Any, list[Entry]] = {}
    for entry in entries:
        key = (entry.user_id, entry.grant_id, timezone.localtime(entry.at).date())
        by_person.setdefault(key, []).append(entry)
    return [_reader(users.get(key[0]), found) for key, found in by_person.items()]


def _reader(user: User | None, entries: list[Entry]) -> Reader:
    return Reader(
        name=user.full_name if user else "",
        profession=user.profession if user else "",
        kind=entries[0].actor_kind,
        why=list(dict.fromkeys(entry.why for entry in entries if entry.why)),
        first=entries[-1].at,
        last=entries[0].at,
        count=len(entries),
    )
