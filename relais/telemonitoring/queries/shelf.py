"""What a telephone keeps for the days without network: the files of its pages, and the card of a follow-up."""

import json
import posixpath
import re
from datetime import timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles import finders
from django.templatetags.static import static
from django.utils import timezone

from relais.patients.models import Grant
from relais.questionnaires import queries as questionnaires
from relais.telemonitoring import sealing
from relais.telemonitoring.actions import offline, rules
from relais.telemonitoring.actions.answers import context_of, facts_of
from relais.telemonitoring.history import FACTS
from relais.telemonitoring.models import FollowUp
from relais.telemonitoring.programme import form_for, population
from relais.telemonitoring.workflow import State

AHEAD = 8  # days without network for which a telephone knows its form and its facts
IN_PAGE = re.compile(r'(?:src|href)="([^"]+)"')
IN_SCRIPT = re.compile(r'(?:\bfrom|\bimport)\s*\(?\s*"(\.[^"]+)"')
IN_STYLE = re.compile(r'url\("?([^")]+)"?\)')


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


def files_of(page: str) -> list[str]:
    """The addresses of the static files that a page needs, with what those need in turn."""
    prefix = settings.STATIC_URL
    waiting = [url[len(prefix) :] for url in IN_PAGE.findall(page) if url.startswith(prefix)]
    found: dict[str, None] = {}
    while waiting:
        name = waiting.pop(0)
        if name not in found:
            found[name] = None
            waiting += _needed(name)
    return [prefix + name for name in found]


def url_of(name: str) -> str:
    return static(name)


@cache
def _needed(name: str) -> tuple[str, ...]:
    """Scripts that a script imports, fonts and pictures that a style names."""
    pattern = {".js": IN_SCRIPT, ".css": IN_STYLE}.get(Path(name).suffix)
    if pattern is None:
        return ()
    urls = [url for url in pattern.findall(_path(name).read_text()) if not url.startswith("data:")]
    return tuple(posixpath.normpath(posixpath.join(posixpath.dirname(name), url)) for url in urls)


@cache
def digest(url: str) -> str:
    """Of a file's content: names do not change with it on a demo."""
    return sha256(_path(url[len(settings.STATIC_URL) :]).read_bytes()).hexdigest()[:16]


def _path(name: str) -> Path:
    found = settings.STATIC_ROOT / name if settings.STATIC_ROOT else finders.find(name)
    return Path(str(found))
