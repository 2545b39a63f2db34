"""`python -m bench [--part abcdefgr] [--rebuild]`: builds the region and a tenth of it, measures, prints, writes JSON."""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from typing import Any

from bench import calls, followups, live, memory, pages, ringing, rooms, servers, starts

PARTS = {
    "a": pages.run,
    "b": live.run,
    "c": calls.run,
    "d": starts.run,
    "e": memory.run,
    "f": followups.run,
    "g": ringing.run,
    "r": rooms.run,
}
DATA = {
    "a": servers.SIZES,
    "b": servers.SIZES,
    "c": servers.SIZES,
    "e": servers.SIZES,
    "f": (followups.SIZE,),
    "g": servers.SIZES[-1:],
    "r": servers.SIZES[:1],
}
COLUMNS = ["page", "p50", "p95", "p50 tenth", "p95 tenth", "ratio", "growth", "queries region", "rows region", "rows tenth", "met"]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--part", default="abcdefgr", help="letters among abcdefgr (docs/bench.md)")
    parser.add_argument("--rebuild", action="store_true", help="build both databases again")
    options = parser.parse_args()
    if unknown := set(options.part) - set(PARTS):
        sys.exit(f"Bench: no part {', '.join(sorted(unknown))}: choose among {', '.join(PARTS)}.")
    report: dict[str, Any] = {"at": time.strftime("%Y-%m-%d %H:%M"), "machine": machine(), "memory": {}}
    with servers.database():
        needed = dict.fromkeys(size for part in sorted(options.part) for size in DATA.get(part, ()))
        report["data"] = {size: servers.prepare(size, rebuild=options.rebuild) for size in needed}
        for part in sorted(options.part):
            print(f"Part {part} …", flush=True)
            report[f"load before {part}"] = os.getloadavg()[0]
            PARTS[part](report)
    show(report)
    path = servers.ROOT / "bench" / "results" / f"{time.strftime('%Y-%m-%d-%H%M')}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(report, indent=1, ensure_ascii=False))
    print(f"Written to {path.relative_to(servers.ROOT)}")


def machine() -> dict[str, Any]:
    """What figures depend on."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=servers.ROOT, capture_output=True, text=True)  # noqa: PLW1510 (none outside git)
    return {
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "commit": commit.stdout.strip(),
        "load": os.getloadavg(),
    }


def show(report: dict[str, Any]) -> None:
    """The tables, with the verdict of each aim."""
    if "pages" in report:
        widths = [max(len(name), *(len(_text(line.get(name))) for line in report["pages"])) for name in COLUMNS]
        for cells in (COLUMNS, *([_text(line.get(name)) for name in COLUMNS] for line in report["pages"])):
            print("  ".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True)))
        print("aims:", "; ".join(f"{line['page']} {line['aim']}" for line in report["pages"] if "aim" in line))
    for name in ("live", "call", "start", "follow-ups", "ringing", "room", "memory"):
        if report.get(name):
            print(f"{name}:")
            for key, value in report[name].items():
                print(f"  {key}: {_text(value)}")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "met" if value else "MISSED"
    return "" if value is None else str(value)


if __name__ == "__main__":
    main()
