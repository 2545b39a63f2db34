"""What is unread in a request, and for whom: notes, and documents that came after the sending."""

from datetime import datetime
from uuid import UUID

from django.utils import timezone

from relais.core.actor import Actor
from relais.core.transactions import whole
from relais.expertise import messages
from relais.expertise import permissions as may
from relais.expertise.models import Expertise, Seen
from relais.expertise.workflow import State
from relais.notifications.models import Message


def noted(actor: Actor, asked: Expertise, at: datetime, key: str) -> None:
    """The actor added something at this moment: the other side sees it marked unread, and is told once until it has looked.

    `asked` is locked.
    """
    if not may.can_follow(actor, asked):
        messages.tell(asked, key, *_untold(asked, messages.asking(asked) - {actor.user_id}))
    elif asked.expert_id and _untold(asked, {asked.expert_id} - {actor.user_id}):
        messages.tell_expert(asked, key)
    asked.noted_at, asked.noted_by = at, actor.user_id
    asked.save(update_fields=["noted_at", "noted_by"])
    mark_read(actor=actor, asked=asked, until=at)


def _untold(asked: Expertise, ids: set[UUID]) -> set[UUID]:
    """Those for whom nothing is unread, or who were told of nothing: the others were told already, and have not looked yet."""
    if asked.noted_at is None:
        return ids
    looked = asked.seen.filter(user_id__in=ids, at__gte=asked.noted_at).values_list("user_id", flat=True)
    told = Message.objects.filter(about=asked.pk, holder_id__in=ids).values_list("holder_id", flat=True)
    return ids & {asked.noted_by, *looked} | ids - set(told)


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
