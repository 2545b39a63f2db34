"""What others wrote in requests and somebody has not seen: notes, opinions, documents that came once it was taken."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import CharField, Exists, F, OuterRef, Q, QuerySet, UUIDField, Value
from django.utils.translation import gettext_lazy as _

from relais.accounts.models import Membership
from relais.core.actor import Actor
from relais.core.doors import any_of
from relais.core.written import written
from relais.dossiers.models import Document
from relais.liaison.models import Decision, Note, Request, Seen

OPINION, DOCUMENT = "opinion", "document"  # beside the kinds of notes
TO_READ = {
    OPINION: _("Avis à lire"),
    Note.Kind.ASKED: _("Question du médecin à lire"),
    Note.Kind.GIVEN: _("Complément à lire"),
}  # what rings until it is read


@dataclass
class Unread:
    """Of one request. `answer`: the last opinion or question that nobody of the nursing home has seen; for a doctor, the last
    complement given that they have not seen."""

    notes: int = 0
    documents: list[UUID] = field(default_factory=list)
    called: bool = False  # one of these notes mentions the reader
    urgent: UUID | None = None  # the last urgent note, unless their own nursing home wrote it
    answer: UUID | None = None
    answered: str = ""  # one of TO_READ, in words
    last: UUID | None = None  # of all


def unread(actor: Actor, ids: Iterable[UUID], *, home: bool) -> dict[UUID, Unread]:
    """Of each of these requests, as its nursing home (`home`) or the other side reads it; in one query."""
    wanted = list(ids)
    found = {one: Unread() for one in wanted}
    awaited = (OPINION, Note.Kind.ASKED) if home else (Note.Kind.GIVEN,)
    for demand, pk, _at, what, calls_me, pressing, place, known in _news(actor, wanted, home=home):
        one = found[demand]
        one.last = pk
        one.documents += [pk] if what == DOCUMENT else []
        one.notes += what not in (DOCUMENT, OPINION)
        one.called |= calls_me
        if pressing and not (home and place == actor.here):
            one.urgent = pk
        if what in awaited and not known:
            one.answer, one.answered = pk, str(TO_READ[what])
    return found


@written
def _news(actor: Actor, wanted: list[UUID], *, home: bool) -> QuerySet[Any, Any]:
    """(request, id, when, what, mentions the reader, urgent, by whose place, known to the nursing home), the oldest first."""
    staff = Membership.objects.filter(establishment_id=actor.here, ended_at=None).values("user_id")
    to_me = Note.mentions.through.objects.filter(note_id=OuterRef("pk"), user_id=actor.me)
    none, nothing = Value(False), Value(None, output_field=UUIDField())

    def unseen(rows: QuerySet[Any], demand: str, author: str, **said: Any) -> QuerySet[Any, Any]:
        seen = Seen.objects.filter(demand=OuterRef(demand), at__gte=OuterRef("created_at"))
        known = Exists(seen.filter(user__in=staff).exclude(user=OuterRef(author))) if home else none
        new = rows.filter(any_of(f"{demand}_id", wanted), ~Exists(seen.filter(user_id=actor.me)))
        given = {"to_me": none, "pressing": none, "place": nothing, **said}
        return (
            new.exclude(**{author: actor.me})
            .order_by()
            .annotate(of=F(f"{demand}_id"), known=known, **given)
            .values_list("of", "pk", "created_at", "what", "to_me", "pressing", "place", "known")
        )

    notes = unseen(
        Note.objects.all(), "demand", "author_id", what=F("kind"), to_me=Exists(to_me), pressing=F("urgent"),
        place=F("establishment_id"),
    )  # fmt: skip
    opinions = unseen(Decision.objects.all(), "demand", "by_id", what=Value(OPINION, CharField()))
    documents = unseen(arrived(), "dossier", "author_id", what=Value(DOCUMENT, CharField()))
    return notes.union(opinions, documents, all=True).order_by("created_at", "pk")


def arrived() -> QuerySet[Document]:
    """The documents of requests that came once somebody had taken them: those of before are read with the request."""
    return Document.objects.filter(withdrawn_at=None, created_at__gt=F("dossier__liaison__taken_at"))


def moment_of(demand: Request, pk: UUID | None) -> datetime | None:
    """When a note, an opinion or a document of this request was written."""
    rows: tuple[QuerySet[Any], ...] = (
        Note.objects.filter(demand=demand), Decision.objects.filter(demand=demand),
        Document.objects.filter(dossier=demand.pk),
    )  # fmt: skip
    found = (one.filter(pk=pk).values_list("created_at", flat=True).first() for one in rows if pk)
    return next((at for at in found if at), None)


def has_unread(demand_id: Any, user_id: Any, rows: QuerySet[Any], author: str = "author_id") -> bool:
    """Whether somebody has not seen one of these, written by others in a request."""
    seen = Seen.objects.filter(demand=demand_id, user=user_id).values_list("at", flat=True).first()
    late = Q(created_at__gt=seen) if seen else Q()
    return rows.filter(late).exclude(**{author: user_id}).exists()
