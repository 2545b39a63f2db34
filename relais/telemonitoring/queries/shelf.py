"""What a telephone keeps for the days without network: the card of a follow-up (its pages: core.shelf)."""

import json
from datetime import timedelta
from typing import Any

from django.utils import timezone

from relais.core import sealing
from relais.patients.models import Grant
from relais.questionnaires import queries as questionnaires
from relais.telemonitoring.actions import offline, rules
from relais.telemonitoring.actions.answers import context_of, facts_of
from relais.telemonitoring.history import FACTS
from relais.telemonitoring.models import FollowUp
from relais.telemonitoring.programme import form_for, population
from relais.telemonitoring.workflow import State

AHEAD = 8  # days without network for which a telephone knows its form and its facts


def card(follow_up: FollowUp, grant: Grant, who: dict[str, str]) -> str:
    """JSON that lets a telephone ask, judge and close answers by itself for AHEAD days; with `over`, it forgets all.

    {grant, name, now, until, over, server: {id, point}, who: {relation, reason}, days: [{date, form, version, population,
    context, token, facts}], rules: {population: pocket.red_rules}}. `name`: a telephone may serve several people; `now`: its
    own clock may be wrong.
    """
    given: dict[str, Any] = {
        "grant": str(grant.pk),
        "name": follow_up.dossier.patient.given_name,
        "now": timezone.now().isoformat(),
        "until": grant.valid_until.isoformat(),
        "over": follow_up.state == State.CLOSED,
        "server": sealing.public(),
        "who": who,
        "days": [],
        "rules": {},
    }
    if not given["over"] and given["server"]:
        given["days"] = _days(follow_up)
        groups = {day["population"] for day in given["days"]}
        given["rules"] = {group: rules.on_device(follow_up.cell.rules_id, group) for group in sorted(groups)}
    return json.dumps(given, ensure_ascii=False, separators=(",", ":"))


def _days(follow_up: FollowUp) -> list[dict[str, Any]]:
    now, born = timezone.now(), follow_up.dossier.patient.birth_date
    contact = follow_up.status == "contact"
    versions: dict[str, str] = {}
    found = []
    for ahead in range(AHEAD):
        at = now + timedelta(days=ahead)
        on = timezone.localdate(at)
        name = form_for(contact=contact, born=born, on=on)
        if name not in versions:
            versions[name] = questionnaires.current(name).version
        facts = {name: value for name, value in facts_of(follow_up, at).items() if name in FACTS}
        found.append(
            {
                "date": on.isoformat(),
                "form": name,
                "version": versions[name],
                "population": population(contact=contact, born=born, on=on),
                "context": context_of(follow_up, on),
                "token": offline.context_token(follow_up, on),
                "facts": facts,
            }
        )
    return found
