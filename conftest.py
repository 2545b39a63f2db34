"""Fixtures of every test: the database, the strict harness, real servers for messages, a real browser."""

pytest_plugins = [
    "relais.core.testing.browser",
    "relais.core.testing.database",
    "relais.core.testing.folders",
    "relais.core.testing.generated",
    "relais.core.testing.groups",
    "relais.core.testing.strict",
    "relais.notifications.testing",
]
