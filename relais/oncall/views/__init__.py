"""Pages of the rotas."""

from typing import Any
from uuid import UUID

from relais.core.errors import NotFound
from relais.directory.models import Service
from relais.oncall import permissions as may


def rota_of(request: Any, service_id: UUID) -> Service:
    """The service whose rota this actor reads. NotFound for everybody else's."""
    found = Service.objects.select_related("establishment").filter(pk=service_id).first()
    if found is None or not may.can_read(request.actor, found):
        raise NotFound
    return found


def kept_by(request: Any, service_id: UUID) -> Service:
    """The service whose rota this actor keeps. NotFound for everybody else's."""
    found = rota_of(request, service_id)
    if not may.can_manage(request.actor, found):
        raise NotFound
    return found
