"""The pure decisions of the call's scripts, in node."""

import shutil
import subprocess
from pathlib import Path

import pytest


def test_quality_decides_as_its_own_tests_say() -> None:
    node = shutil.which("node")
    if not node:
        pytest.skip("node is not on the path (make test brings it)")
    tests = Path(__file__).parent / "quality.test.js"
    done = subprocess.run([node, "--test", str(tests)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout
