"""Every address × every role × GET and POST: closed by default, nothing leaks, nothing fails, nothing is half-written.

What is public stands in one table here, and nowhere else.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import quote

import pytest
from allauth.account.auth_backends import AuthenticationBackend
from django.apps import apps
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection, transaction
from django.http import HttpResponse, HttpResponseNotFound
from django.test import Client
from django.utils import timezone

from relais.accounts.queries import ACTIVE_AT, SIGNED_IN_AT
from relais.patients.models import GrantDevice
from tests.scene import (
    EVERYTHING,
    FORBIDDEN,
    OUTSIDERS,
    PATIENT,
    PATIENTS,
    PROFESSIONALS,
    QUESTION,
    ROLES,
    Address,
    Scene,
    addresses,
    make_scene,
)

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("sweep")]  # what one test has asked, the next one knows

# The only pages that somebody without a session or a key may see, and why.
PUBLIC = {
    "health": "monitoring: states and delays, nothing else",
    "account_login": "the sign-in",
    "account_inactive": "what a closed account is told",
    "mfa_authenticate": "the second factor, between password and session",
    "mfa_login_webauthn": "signing in with a passkey",
    "accounts:code": "the second factor by e-mail or SMS",
    "accounts:cancel": "giving up the sign-in",
    "accounts:ask_password": "a new password: one neutral answer",
    "accounts:password_asked": "that answer",
    "accounts:choose_password": "the link of that message",
    "accounts:session": "whether this browser is still signed in",
    "meeting_guest:door": "the link of a meeting: a name, the same for every id",
    "notifications:receipt": "receipts of the SMS gateway, signed",
    "patient:start": "where a patient types their link",
    "patient:entry": "a patient's link: login and password",
    "patient:code": "the one-time code of a new device",
    "patient:leave": "forgetting this device",
    "patient:lost": "a lost link: one neutral answer",
    "patient:sent": "that answer",
    "portal:home": "what Relais is",
    "portal:welcome": "what Relais is",
    "portal:accessibility": "the law",
    "follow_up_space:worker": "a script, the same for everybody",
    "follow_up_space:shell": "what opens without network, the same for everybody",
    "follow_up_space:form": "the questions of a daily form, the same for everybody",
    "follow_up_space:state": "whether this browser is let in",
    "liaison:worker": "a script, the same for everybody",
    "liaison:shell": "what opens without network, the same for everybody",
    "liaison:state": "who is signed in on this browser",
    "portal:legal": "the law",
    "portal:help": "numbers and a form",
    "portal:patient_help": "numbers and a form",
    "portal:follow": "a request by its number and its contact",
    "portal:guides": "guides",
    "portal:guide": "guides",
    "portal:demo": "the embedded demonstration, where everybody is invented",
    "portal:demo_key": "the embedded demonstration",
    "portal:demo_messages": "the embedded demonstration",
    "portal:demo_patient": "the embedded demonstration",
    "portal:demo_open": "the embedded demonstration",
    "kit": "the embedded demonstration: every component on one page, for developers",
    "questionnaires:kit": "the embedded demonstration: every questionnaire, for developers; nothing is kept",
}
# Not served by these pages' handler: a file's body comes through the gate of config/asgi.py (relais/files/tests).
AT_THE_GATE = ("upload:professional", "upload:patient")
# Whose business an object is although they are outsiders to the rest.
SENT_AWAY = tuple(f"rooms:{page}" for page in ("call", "state", "lines", "people", "join", "say", "ask", "leave"))
# Open to every professional of the region: whoever may not enter a permanent room knocks.
DIRECTORY = ("directory:service", "meetings:place", "meetings:enter")
BUSINESS = {
    "help_desk": ("portal:ticket", "portal:close", "portal:reopen"),
    # Whoever was in a room and left the establishment is told that they were sent away, and nothing else.
    "ended": SENT_AWAY,
    "moved": (*SENT_AWAY, *DIRECTORY),
    "stranger": DIRECTORY,
}
# Answers that are no 404, but the same for what exists and for what does not (test_what_exists…).
SAME_ANSWER = {
    "rooms:stay": "409: one is in no room with that page",
    "rooms:signal": "409: one is in no room with that page",
    "rooms:publish": "409: one is in no room with that page",
    "rooms:receive": "409: one is in no room with that page",
    "rooms:answer_relay": "409: one is in no room with that page",
    "rooms:answer": "409: nobody asks for a picture",
    "patient_rooms:stay": "409: one is in no room with that page",
    "patient_rooms:signal": "409: one is in no room with that page",
    "patient_rooms:publish": "409: one is in no room with that page",
    "patient_rooms:receive": "409: one is in no room with that page",
    "patient_rooms:answer_relay": "409: one is in no room with that page",
    "patient_rooms:answer": "409: nobody asks for a picture",
    "teleconsultation:add_hours": "back to the agenda: an empty form is refused before its practitioner is looked at",
}
# A link exists for whoever holds it: its first page asks for login and password, and shows nothing of the patient.
LINKS = ("patient:entry", "patient:code")
# Tables that a refused request may still write to: the trace of it, and the count of tries.
TRACES = {
    "audit_entry",
    "django_session",
    "usersessions_usersession",
    "patients_grantdevice",
    "accounts_attempts",
    "patients_trycount",
}
WRITE = re.compile(r'^\s*(?:INSERT INTO|UPDATE|DELETE FROM)\s+"?([a-z_]+)"?', re.IGNORECASE)
SIGN_IN = ("/connexion/", "/connexion/etablissement/", "/p/lien-perdu/")


@pytest.fixture(scope="module")
def scene(kept_for_module: None) -> Scene:
    """Built once: each request is rolled back."""
    return make_scene()


@pytest.fixture(scope="module")
def before(scene: Scene) -> dict[str, str]:
    """What each table holds."""
    return {model._meta.db_table: checksum(model._meta.db_table) for model in apps.get_models()}


# Status and text by role, method and address, of each scene: what one test has asked, the next one need not ask again.
READ: dict[int, dict[tuple[str, str, str], tuple[int, str]]] = {}


class Walk:
    """A role walking through the addresses; what it finds wrong is said together at the end."""

    def __init__(self, scene: Scene, role: str, before: dict[str, str] | None = None) -> None:
        self.role = role
        self.scene = scene
        self.cookies = scene.clients[role].cookies.output(header="", sep=";")
        self.client = Client()
        seen_just_now(scene.clients[role])
        self.wrong: list[str] = []
        self.before = before or {}
        self.read = READ.setdefault(id(scene), {})
        self.written: set[str] = set()

    def has_key(self, address: Address) -> bool:
        return self.role in (PATIENTS if address.patient_side else PROFESSIONALS)

    def note(self, method: str, url: str, status: int, sentence: str) -> None:
        self.wrong.append(f"{method} {url} as {self.role}: {status}, {sentence}")

    def end(self) -> None:
        if self.wrong:
            pytest.fail("\n" + "\n".join(self.wrong), pytrace=False)

    def answer(self, method: str, url: str) -> tuple[int, str] | None:
        """Status and text, of an earlier walk of this role through the same scene when there was one."""
        if (found := self.read.get((self.role, method, url))) is None:
            with self.asked(method, url) as answer:
                found = self.keep(method, url, answer) if answer is not None else None
        return found

    def keep(self, method: str, url: str, answer: Any) -> tuple[int, str]:
        """What `answer` gives back. Every request is rolled back: the next one would say the same."""
        self.read[self.role, method, url] = found = (answer.status_code, text_of(answer))
        return found

    @contextmanager
    def asked(self, method: str, url: str) -> Iterator[HttpResponse | None]:
        """The answer, in a transaction that leaves nothing; None for a view that raised (noted)."""
        self.client.cookies = SimpleCookie(self.cookies)
        self.written = set()
        with transaction.atomic():
            try:
                with connection.execute_wrapper(self.watch):
                    answer = self.client.generic(method, url)
            except Exception as error:  # noqa: BLE001 - whatever a view raises is what we look for
                self.note(method, url, 500, f"{type(error).__name__}: {error}")
                yield None
            else:
                yield answer
            transaction.set_rollback(True)

    def watch(self, execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001
        if found := WRITE.match(str(sql)):
            self.written.add(found.group(1))
        return execute(sql, params, many, context)

    def changed(self) -> list[str]:
        """The tables that hold something else than before, traces aside."""
        return [table for table in sorted(self.written - TRACES) if self.before.get(table) != checksum(table)]


def seen_just_now(client: Client) -> None:
    """Otherwise each request, since it is rolled back, would note anew that the person acts."""
    now = timezone.now()
    if SIGNED_IN_AT in client.session:
        session = client.session
        session[ACTIVE_AT] = now.timestamp() + 60
        session.save()
    GrantDevice.objects.update(last_seen_at=now)


def checksum(table: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM \"{table}\" t")
        return str(cursor.fetchone()[0])


def text_of(answer: Any) -> str:
    """Body and headers; a file's bytes are read, a live stream's are not."""
    headers = "\n".join(f"{name}: {value}" for name, value in answer.items())
    if answer.streaming and answer.is_async:
        return headers
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return headers + "\n" + body.decode(errors="replace")


def bare(text: str, url: str) -> str:
    """A body without what differs each time: its own address, tokens, times, ids."""
    text = text.replace(url, "URL").replace(quote(url, safe=""), "URL")
    text = re.sub(
        r'(csrfmiddlewaretoken" value=|csrf-token" content=|data-live=)"[^"]*"|"X-CSRFToken": ?"[^"]*"', "", text
    )
    return re.sub(r"\d{4}-\d\d-\d\dT[\d:.+Z-]+|[0-9a-f]{8}-[0-9a-f-]{27}", "", text)


@pytest.fixture(autouse=True)
def _not_found_is_not_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Our page of what is not there knows neither address nor object: drawing it took a third of the time."""
    monkeypatch.setattr("django.conf.urls.handler404", lambda request, exception: HttpResponseNotFound("Introuvable"))


