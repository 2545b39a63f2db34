"""`make simulate`: a day of the people followed, over HTTP, against the site of this machine and synthetic data alone."""

import random
import re
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from relais.accounts import demo as accounts
from relais.accounts.testing import make_establishment
from relais.core.demo import Region
from relais.directory import demo as directory
from relais.patients import demo as patients
from relais.patients.models import Grant
from relais.portal.management.commands import simulate as command
from relais.telemonitoring import demo as telemonitoring
from relais.telemonitoring.demo import day
from relais.telemonitoring.models import Call, Judgement


def simulate(url: str, **options: Any) -> str:
    out = StringIO()
    call_command("simulate", url=url, stdout=out, **options)
    return out.getvalue()


@pytest.mark.django_db(transaction=True)
def test_a_simulated_day_answers_and_calls_on_the_running_site(
    live_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    region, rng = Region(size="small", now=timezone.now()), random.Random(3)
    for part in (directory, accounts, patients):
        part.build(region, random.Random(rng.getrandbits(64)))
    telemonitoring.build(region, rng)
    before = Judgement.objects.count(), Call.objects.count()
    said = simulate(live_server.url, speed=1e7, patients=10)
    lines = said.splitlines()
    assert [line[:5] for line in lines[1:]] == [f"{hour:02d}:00" for hour in range(7, 22)]
    assert " 0 refused" in said
    assert not any("refused" in line and " 0 refused" not in line for line in lines), said
    assert Judgement.objects.count() > before[0] + 3
    assert Call.objects.count() > before[1]
    turns = [one for one in day.plan(random.Random(1), 3) if one.answers]
    Grant.objects.update(revoked_at=timezone.now())
    monkeypatch.setattr(command, "plan", lambda *_drawn: turns)
    said = simulate(live_server.url, speed=1e7)
    assert sum(int(found) for found in re.findall(r"(\d+) refused", said)) == len(turns) > 0, "sent to the door"


@pytest.mark.django_db
def test_nothing_is_simulated_where_somebody_is_real_or_the_site_is_elsewhere() -> None:
    with pytest.raises(CommandError, match="of this machine alone"):
        simulate("https://relais.example")
    with pytest.raises(CommandError, match="Nobody is followed"):
        simulate("http://localhost:9")
    make_establishment(synthetic=False)
    with pytest.raises(CommandError, match="real people"):
        simulate("http://localhost:9")
