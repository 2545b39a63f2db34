"""Fixtures of the tests of liaison."""

import pytest
from django.utils import timezone


@pytest.fixture
def clock(monkeypatch):
    """What time it is, once somebody said so."""
    moments = [timezone.now()]
    monkeypatch.setattr(timezone, "now", lambda: moments[0])
    return moments