@pytest.fixture(autouse=True)
def _session_and_account_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No request of another test changes them, and what a request changes is rolled back: a sixth of the time."""
    session_of, user_of = SessionStore._get_session_from_db, AuthenticationBackend.get_user
    sessions: dict[str, Any] = {}
    users: dict[Any, Any] = {}

    def session(self: SessionStore) -> Any:
        if (key := self.session_key) not in sessions:
            sessions[key] = session_of(self)
        return sessions[key]

    def user(self: AuthenticationBackend, user_id: Any) -> Any:
        if user_id not in users:
            users[user_id] = user_of(self, user_id)
        return copy(users[user_id])

    monkeypatch.setattr(SessionStore, "_get_session_from_db", session)
    monkeypatch.setattr(AuthenticationBackend, "get_user", user)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_address(scene: Scene, before: dict[str, str], role: str, method: str) -> None:
    """Nobody gets an error page of ours or a word that is not for them; who may not gets the door and writes nothing."""
    walk = Walk(scene, role, before)
    for address in addresses(scene.ids, brief=role in OUTSIDERS):
        if address.name in AT_THE_GATE and walk.has_key(address):
            continue
        with walk.asked(method, address.url) as answer:
            if answer is not None:
                look(walk, address, method, answer)
    walk.end()


def look(walk: Walk, address: Address, method: str, answer: Any) -> None:
    status, text = walk.keep(method, address.url, answer)

    def note(sentence: str) -> None:
        walk.note(method, address.url, status, sentence)

    if status >= 500 and address.name != "health":
        note("an error of ours")
    if found := sorted(word for word in FORBIDDEN[walk.role] if word in text):
        note(f"shows {found}")
    public = address.name in PUBLIC
    if not public and not walk.has_key(address):
        if not at_the_door(answer):
            note("no sign-in asked")
    elif walk.role in OUTSIDERS and address.unknown and not public and not turned_away(walk.role, address, answer):
        note("an object that is none of their business")
    if method == "POST" and (status >= 400 or at_the_door(answer)) and (changed := walk.changed()):
        note(f"refused, and yet wrote to {changed}")


def at_the_door(answer: Any) -> bool:
    """Sent to the sign-in, to the lost-link page or to the choice of an establishment; or told 401."""
    return answer.status_code == 401 or (answer.status_code == 302 and answer["Location"].partition("?")[0] in SIGN_IN)


def turned_away(role: str, address: Address, answer: Any) -> bool:
    """404 (405 for a method that nobody may use); those who work nowhere are sent to choose an establishment first."""
    if answer.status_code in (404, 405) or address.name in BUSINESS.get(role, ()):
        return True
    return address.name in SAME_ANSWER or (role in ("ended", "help_desk") and at_the_door(answer))


@pytest.mark.parametrize("role", ["stranger", "other_patient"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_exists_looks_like_what_does_not(scene: Scene, role: str, method: str) -> None:
    """The same status and the same page for an id of the scene and for an id of nothing."""
    walk = Walk(scene, role)
    for address in addresses(scene.ids, brief=True):
        if not address.unknown or address.name in (*LINKS, *BUSINESS.get(role, ())):
            continue
        told = []
        for url in (address.url, address.unknown):
            if answer := walk.answer(method, url):
                told.append((answer[0], bare(answer[1], url)))
        if len(told) == 2 and told[0] != told[1]:
            page = "" if told[0][0] != told[1][0] else ", another page"
            walk.note(method, address.url, told[0][0], f"{told[1][0]} for an unknown id{page}")
    walk.end()


def test_the_table_of_public_pages_is_exact(scene: Scene) -> None:
    open_names = {
        address.name
        for address in addresses(scene.ids)
        if getattr(address.view, "access", "") == "public" or address.name in settings.PUBLIC_URL_NAMES
    }
    assert sorted(open_names) == sorted(PUBLIC)


def test_the_scene_has_what_could_leak(scene: Scene) -> None:
    """Every word that the sweep looks for stands on a page of those who may read it."""
    for role, words in (("practitioner", EVERYTHING | {QUESTION}), ("patient", {PATIENT}), ("guest", set())):
        walk = Walk(scene, role)
        seen = set()
        for address in addresses(scene.ids):
            if answer := walk.answer("GET", address.url):
                seen |= {word for word in words if word in answer[1]}
        assert seen == words, role


def test_a_new_parameter_must_be_taught_to_the_scene(scene: Scene) -> None:
    ids = dict(scene.ids)
    del ids["ticket_id"]
    with pytest.raises(KeyError, match=r"takes <ticket_id>: add it"):
        addresses(ids)
