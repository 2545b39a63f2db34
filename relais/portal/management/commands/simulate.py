"""A day of telemonitoring at a chosen speed, against the site that runs: answers, deteriorations, misses, calls."""

import http.client
import random
import re
import ssl
import time
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID, uuid4

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import get_random_string

from relais.patients import entry
from relais.patients.actions import remember_device
from relais.portal.management.commands.demo_region import real
from relais.telemonitoring.demo.day import FIRST, LAST, Turn, plan

PERSONA = "doctor"  # who takes and calls, signed in through the demo page
LOOPBACK = ("localhost", "127.0.0.1", "::1")
AGENT = "Relais simulate"
CALLS_AN_HOUR, REACHED = 6, 0.72
TAKE = re.compile(r"/suivi/([0-9a-f-]{36})/alerte/take/")
HIDDEN = re.compile(r'name="(request_key|shown)" value="([^"]*)"')
SAID = {"q-ap.etat": "bon", "q-ap.niveau": "requalifie-vert", "q-ap.orientation": "conseils"}


class Browser:
    """One person on the site, over HTTP alone."""

    def __init__(self, url: str, cookies: dict[str, str]) -> None:
        parts = urlsplit(url)
        secret = get_random_string(32)
        self.cookies = {settings.CSRF_COOKIE_NAME: secret, settings.PATIENT_CSRF_COOKIE_NAME: secret, **cookies}
        self.origin, self.sent_to = url, ""
        if parts.scheme == "https":  # on this machine, with a certificate that it signed itself
            context = ssl._create_unverified_context()  # noqa: S323
            self.line: Any = http.client.HTTPSConnection(str(parts.hostname), parts.port, timeout=60, context=context)
        else:
            self.line = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=60)

    def ask(self, path: str, data: dict[str, str] | None = None) -> tuple[int, str]:
        """(status, page). A redirection is not followed: `sent_to` says where."""
        headers = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "X-CSRFToken": self.cookies[settings.CSRF_COOKIE_NAME],
            "Origin": self.origin,
            "User-Agent": AGENT,
        }
        if data is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            self.line.request("GET" if data is None else "POST", path, data and urlencode(data), headers)
            answer = self.line.getresponse()
            page = answer.read().decode()
        finally:
            self.line.close()
        for line in answer.msg.get_all("Set-Cookie") or []:
            self.cookies |= {name: one.value for name, one in SimpleCookie(line).items() if one.value}
        self.sent_to = answer.msg.get("Location", "")
        return answer.status, page


@dataclass
class Count:
    """What happened in one hour."""

    answers: int = 0
    refused: int = 0
    worse: int = 0
    missed: int = 0
    calls: int = 0
    reached: int = 0

    def __str__(self) -> str:
        return (
            f"{self.answers} answers ({self.worse} getting worse, {self.refused} refused), {self.missed} missed, "
            f"{self.calls} calls ({self.reached} reached)"
        )


