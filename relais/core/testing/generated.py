"""pytest plugin: generated examples take the time they take, and are the same at each run (HYPOTHESIS=explore: others)."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "relais",
    deadline=None,
    derandomize=os.environ.get("HYPOTHESIS") != "explore",
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("relais")
