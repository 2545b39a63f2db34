"""Tests of one group meet in one process (ADR 0007): calls film one at a time, one site behind nginx is made once."""

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadGroupScheduling  # type: ignore[import-untyped]

MARK = re.compile(r'xdist_group\("(\w+)"\)')


class Grouped(LoadGroupScheduling):
    """As xdist's own, which since pytest 9.2 no longer learns the mark from a test's id: it is read in the file."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.split("::")[0]
        return group_of(str(self.config.rootpath / path)) or nodeid


@lru_cache
def group_of(path: str) -> str:
    """The group that a file of tests is marked with as a whole, "" for none."""
    found = MARK.search(Path(path).read_text(encoding="utf-8"))
    return found[1] if found else ""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    return Grouped(config, log) if config.getvalue("dist") == "loadgroup" else None