class Command(BaseCommand):
    help = "Play a day of the people followed against the site that runs here; synthetic data alone."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument(
            "--speed", type=float, default=60.0, help="simulated seconds in a second (60: an hour a minute)"
        )
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--patients", type=int, default=300, help="how many take part")
        parser.add_argument("--url", default="", help="the site; default: the one of PORT on this machine")
        parser.add_argument("--hours", type=int, default=LAST - FIRST, help="how many hours of the day")

    def handle(self, *args: Any, **options: Any) -> None:
        self.url = (
            options["url"] or f"http{'s' if settings.ENV['HTTPS'] else ''}://localhost:{settings.ENV['PORT']}"
        ).rstrip("/")
        if not settings.DEMO or settings.PRODUCTION or real():
            raise CommandError("This database may hold real people: nothing is simulated on it.")
        if urlsplit(self.url).hostname not in LOOPBACK:
            raise CommandError("A day is simulated on the site of this machine alone: nothing was sent.")
        if options["speed"] <= 0:
            raise CommandError("The speed is a number above 0.")
        self.rng = random.Random(options["seed"])  # noqa: S311 (a day to be played again, not a secret)
        turns = plan(self.rng, options["patients"])
        if not turns:
            raise CommandError("Nobody is followed today: build the demo region first (make demo-region).")
        try:
            self._play(turns, options["speed"], FIRST + options["hours"])
        except OSError:
            raise CommandError(f"The site at {self.url} answers no more.") from None

    def _play(self, turns: list[Turn], speed: float, until: int) -> None:
        member = self._member()
        self.stdout.write(
            f"{len({one.follow_up for one in turns})} people, an hour in {3600 / speed:.0f} s, on {self.url}"
        )
        begun = time.monotonic()
        for hour in range(FIRST, until):
            count = Count()
            for turn in [one for one in turns if hour <= one.hour < hour + 1]:
                self._wait(begun + (turn.hour - FIRST) * 3600 / speed)
                self._turn(turn, count)
            for _number in range(CALLS_AN_HOUR):
                if not self._call(member, count):
                    break
            self._wait(begun + (hour + 1 - FIRST) * 3600 / speed)
            late = time.monotonic() - begun - (hour + 1 - FIRST) * 3600 / speed
            behind = f", {late:.0f} s behind" if late > 1 else ""
            self.stdout.write(f"{hour:02d}:00  {count}{behind}")

    def _wait(self, moment: float) -> None:
        time.sleep(max(0.0, moment - time.monotonic()))

    def _member(self) -> Browser:
        """The persona, signed in. Raises CommandError when no site of this database answers."""
        browser = Browser(self.url, {})
        try:
            status, _page = browser.ask(reverse("portal:demo_open", args=[PERSONA]), {})
        except OSError:
            raise CommandError(f"No site answers at {self.url}: start it first (make run).") from None
        if status != 302 or settings.SESSION_COOKIE_NAME not in browser.cookies:
            raise CommandError(f"The site at {self.url} has no demo page: nothing was sent.")
        return browser

    def _turn(self, turn: Turn, count: Count) -> None:
        if turn.answers is None:
            count.missed += 1
            return
        token = entry.new_token()
        remember_device(grant=turn.grant, token=token, factors=2, user_agent=AGENT)
        browser = Browser(self.url, {settings.PATIENT_COOKIE_NAME: token})
        given = {**turn.answers, "request_key": str(uuid4())}
        status, _page = browser.ask(reverse("follow_up_space:answer"), given)
        kept = status == 302 and browser.sent_to == reverse("follow_up_space:instruction")
        count.answers += kept
        count.refused += not kept
        count.worse += turn.worse

    def _call(self, member: Browser, count: Count) -> bool:
        """Take the most urgent alert that nobody has, call, note how it went; False when there is none."""
        _status, page = member.ask(reverse("telemonitoring:cells") + "?voir=libres")
        found = TAKE.search(page)
        if not found:
            return False
        pk = UUID(found[1])
        for verb in ("take", "call"):
            member.ask(reverse("telemonitoring:alert", args=[pk, verb]), {})
        address = reverse("telemonitoring:call", args=[pk])
        _status, page = member.ask(address)
        reached = self.rng.random() < REACHED
        said = {"q-ap.issue": "joint", **SAID} if reached else {"q-ap.issue": "repondeur"}
        said["q-ap.appele"] = "patient"
        at = timezone.localtime().strftime("%H:%M")
        for _try in range(2):  # without scripts, what was reached comes with more questions: the page asks once more
            status, page = member.ask(address, {**dict(HIDDEN.findall(page)), **said, "q-ap.heure": at})
            if status == 302:
                break
        if reached and status == 302:
            member.ask(reverse("telemonitoring:alert", args=[pk, "finish"]), {})
        count.calls += status == 302
        count.reached += reached and status == 302
        return True
