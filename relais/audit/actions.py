"""Writing the trace. A trace that cannot be written stops what it was to prove (fail closed)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from relais.audit.models import Entry
from relais.core.actor import Actor
from relais.core.transactions import leave


def record(
    *, actor: Actor, action: str, about: UUID | None = None, patient_id: UUID | None = None, why: str = ""
) -> None:
    """Leave the trace of one read (`dossier.read`) or act (`document.share`), in the caller's transaction."""
    leave(Entry(about=about, patient_id=patient_id, action=action, why=why[:300], **_who(actor)))


@dataclass(frozen=True)
class Trace:
    """What `record_many` writes of one read or act; the words are those of `record`."""

    action: str
    about: UUID | None = None
    patient_id: UUID | None = None
    why: str = ""


def record_many(*, actor: Actor, entries: Sequence[Trace]) -> None:
    """Leave one trace each, in one statement: an import leaves the traces that as many single acts would have left."""
    who = _who(actor)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO audit_entry (at, actor_kind, user_id, grant_id, establishment_id, roles, ids,
                                     action, about, patient_id, why)
            SELECT now(), %s, %s, %s, %s, %s::text[], '{}', one.action, one.about, one.patient_id, one.why
              FROM unnest(%s::text[], %s::uuid[], %s::uuid[], %s::text[]) AS one (action, about, patient_id, why)
            """,
            [
                *(who["actor_kind"], who["user_id"], who["grant_id"], who["establishment_id"], who["roles"]),
                [one.action for one in entries],
                [one.about for one in entries],
                [one.patient_id for one in entries],
                [one.why[:300] for one in entries],
            ],
        )


def record_list(*, actor: Actor, action: str, ids: Iterable[UUID], seen: dict[str, list[str]] | None = None) -> None:
    """Leave one trace with the ids that a list showed.

    `seen` (the session) remembers what was traced already, so that a live refetch adds only new ids.
    """
    shown = list(ids)
    key = f"audit.{action}"
    known = set(seen.get(key, [])) if seen is not None else set()
    new = [one for one in shown if str(one) not in known]
    if not new:
        return
    leave(Entry(action=action, ids=new, **_who(actor)))
    if seen is not None:
        seen[key] = [str(one) for one in shown][-500:]


def _who(actor: Actor) -> dict:
    return {
        "actor_kind": actor.kind,
        "user_id": actor.user_id,
        "grant_id": actor.grant_id,
        "establishment_id": actor.establishment_id,
        "roles": sorted(actor.roles),
    }
