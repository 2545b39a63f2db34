"""Lists paged by key: the next page starts after the last row shown, so its cost does not grow with its depth."""

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest

KEY = "apres"


@dataclass(frozen=True)
class Page:
    """One page of rows; `next_url` is None on the last page, `first_url` None on the first."""

    rows: list[Any]
    next_url: str | None
    first_url: str | None


def by_key(
    request: HttpRequest,
    queryset: "QuerySet[Any]",
    *later: "QuerySet[Any]",
    field: str,
    size: int = 20,
    newest_first: bool = False,
    beside: "QuerySet[Any] | None" = None,
) -> Page:
    """The page of `queryset` that the request asks for, ordered by `field` then id; one query.

    The rows of `later` all stand behind those of the querysets before them: they are asked for what is left of a page.
    Those of `beside`, none of which is in the others, stand among them: an index serves each where none serves an OR.
    A key that cannot be read gives the first page: links get cut in messages.
    """
    sign, after = ("-", "lt") if newest_first else ("", "gt")
    token = request.GET.get(KEY, "")
    value, _tilde, pk = token.partition("~")
    behind = Q(**{f"{field}__{after}e": value}) & (Q(**{f"{field}__{after}": value}) | Q(**{f"pk__{after}": pk}))
    rows: list[Any] = []
    try:
        for one in (queryset, *later):
            if len(rows) <= size:
                found = one.filter(behind) if pk else one
                rows += found.order_by(f"{sign}{field}", f"{sign}pk")[: size + 1 - len(rows)]
        if beside is not None:
            found = beside.filter(behind) if pk else beside
            rows += found.order_by(f"{sign}{field}", f"{sign}pk")[: size + 1]
            rows = sorted(rows, key=lambda one: (getattr(one, field), one.pk), reverse=newest_first)[: size + 1]
    except (ValueError, TypeError, ValidationError):
        if not pk:
            raise
        return by_key(
            _without_key(request), queryset, *later, field=field, size=size, newest_first=newest_first, beside=beside
        )
    return page_of(request, rows, field=field, size=size)


def page_of(request: HttpRequest, rows: list[Any], *, field: str, size: int = 20) -> Page:
    """The page of rows that were asked for already, in its order: one more than `size` where there is a next one."""
    more, rows = len(rows) > size, rows[:size]
    return Page(
        rows=rows,
        next_url=_url(request, f"{_iso(getattr(rows[-1], field))}~{rows[-1].pk}") if more else None,
        first_url=_url(request, "") if is_later(request) else None,
    )


def is_later(request: HttpRequest) -> bool:
    """Whether another page than the first is asked for."""
    return bool(request.GET.get(KEY, "").partition("~")[2])


def _iso(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _url(request: HttpRequest, token: str) -> str:
    query = request.GET.copy()
    query.pop(KEY, None)
    if token:
        query[KEY] = token
    return f"?{query.urlencode()}"


def _without_key(request: HttpRequest) -> HttpRequest:
    request.GET = request.GET.copy()  # type: ignore[assignment]
    request.GET.pop(KEY, None)  # type: ignore[misc]
    return request
