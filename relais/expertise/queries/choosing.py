"""The services that can be asked, as the requester looks for one."""

from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet

from relais.core.actor import Actor
from relais.directory.models import Service, Way
from relais.directory.queries import find_services
from relais.oncall.models import PoolMember

MOST = 20


def services(
    actor: Actor,
    text: str = "",
    *,
    department: str = "",
    only_open: bool = False,
    now: datetime,
    way: str = Way.EXPERTISE,
) -> QuerySet[Service]:
    """The first that answer in this way and have somebody to answer: those open now, the nearest first."""
    found = find_services(actor, text, department=department, now=now, only_open=only_open)
    somebody = PoolMember.objects.at_work().filter(service=OuterRef("pk"))
    return found.filter(Exists(somebody), active=True, ways__contains=[way]).order_by("rank", "id")[:MOST]  # type: ignore[misc]  # an annotation of theirs
