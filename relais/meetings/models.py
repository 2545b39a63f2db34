"""Permanent rooms of nursing homes, on-calls and SAMU, and meetings of professionals: no patient in either."""

from typing import cast

from django.db import models
from django.db.models import Q

from relais.core.models import Base
from relais.directory.models import Establishment, Kind, Need, Service

# Who has a permanent room (VR-01): establishments by kind, services by need.
KINDS = (Kind.EHPAD, Kind.ESMS, Kind.SAMU)
NEEDS = (Need.GERIATRIC, Need.NIGHT, Need.MOBILE)


class Place(Base):
    """The permanent room of an establishment or of a service, made when somebody first enters."""

    establishment = models.OneToOneField(Establishment, on_delete=models.PROTECT, null=True, related_name="place")
    service = models.OneToOneField(Service, on_delete=models.PROTECT, null=True, related_name="place")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(establishment__isnull=True, service__isnull=False)
                | Q(establishment__isnull=False, service__isnull=True),
                name="place_has_one_owner",
            )
        ]

    @property
    def owner(self) -> Establishment | Service:
        return self.service or cast(Establishment, self.establishment)

    @property
    def holder(self) -> Establishment:
        """The establishment whose room it is, itself or through its service."""
        return self.service.establishment if self.service else cast(Establishment, self.establishment)


class Sitting(Base):
    """One conversation in a permanent room: its rooms.Room is `about` this row, so that none goes on in the next."""

    place = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="sittings")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["place"], condition=Q(ended_at=None), name="sitting_one_open_a_place")
        ]


def has_room(owner: Establishment | Service) -> bool:
    """Whether this establishment or service is one of those that have a permanent room (VR-01)."""
    if isinstance(owner, Service):
        return owner.active and owner.establishment.active and owner.need in NEEDS
    return owner.active and owner.kind in KINDS
