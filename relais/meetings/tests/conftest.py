"""A nursing home, a SAMU, a hospital with an on-call, and somebody of nowhere."""

import pytest

from relais.meetings.testing import Scene, make_scene


@pytest.fixture
def scene(db: None) -> Scene:
    return make_scene()
