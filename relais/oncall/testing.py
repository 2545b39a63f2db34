"""Scenes of pools for tests."""

from relais.accounts.models import Membership
from relais.directory.models import Service
from relais.oncall.models import PoolMember


def join(service: Service, member: Membership) -> PoolMember:
    """This member answers for the service."""
    return PoolMember.objects.create(service=service, user=member.user, establishment=member.establishment)
