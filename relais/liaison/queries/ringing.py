"""What rings on every page for those on call and for the nursing home: what their list would ring for, without the resident."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.expressions import Combinable
from django.utils import timezone
from django.utils.translation import gettext as _

from relais.accounts.models import Membership
from relais.core.actor import Actor
from relais.core.doors import any_of
from relais.core.written import written
from relais.dossiers.models import Participant
from relais.liaison import delays
from relais.liaison.models import Decision, HandOver, Note, Request, Seen
from relais.liaison.queries.lists import RINGING
from relais.liaison.queries.measures import FRESH
from relais.liaison.queries.sbar import hurry
from relais.liaison.queries.unread import OPINION, TO_READ
from relais.liaison.workflow import IN_HAND, OPEN, WAITING, State
from relais.rooms.models import Peer

SHORT = {"vitale": "Vitale", "urgente": "Moins d’1 h"}
RED = "Signes graves"  # of another urgency, with signs for which one calls 15


@dataclass(frozen=True)
class Ringing:
    """`id` is that under which the list marks it: the page that shows both rings once."""

    id: UUID
    short: str  # for the top bar
    words: str
    urgency: str
    since: datetime | None


def ringing(actor: Actor, services: list[UUID], *, home: bool) -> list[Ringing]:
    """Of the requests of these services and, `home`, of the actor's nursing home; the most urgent first, in one query.

    Those of a service ring while nobody has them or an urgent one waits to be taken; one in hand rings for its doctor alone.
    """
    now = timezone.now()
    rows = _may_ring(actor, services, now, home=home)
    found = [one for row in rows for one in _of(actor, row, now, home=home)]
    return sorted(found, key=lambda one: (delays.ORDER.index(one.urgency), one.since or now, str(one.id)))


@written
def _may_ring(actor: Actor, services: list[UUID], now: datetime, *, home: bool) -> QuerySet[Request]:
    asked = Participant.objects.filter(any_of("service_id", services), until=None)
    theirs = Q(dossier__in=asked.values("dossier_id"))
    ours = Q(establishment_id=actor.here) if home else Q(pk__in=[])
    rows = Request.objects.filter(theirs | ours, state__in=OPEN).annotate(
        taking=Exists(HandOver.objects.filter(demand=OuterRef("pk"), taking=actor.me, accepted_at=None, dropped_at=None)),
        note=_urgent_note(actor, home=home), visio=_visio(actor, now),
    )  # fmt: skip
    may_ring = Q(responsible=None) | Q(state__in=WAITING) | Q(review_at__lte=now) | Q(taking=True)
    may_ring |= Q(note__isnull=False) | Q(visio__isnull=False)
    if home:  # only its own requests ask it for these: no question of them on the pages of those on call
        rows = rows.annotate(
            measured=_measured(), opinion=_unread(actor, Decision, "by"),
            question=_unread(actor, Note, "author", kind=Note.Kind.ASKED),
        )  # fmt: skip
        may_ring |= Q(opinion__isnull=False) | Q(question__isnull=False)
    return rows.filter(may_ring).order_by("pk")


def _of(actor: Actor, row: Any, now: datetime, *, home: bool) -> list[Ringing]:
    ours = home and row.establishment_id == actor.establishment_id
    mine = row.responsible_id == actor.user_id
    due = row.state in IN_HAND and row.review_at is not None and row.review_at <= now
    waits = row.state in WAITING
    found: list[tuple[UUID, str, str, datetime | None]] = []
    if row.responsible_id is None:
        found.append((row.pk, _("Sans médecin"), _("demande que personne n’a, %s") % hurry(row), row.submitted_at))
    elif row.taking:
        found.append((row.pk, _("Relève"), _("relève à accepter"), None))
    elif ours and due and not row.measured:
        found.append((row.pk, _("Constantes"), _("constantes à reprendre"), row.review_at))
    elif mine and due:
        found.append((row.pk, _("À réévaluer"), _("réévaluation à faire maintenant"), row.review_at))
    elif not ours and waits and (row.urgency in RINGING or row.red):
        found.append(
            (row.pk, _(SHORT.get(row.urgency, RED)), _("demande à prendre, %s") % hurry(row), row.submitted_at)
        )
    concerned = ours or mine or row.taking
    if row.visio and (concerned or waits or row.responsible_id is None):
        found.append((row.visio, _("Visio"), _("on vous attend en visio"), None))
    asked = row.state == State.COMPLEMENT
    if ours and (answer := row.question if asked else row.opinion):
        words = str(TO_READ[Note.Kind.ASKED if asked else OPINION])
        found.append((answer, words, words.lower(), None))
    if row.note and concerned:
        found.append((row.note, _("Note urgente"), _("note urgente non lue"), None))
    return [Ringing(pk, short, words, row.urgency, since) for pk, short, words, since in found]


def _unread(actor: Actor, model: Any, author: str, **kind: Any) -> Subquery:
    """As `unread.unread` has it for a nursing home: the last of them that nobody of its staff but its author has seen."""
    seen = Seen.objects.filter(demand=OuterRef("demand"), at__gte=OuterRef("created_at"))
    staff = Membership.objects.filter(establishment_id=actor.here, ended_at=None).values("user_id")
    known = seen.filter(Q(user_id=actor.me) | Q(user__in=staff) & ~Q(user=OuterRef(author)))
    rows = model.objects.filter(~Exists(known), demand=OuterRef("pk"), **kind).exclude(**{author: actor.me})
    return Subquery(rows.order_by("-created_at", "-pk").values("pk")[:1])


def _measured() -> Combinable:
    """As `measures.measured`."""
    promised_since = Decision.objects.filter(demand=OuterRef("pk"), created_at__gt=OuterRef("response__ended_at"))
    return Q(response__ended_at__gte=F("review_at") - FRESH) & ~Exists(promised_since)


def _urgent_note(actor: Actor, *, home: bool) -> Subquery:
    """The last one of somebody else that the actor has not seen, not their own home's."""
    seen = Seen.objects.filter(demand=OuterRef("demand"), user_id=actor.me, at__gte=OuterRef("created_at"))
    notes = Note.objects.filter(~Exists(seen), demand=OuterRef("pk"), urgent=True).exclude(author_id=actor.me)
    notes = notes.exclude(establishment_id=actor.here) if home else notes
    return Subquery(notes.order_by("-created_at", "-pk").values("pk")[:1])


def _visio(actor: Actor, now: datetime) -> Subquery:
    """The first who is in its room, while nobody of the actor's establishment is."""
    inside = Peer.objects.inside(now).filter(invitation__room__about=OuterRef("pk"))
    others = Peer.objects.inside(now).filter(
        invitation__room__about=OuterRef("invitation__room__about"), invitation__establishment_id=actor.here
    )
    return Subquery(inside.filter(~Exists(others)).order_by("invitation__name", "pk").values("pk")[:1])
