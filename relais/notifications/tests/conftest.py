from relais.notifications.tests.types import note

__all__ = ["note"]
