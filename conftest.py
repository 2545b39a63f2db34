"""Fixtures of every test: the database, the strict harness, real servers for messages, a real browser."""

import gc

pytest_plugins = [
    "relais.core.testing.browser",
    "relais.core.testing.database",
    "relais.core.testing.folders",
    "relais.core.testing.generated",
    "relais.core.testing.groups",
    "relais.core.testing.strict",
    "relais.notifications.testing",
    "relais.portal.testing",
]


def pytest_collection_finish() -> None:
    """What is loaded by now lives until the end: the collector need not walk it again and again (a tenth of the time)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
