"""What a dossier's page needs, prefetched."""

from typing import Any

from relais.accounts.models import User
from relais.audit.models import Entry
from relais.core.actor import Actor
from relais.dossiers import permissions as may
from relais.dossiers.models import Document, Dossier, Event


def documents(actor: Actor, dossier: Dossier) -> list[Document]:
    """The documents that this actor sees, oldest first; none for whoever may not read clinical content."""
    rows = dossier.documents.filter(withdrawn_at=None).select_related("file", "author", "dossier")
    return [row for row in rows if may.can_see_document(actor, row)]


def timeline(dossier: Dossier) -> list[Event]:
    """Everything that happened, newest first, with its author."""
    return list(dossier.events.select_related("user").order_by("-at", "-id"))


def readers(dossier: Dossier, *, limit: int = 200) -> list[dict[str, Any]]:
    """Who has seen this file: newest first, with names; for its practitioners and its patient (D13)."""
    entries = list(Entry.objects.filter(about=dossier.pk, action__endswith=".read").order_by("-at", "-id")[:limit])
    users = User.objects.in_bulk({entry.user_id for entry in entries if entry.user_id})
    return [
        {
            "at": entry.at,
            "name": users[entry.user_id].full_name if entry.user_id in users else "",
            "profession": users[entry.user_id].profession if entry.user_id in users else "",
            "kind": entry.actor_kind,
            "roles": entry.roles,
            "why": entry.why,
        }
        for entry in entries
    ]
