"""(e) Memory of the web server and of the worker, idle; (a) and (b) add what they see under load."""

import time
from typing import Any

from bench import servers

IDLE = 10.0  # seconds


def run(report: dict[str, Any]) -> None:
    """Fill `report["memory"]` with resident MB of each process when nothing is asked of it."""
    size = servers.SIZES[-1]
    with servers.running(size) as web, servers.running(size, "worker") as worker:
        time.sleep(IDLE)
        report["memory"][f"web, {size}, idle"] = web.rss()
        report["memory"][f"worker, {size}, idle"] = worker.rss()
