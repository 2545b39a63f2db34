"""No message says anything about health, or what only another message may say: every registered type is rendered.

Settled: messages say « vous avez un message / un document »; texts of the reason COVID_19 give general hygiene
advice and suggest no infection; a calendar entry is titled *Rendez-vous vidéo* (architecture, Messages).
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.conf import settings
from icalendar import Calendar

from relais.notifications import mail, registry
from relais.notifications.channels import sms
from relais.notifications.models import Channel, Message
from relais.notifications.registry import Rendered

# Stems of words that tell an illness, a specialty, an examination or a treatment.
HEALTH = re.compile(
    r"\b("
    r"covid|corona|virus|infect|contamin|contagi|épidémi|pandémi|symptôm|diagnosti|dépist|vaccin|malad|patholog|"
    r"ordonnance|prescri|médicament|traitement|posolog|compte[- ]rendu|résultat|analyse|examen|biolog|radio|scanner|irm\b|"
    r"pcr\b|antigéni|positi[fv]|négati[fv]|cancer|tumeur|oncolog|hématolog|vih\b|sida\b|hépatit|diabèt|diabétolog|"
    r"endocrin|cardio|pneumo|neuro|psychiatr|psycholog|addict|alcool|gynéco|obstétri|grossesse|enceinte|ivg\b|urolog|"
    r"néphro|dialys|dermato|ophtalmo|gastro|hépato|rhumato|gériatr|pédiatr|allergo|chirurg|anesthés|soins palliatifs|"
    r"handicap|dépendance|démence|alzheimer"
    r")",
    re.IGNORECASE,
)
# What an owner might put in a context by mistake: no text may print it.
PRIVATE = {
    "family_name": "SENTINELLE-DUPONT",
    "patient": "SENTINELLE-PATIENT",
    "birth_date": "SENTINELLE-1953",
    "ins": "SENTINELLE-INS",
    "specialty": "SENTINELLE-SPECIALITE",
    "reason": "SENTINELLE-MOTIF",
    "title": "SENTINELLE-TITRE",
}
KEYS_OF_SECRETS = re.compile(r"passw|secret(?!s_at$)|token|\bcode$|login|pin$", re.IGNORECASE)


def rendered(kind: Any, channel: str) -> tuple[Rendered, dict[str, Any], dict[str, Any]]:
    """The example of a type by one channel, with private things lying in its context."""
    context, secret = kind.example()
    message = Message(type=kind.key, about=uuid4(), channel=channel, address="x", context={**PRIVATE, **context})
    return kind.render(message, secret), context, secret


def leaks(found: Rendered, context: dict[str, Any], secret: dict[str, Any]) -> Iterator[str]:
    """What is wrong with a rendered message, a sentence each."""
    said = f"{found.subject}\n{found.text}"
    if health := HEALTH.search(said):
        yield f"says « {health.group()} »"
    if "SENTINELLE" in said or any(b"SENTINELLE" in each.content for each in found.attachments):
        yield "prints what it must not"
    values = [str(value) for value in secret.values()]
    if any(value in str(context) for value in values) or any(KEYS_OF_SECRETS.search(key) for key in context):
        yield "has a secret in its context"
    if any(value in found.subject for value in values):
        yield "has a secret in its subject"
    if any(value.encode() in each.content for value in values for each in found.attachments):
        yield "has a secret in an attachment"
    yield from _links(found.text, values)
    for each in found.attachments:
        if each.content_type == "text/calendar":
            titles = [str(event["summary"]) for event in Calendar.from_ical(each.content).walk("VEVENT")]
            if titles != ["Rendez-vous vidéo"] or HEALTH.search(each.content.decode()):
                yield "has a calendar entry that says too much"


def _links(text: str, secrets: list[str]) -> Iterator[str]:
    """A secret rides in the fragment of a link or in the text, never in what servers write to their logs."""
    for url in mail.URL.findall(text):
        parts = urlsplit(url)
        if any(value in parts.path or value in parts.query for value in secrets) or (url in secrets and parts.query):
            yield "has a secret in a link"
        if not url.startswith(settings.PUBLIC_URL):
            yield f"leads elsewhere: {url}"


def all_types() -> list[Any]:
    return [registry.TYPES[key] for key in sorted(registry.TYPES)]


@pytest.mark.req("TC-15")
@pytest.mark.parametrize("channel", Channel.values)
@pytest.mark.parametrize("kind", all_types(), ids=lambda kind: kind.key)
def test_no_message_leaks(kind: Any, channel: str) -> None:
    assert list(leaks(*rendered(kind, channel))) == []


@pytest.mark.parametrize("kind", all_types(), ids=lambda kind: kind.key)
def test_an_sms_takes_three_parts_at_most(kind: Any) -> None:
    """A type that gives a subject even by SMS is for e-mail alone, and then must have no fallback."""
    found, _context, _secret = rendered(kind, Channel.SMS)
    if found.subject:
        assert not kind.fallback
        return
    text = sms.to_gsm(found.text)
    assert sms.parts(text) <= 3, f"{len(text)} characters: {text}"
    assert all(character in sms.BASIC or character in sms.EXTENDED for character in text)


@pytest.mark.parametrize("kind", all_types(), ids=lambda kind: kind.key)
def test_a_mail_has_a_subject_of_one_line_a_text_and_at_most_one_button(kind: Any) -> None:
    found, _context, _secret = rendered(kind, Channel.EMAIL)
    html = mail.html(found)
    assert found.subject.strip()
    assert "\n" not in found.subject
    assert html.count('class="button"') == min(1, len(mail.URL.findall(found.text)))
    words = re.sub(
        r"\s+",
        "",
        re.sub(r"<style>.*?</style>|<title>.*?</title>|<a class=\"button\".*?</a>|<[^>]+>", "", html, flags=re.S),
    )
    assert words == re.sub(r"\s+", "", found.text.replace("'", "&#x27;").replace('"', "&quot;"))


@pytest.mark.parametrize(
    "change",
    [
        {"subject": "Votre ordonnance"},
        {"text": "Consultation de cardiologie"},
        {"text": "Votre test COVID-19"},
        {"text": "Bonjour SENTINELLE-DUPONT"},
        {"subject": "Mot de passe bato-milu-73"},
        {"text": "http://localhost:8000/p/?mdp=bato-milu-73"},
        {"text": "http://localhost:8000/p/bato-milu-73/"},
        {"text": "https://ailleurs.exemple.test/"},
    ],
)
def test_the_search_for_leaks_finds_them(change: dict[str, str]) -> None:
    good = Rendered(
        "Un document est disponible", f"Votre espace : {settings.PUBLIC_URL}/p/#x Mot de passe : bato-milu-73"
    )
    secret = {"password": "bato-milu-73"}
    assert list(leaks(good, {}, secret)) == []
    changed = {key: value.replace("http://localhost:8000", settings.PUBLIC_URL) for key, value in change.items()}
    assert list(leaks(replace(good, **changed), {}, secret))  # type: ignore[arg-type]
    assert list(leaks(good, {"password": ""}, secret))


def test_parts_are_counted_as_networks_do() -> None:
    assert [sms.parts("a" * size) for size in (160, 161, 306, 307, 459, 460)] == [1, 2, 2, 3, 3, 4]
    assert [sms.parts("€" * size) for size in (80, 81)] == [1, 2]
    assert [sms.parts("ж" * size) for size in (70, 71)] == [1, 2]


def test_french_fits_the_alphabet_of_sms() -> None:
    assert (
        sms.to_gsm("« L’œuvre » de Zoë – à bientôt… ÇA coûte 5 €") == '" L\'oeuvre " de Zoe - à bientot... ÇA coute 5 €'
    )
    assert sms.to_gsm("Жанна") == "Жанна"
