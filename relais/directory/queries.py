"""Finding an establishment as one types."""

from django.db.models import Q, QuerySet, Value

from relais.core.actor import Actor
from relais.directory.identifiers import FINESS
from relais.directory.models import Establishment, Fold

MOST = 50


def search(
    actor: Actor, text: str = "", *, department: str = "", kind: str = "", limit: int = MOST
) -> QuerySet[Establishment]:
    """The first `limit` establishments in name order, whose name or town holds every word of `text`.

    Forgives accents, case, hyphens and apostrophes; a FINESS number finds its one establishment. Empty
    filters take all.
    """
    found = Establishment.objects.visible_to(actor)
    if department:
        found = found.filter(department=department)
    if kind:
        found = found.filter(kind=kind)
    number = text.replace(" ", "").upper()
    if FINESS.fullmatch(number):
        return found.filter(finess=number)[:limit]
    found = found.alias(folded=Fold("name"), town=Fold("city"))
    for word in text.split():
        folded = Fold(Value(word))
        found = found.filter(Q(folded__contains=folded) | Q(town__contains=folded))
    return found.order_by("name", "id")[:limit]
