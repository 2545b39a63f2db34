"""The rule laboratory's replay of the last 14 days: one JSON object of seconds. Runs in a process of its own."""

import json
import os
import sys
import time
from datetime import timedelta

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.settings")
django.setup()

from django.utils import timezone  # noqa: E402 (Django is set up above)

from relais.telemonitoring import replay  # noqa: E402
from relais.telemonitoring.actions import rules  # noqa: E402
from relais.telemonitoring.models import RuleSet  # noqa: E402

DAYS = 14


def main() -> None:
    source = RuleSet.objects.get(name="ecovid", version="1.0.0").source
    rules.read(source)  # forms are read once a process, as on the site
    now = timezone.now()
    begun = time.perf_counter()
    sets = rules.read(source)
    rows = replay.read(sets, since=now - timedelta(days=DAYS), until=now)
    replay.judge(replay.prepare(rows, sets), sets)
    once = time.perf_counter() - begun
    begun = time.perf_counter()
    compared = replay.run(before=source, after=source, until=now, days=DAYS)
    told = {
        "replay, one rule set, s": round(once, 1),
        "replay, two compared, s": round(time.perf_counter() - begun, 1),
        "replayed answers": compared.answers,
        "replayed patients": compared.patients,
    }
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main()
