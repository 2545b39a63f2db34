"""Who answers for a service of the directory: its pool, and who is on duty when."""

from typing import TYPE_CHECKING

from django.contrib.postgres.expressions import ArraySubquery
from django.db import models
from django.db.models import BooleanField, Exists, F, Func, OuterRef, Q

from relais.accounts.models import Membership, Role, User
from relais.core.models import Base
from relais.directory.models import Establishment, Service

if TYPE_CHECKING:
    from relais.core.actor import Actor

POOL_ROLES = (Role.PRACTITIONER, Role.CAREGIVER)  # who answers for a service


class PoolMemberQuerySet(models.QuerySet["PoolMember"]):
    def at_work(self) -> "PoolMemberQuerySet":
        """Who can still answer: not those who left the establishment in whose name they joined, or changed their role."""
        live = Membership.objects.filter(
            user_id=OuterRef("user_id"), establishment_id=OuterRef("establishment_id"), ended_at=None,
            user__is_active=True, establishment__active=True, role__in=POOL_ROLES,
        )  # fmt: skip
        return self.filter(Exists(live), until=None)

    def of(self, actor: "Actor") -> "PoolMemberQuerySet":
        """Where the actor answers in the name of the establishment chosen, in a role that may."""
        if not (actor.is_professional and actor.has_role(*POOL_ROLES)):
            return self.none()
        return self.filter(user_id=actor.user_id, establishment_id=actor.establishment_id, until=None)

    def serve(self, field: str) -> Q:
        """Rows whose `field`, a service's id, is one of these members'.

        Written `= ANY(array)`: an index serves it even beside an OR, where `IN (SELECT …)` would read the whole table.
        """
        ids = ArraySubquery(self.order_by().values("service_id"))
        return Q(Func(F(field), ids, template="%(expressions)s)", arg_joiner=" = ANY(", output_field=BooleanField()))


class PoolMember(Base):
    """A professional who answers for a service as a member of an establishment, its own or another."""

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="pool")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    establishment = models.ForeignKey(Establishment, on_delete=models.PROTECT, related_name="+")
    until = models.DateTimeField(null=True)

    objects = PoolMemberQuerySet.as_manager()

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["service", "user"], condition=Q(until=None), name="pool_member_once"),
        ]
        indexes = [models.Index(fields=["user", "establishment"], condition=Q(until=None), name="pool_member_live")]
