"""Scenes of the directory for tests."""

import itertools
from datetime import time
from typing import Any

from relais.directory.models import Establishment, Need, Service, Way

_numbers = itertools.count(1)


def make_service(establishment: Establishment, **fields: Any) -> Service:
    """A geriatric on-call by day, for the establishment's department."""
    given = {
        "name": f"Astreinte {next(_numbers)}",
        "need": Need.GERIATRIC,
        "departments": [establishment.department],
        "opens": time(8),
        "closes": time(19),
        "phone": "01 99 00 12 34",
        "ways": [Way.PHONE],
    }
    return Service.objects.create(establishment=establishment, **{**given, **fields})
