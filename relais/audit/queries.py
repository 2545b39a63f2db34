"""Reading the trace: who has seen, who has done. Names are resolved by the layer that knows people."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet

from relais.audit.models import Entry

PAGE = 50


@dataclass(frozen=True)
class Page:
    """Entries, latest first; `older` is what to give back as `before` for the next page, None at the end."""

    entries: list[Entry]
    older: int | None


def entries_about(*about: UUID, actions: Collection[str] = (), before: int | None = None, size: int = PAGE) -> Page:
    """What was read and done about these ids (a dossier, its documents), lists that showed them included.

    `actions` keeps only those. Pages by key: `before` is `Page.older` of the page shown now.
    """
    found = Entry.objects.filter(Q(about__in=about) | Q(ids__overlap=list(about)))
    if actions:
        found = found.filter(action__in=actions)
    return _page(found, before, size)


def entries_of_patient(patient_id: UUID, *, before: int | None = None, size: int = PAGE) -> Page:
    """What was read and done about a patient, whatever the dossier."""
    return _page(Entry.objects.filter(patient_id=patient_id), before, size)


def _page(found: QuerySet[Entry], before: int | None, size: int) -> Page:
    if before is not None:
        found = found.filter(pk__lt=before)
    entries = list(found.order_by("-pk")[: size + 1])
    more = len(entries) > size
    return Page(entries[:size], entries[size - 1].pk if more else None)
