"""Inclusion from a file of 1,000 lines: one JSON object of seconds. Runs in a process of its own; nothing is kept.

*Preview*: each line read, checked, compared with everybody who is known. *Included*: the same, and all that is written.
"""

import csv
import io
import json
import os
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from typing import TypeVar

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.settings")
django.setup()

from django.db import transaction  # noqa: E402 (Django is set up above)
from django.utils import timezone  # noqa: E402

from bench.prepare import busiest_cell  # noqa: E402
from relais.accounts.models import Membership  # noqa: E402
from relais.accounts.testing import actor_for  # noqa: E402
from relais.questionnaires.queries import current  # noqa: E402
from relais.telemonitoring import bulk as reading  # noqa: E402
from relais.telemonitoring.actions import bulk  # noqa: E402
from relais.telemonitoring.queries.bulk import plan  # noqa: E402

LINES = 1000
T = TypeVar("T")


def main() -> None:
    cell = busiest_cell()
    members = cell.members.filter(establishment=cell.establishment, until=None).values("user_id")
    member = Membership.objects.filter(establishment=cell.establishment, user__in=members, ended_at=None)[0]
    actor, data, form = actor_for(member), file().encode(), current(bulk.FORM).form
    lines, preview = timed(lambda: plan(actor, reading.read(data), form, propose=True))
    choices = {one.number: bulk.ANOTHER for one in lines if one.state == "choose"}
    with transaction.atomic():
        first, included = timed(lambda: bulk.enrol_many(actor=actor, cell_id=cell.pk, data=data, choices=choices))
        again, twice = timed(lambda: bulk.enrol_many(actor=actor, cell_id=cell.pk, data=data, choices=choices))
        transaction.set_rollback(True)
    told = {
        "file of 1,000 lines, preview, s": round(preview, 1),
        "file of 1,000 lines, included, s": round(included, 1),
        "file of 1,000 lines, sent again, s": round(twice, 1),
        "people included": first.made,
        "people included by the same file again": again.made,
    }
    json.dump(told, sys.stdout)


def timed(work: Callable[[], T]) -> tuple[T, float]:
    begun = time.perf_counter()
    done = work()
    return done, time.perf_counter() - begun


def file() -> str:
    """People whom nobody knows: invented names, a birth date each."""
    out, onset = io.StringIO(), timezone.localdate() - timedelta(days=2)
    rows = [
        {
            "nom_naissance": f"Banc{letters(number)}", "prenoms": f"Essai{letters(number * 7 + 3)}",
            "date_naissance": (date(1940, 1, 1) + timedelta(days=17 * number)).strftime("%d/%m/%Y"), "sexe": "M",
            "email": f"banc{number}@exemple.test", "telephone": f"06 39 98 {number // 100:02d} {number % 100:02d}",
            "statut": "confirme", "test": "RT-PCR", "resultat": "positif", "symptomes": "oui",
            "j0": onset.strftime("%d/%m/%Y"), "facteurs": "diabete", "oxymetre": "oui", "thermometre": "oui", "seul": "non",
            "isolement": "oui", "autonomie": "oui", "consignes_remises": "oui", "information_donnee": "oui",
            "recueillie_aupres": "patient",
        }
        for number in range(LINES)
    ]  # fmt: skip
    writer = csv.DictWriter(out, list(rows[0]), delimiter=";")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def letters(number: int) -> str:
    """Three letters for a number."""
    return "".join(chr(97 + number // 26**place % 26) for place in range(3))


if __name__ == "__main__":
    main()
