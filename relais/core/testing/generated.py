"""pytest plugin: generated examples take the time they take, on a machine that does other things."""

from hypothesis import HealthCheck, settings

settings.register_profile("relais", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("relais")
