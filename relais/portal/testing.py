"""The demonstration region, for tests that only look at it."""

import pytest
from django.core.management import call_command


@pytest.fixture(scope="module")
def region(kept_for_module: None) -> None:
    """The small region of now, built once for a module."""
    call_command("demo_region", size="small", seed=1, verbosity=0)
