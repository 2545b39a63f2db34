"""What screens show of the outbox: one honest word for a list, the whole story for a dossier."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from relais.notifications import registry, vault
from relais.notifications.models import Channel, DemoCopy, Message
from relais.notifications.workflow import State

OVERDUE = timedelta(minutes=5)  # a message that waits longer than this past its hour shows as a problem
ICONS = {
    "ok": "circle-check",
    "info": "send",
    "none": "clock",
    "warning": "alert-triangle",
    "danger": "mail-exclamation",
}
RANK = {"danger": 4, "warning": 3, "info": 2, "none": 1, "ok": 0}


@dataclass(frozen=True)
class Summary:
    """One word on a message: `level` is the badge's state; `flagged`, somebody should act."""

    level: str
    words: str
    flagged: bool
    message: Message

    @property
    def icon(self) -> str:
        return ICONS[self.level]


@dataclass(frozen=True)
class Line:
    """One message in the story of a dossier, the fallback that was tried right after it."""

    message: Message
    label: str
    summary: Summary
    at: datetime  # of the last thing that is known of it
    planned: datetime | None  # when it will leave, or be tried again
    fallback: bool


def states(abouts: Iterable[UUID]) -> dict[UUID, Summary]:
    """For each of `abouts` that has messages, the worst that is not resolved; else the state of the last one.

    One query. Replaced and cancelled messages say nothing; one whose fallback arrived is a warning no more than
    the fallback is; a reminder that is not due yet counts only when there is nothing else.
    """
    return _summaries(_by_about(list(abouts)))


def _summaries(stories: dict[UUID, list[Message]]) -> dict[UUID, Summary]:
    found: dict[UUID, Summary] = {}
    now = timezone.now()
    for about, messages in stories.items():
        pending = [
            each for each in messages if each.state == State.WAITING and each.send_after > now and not each.attempts
        ]
        said = [_chain(each, messages, now) for each in messages if each not in pending and not each.fallback_of_id]
        said = said or [_one(each, now) for each in pending[:1]]
        if said:
            worst = max(RANK[each.level] for each in said)
            flagged = [each for each in said if each.flagged] or [each for each in said if RANK[each.level] == worst]
            found[about] = flagged[-1] if worst >= RANK["warning"] else said[-1]
    return found


def problems(abouts: Iterable[UUID]) -> dict[UUID, Summary]:
    """Of `states`, those where somebody should act: refused, uncertain, or waiting past its hour.

    One query, that reads whole stories only of those that have a suspect message.
    """
    late = Q(state=State.WAITING) & (Q(attempts__gt=0) | Q(send_after__lt=timezone.now() - OVERDUE))
    suspect = Message.objects.filter(late | Q(state__in=[State.REFUSED, State.UNCERTAIN]), about__in=list(abouts))
    stories = _by_about(suspect.filter(replaced=False).order_by().values("about"))
    return {about: each for about, each in _summaries(stories).items() if each.flagged}


def timeline(about: UUID) -> list[Line]:
    """Every message about `about`, the last first, each followed by the fallback that was tried."""
    return story(about)[0]


def story(about: UUID) -> tuple[list[Line], Summary | None]:
    """`timeline`, and what `problems` says of it, in one query."""
    now = timezone.now()
    messages = list(Message.objects.filter(about=about).defer("secret", "context").order_by("-created_at", "pk"))
    lines = []
    for message in messages:
        if not message.fallback_of_id:
            lines.append(_line(message, now))
            lines += [_line(each, now) for each in messages if each.fallback_of_id == message.pk]
    counted = [each for each in messages if not each.replaced and each.state != State.CANCELLED]
    said = _summaries({about: sorted(counted, key=lambda each: (each.created_at, each.pk))}).get(about)
    return lines, said if said and said.flagged else None


def demo_copies(holder_ids: Iterable[UUID] | None = None, limit: int = 50) -> list[dict[str, Any]]:
    """For the demo page: the last messages as their holders would have read them, secrets included.

    Each: message, label, channel, subject, text, at. Empty outside demonstrations, where no copy is ever written.
    """
    if not settings.DEMO:
        return []
    copies = DemoCopy.objects.select_related("message").order_by("-created_at", "pk")
    if holder_ids is not None:
        copies = copies.filter(message__holder_id__in=list(holder_ids))
    return [
        {
            "message": copy.message,
            "label": registry.label(copy.message.type),
            "channel": copy.message.get_channel_display(),
            "at": copy.created_at,
            **vault.unseal(copy.sealed),
        }
        for copy in copies[:limit]
    ]


def _by_about(abouts: "list[UUID] | QuerySet[Message, Any]") -> dict[UUID, list[Message]]:
    rows = (
        Message.objects.filter(about__in=abouts, replaced=False)
        .exclude(state=State.CANCELLED)
        .defer("secret", "context")
        .order_by("created_at", "pk")
    )
    found: dict[UUID, list[Message]] = defaultdict(list)
    for message in rows:
        if message.about:
            found[message.about].append(message)
    return found


def _line(message: Message, now: datetime) -> Line:
    at = message.settled_at or message.handed_at or message.attempted_at or message.created_at
    planned = message.send_after if message.state == State.WAITING and message.send_after > now else None
    return Line(
        message, registry.label(message.type), _one(message, now), at, planned, fallback=bool(message.fallback_of_id)
    )


def _chain(message: Message, messages: list[Message], now: datetime) -> Summary:
    """A message and its fallback as one: what counts is whether somebody was reached."""
    fallback = next((each for each in messages if each.fallback_of_id == message.pk), None)
    first = _one(message, now)
    if fallback is None or message.state != State.REFUSED:
        return first
    second = _one(fallback, now)
    words = _("%(first)s, puis %(second)s") % {"first": first.words, "second": second.words}
    level = second.level if second.flagged else "warning" if second.level == "none" else second.level
    return Summary(level, words, second.flagged, message if second.flagged else fallback)


def _one(message: Message, now: datetime) -> Summary:
    name = _("SMS") if message.channel == Channel.SMS else _("E-mail")
    level, words, flagged = _words(message, now)
    return Summary(level, f"{name} {words}", flagged and not message.replaced, message)


def _words(message: Message, now: datetime) -> tuple[str, str, bool]:
    if message.state == State.WAITING:
        if message.attempts:
            words = ngettext("en attente, %d essai sans succès", "en attente, %d essais sans succès", message.attempts)
            return "warning", words % message.attempts, True
        late = now - message.send_after > OVERDUE
        return ("warning", _("en attente, en retard"), True) if late else ("none", _("en attente"), False)
    return {
        State.SENDING: ("none", _("en cours d’envoi"), False),
        State.HANDED: ("info", _("remis au serveur"), False),
        State.DELIVERED: ("ok", _("reçu"), False),
        State.REFUSED: ("danger", _("refusé"), True),
        State.UNCERTAIN: ("danger", _("incertain : peut-être non reçu"), True),
        State.CANCELLED: ("none", _("annulé : plus nécessaire"), False),
    }[State(message.state)]
