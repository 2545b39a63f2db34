"""Finding an establishment as one types, and a service by need and place."""

from collections.abc import Collection
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.db.models import BooleanField, Case, ExpressionWrapper, F, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Cast, Concat, LPad, Replace

from relais.core.actor import Actor
from relais.directory.identifiers import FINESS
from relais.directory.models import Establishment, Fold, Service, answers_at

WRITTEN = ("name", "specialty", "establishment__name", "establishment__city")  # where a service's words are looked for


def _keyed(text: Any) -> Replace:
    """Without the sign that stands between the parts of a page's key."""
    words = TextField()
    return Replace(text, Value("~", words), Value(" ", words), output_field=words)


PLACE_RANK = _keyed(F("name"))


def search(
    actor: Actor, text: str = "", *, departments: Collection[str] | None = None, kinds: Collection[str] | None = None
) -> QuerySet[Establishment]:
    """The establishments in name order whose name or town holds every word of `text`; whoever asks cuts it, last of all.

    Forgives accents, case, hyphens and apostrophes; a FINESS number finds its one establishment. Without a filter: all.
    """
    found = Establishment.objects.visible_to(actor).order_by("name", "id")
    if departments is not None:
        found = found.filter(department__in=departments)
    if kinds is not None:
        found = found.filter(kind__in=kinds)
    number = text.replace(" ", "").upper()
    if FINESS.fullmatch(number):
        return found.filter(finess=number)
    found = found.alias(folded=Fold("name"), town=Fold("city"))
    for word in text.split():
        folded = Fold(Value(word))
        found = found.filter(Q(folded__contains=folded) | Q(town__contains=folded))
    return found


def offered(actor: Actor, places: list[Establishment], now: datetime) -> dict[UUID, list[Service]]:
    """What these establishments offer, by their id, in one query; with `open`, what answers now first."""
    answering = ExpressionWrapper(answers_at(now), output_field=BooleanField())
    found = Service.objects.visible_to(actor).filter(establishment__in=places, active=True).annotate(open=answering)
    offer: dict[UUID, list[Service]] = {one.pk: [] for one in places}
    for service in found.order_by("-open", "name", "id"):
        offer[service.establishment_id].append(service)
    return offer


def find_services(
    actor: Actor, text: str = "", *, need: str = "", department: str = "", now: datetime, only_open: bool = False
) -> QuerySet[Service]:
    """The services whose name, specialty, establishment or town holds every word of `text`, with `open` and `rank`.

    `rank` orders them: those that answer now, then those that are closed; within each the smallest area first (the nearest
    before the regional ones), then by name. Empty filters take all.
    """
    found = Service.objects.visible_to(actor).select_related("establishment")
    if need:
        found = found.filter(need=need)
    if department:
        found = found.filter(departments__contains=[department])
    found = found.alias(**{f"folded_{one}": Fold(one) for one in WRITTEN})
    for word in text.split():
        folded = Fold(Value(word))
        found = found.filter(reduce(or_, [Q(**{f"folded_{one}__contains": folded}) for one in WRITTEN]))
    if only_open:
        found = found.open_at(now)
    answering, words = answers_at(now), TextField()
    closed = Case(When(answering, then=Value("0")), default=Value("1"), output_field=words)
    area = Cast(LPad(Cast(F("departments__len"), words), 2, Value("0", words)), words)
    name = _keyed(Fold("name"))
    return found.annotate(
        open=ExpressionWrapper(answering, output_field=BooleanField()), rank=Concat(closed, area, name)
    )
