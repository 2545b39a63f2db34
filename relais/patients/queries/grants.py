"""Ways in as professionals see them: who holds them, on which devices, with how many factors."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Min, Prefetch

from relais.patients.models import Grant, GrantDevice, Holder


def ways_in(about: UUID) -> list[Grant]:
    """The ways in to `about` that are not revoked, the newest first, each with `devices_in`: the browsers let in.

    The caller has checked that the actor may see `about`. Two queries.
    """
    devices = GrantDevice.objects.filter(revoked_at=None).order_by("created_at", "id")
    grants = Grant.objects.filter(about=about, revoked_at=None).select_related("patient")
    return list(
        grants.prefetch_related(Prefetch("devices", queryset=devices, to_attr="devices_in")).order_by(
            "-created_at", "id"
        )
    )


def factors_of(abouts: Iterable[UUID]) -> dict[UUID, int]:
    """How the patient was identified: for each `about` with a browser let in, the fewest factors shown (1: password alone).

    Guests do not count: they are *non authentifié* whatever they showed. One query.
    """
    devices = GrantDevice.objects.filter(grant__about__in=list(abouts), revoked_at=None, grant__revoked_at=None)
    rows = devices.exclude(grant__holder=Holder.GUEST).order_by().values_list("grant__about").annotate(Min("factors"))
    return dict(rows)
