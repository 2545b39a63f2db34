"""What is unread in a request, and for whom: notes, and documents that came after the sending."""

from datetime import datetime
from typing import Any

from django.utils import timezone

from relais.core.actor import Actor
from relais.core.transactions import whole
from relais.expertise import messages
from relais.expertise import permissions as may
from relais.expertise.models import Expertise, Seen
from relais.expertise.workflow import State


def noted(actor: Actor, asked: Expertise, at: datetime, key: str) -> None:
    """The actor added something at this moment: the other side sees it marked unread, and is told once until it has looked.

    `asked` is locked.
    """
    other = asked.expert_id if may.can_follow(actor, asked) else asked.requester_id
    if other and other != actor.user_id and _has_seen_all(asked, other):
        if other == asked.expert_id:
            messages.tell_expert(asked, key)
        else:
            messages.tell(asked, key, other)
    asked.noted_at, asked.noted_by = at, actor.user_id
    asked.save(update_fields=["noted_at", "noted_by"])
    mark_read(actor=actor, asked=asked, until=at)


def _has_seen_all(asked: Expertise, user_id: Any) -> bool:
    """Whether nothing is unread for them: who has not looked yet was told already."""
    if asked.noted_at is None or asked.noted_by == user_id:
        return True
    return asked.seen.filter(user_id=user_id, at__gte=asked.noted_at).exists()


@whole
def mark_read(*, actor: Actor, asked: Expertise, until: datetime) -> None:
    """The actor has the thread under their eyes, up to this moment: what came since the page was drawn is not read yet."""
    at = min(until, timezone.now())
    if asked.state == State.DRAFT or not may.can_read_clinical(actor):
        return
    seen, is_new = Seen.objects.get_or_create(expertise=asked, user_id=actor.me, defaults={"at": at})
    if not is_new and seen.at < at:
        seen.at = at
        seen.save(update_fields=["at"])
