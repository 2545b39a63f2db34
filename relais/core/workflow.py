"""Transitions: a verb in a table. The only way a state changes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import models, transaction
from django.utils.translation import gettext as _

from relais.core.actor import Actor
from relais.core.errors import NotFound, Refused


@dataclass(frozen=True)
class Transition:
    """From which states a verb leads to which state, and who may use it."""

    sources: tuple[str, ...]
    target: str
    who: Callable[[Actor, Any], bool]
    label: str


Table = dict[str, Transition]
Recorder = Callable[[Any, str, Actor, str], None]


def possible(obj: Any, actor: Actor) -> list[str]:
    """The verbs of `obj.TRANSITIONS` that `actor` may use on `obj` as it is now: what buttons are drawn from."""
    return [verb for verb, step in obj.TRANSITIONS.items() if obj.state in step.sources and step.who(actor, obj)]


def apply(obj: models.Model, verb: str, actor: Actor, record: Recorder, **changes: Any) -> Any:
    """Move `obj` by `verb`, with the field `changes` that go with it; `record(obj, verb, actor, source)` leaves the trace.

    The row is locked first, so of two who press at once one is refused; not its key, which never changes: rows that point
    to it come in meanwhile. Returns the locked, changed row.
    Raises NotFound when the actor may not, Refused (a sentence) when the state does not allow it any more.
    """
    step: Transition = obj.TRANSITIONS[verb]  # type: ignore[attr-defined]
    with transaction.atomic():
        locked: Any = type(obj)._base_manager.select_for_update(of=("self",), no_key=True).get(pk=obj.pk)
        if not step.who(actor, locked):
            raise NotFound
        source = locked.state
        if source not in step.sources:
            raise Refused(
                _("« %(verb)s » n’est plus possible : l’état est maintenant « %(state)s ». Rechargez la page.")
                % {"verb": step.label, "state": locked.get_state_display()}
            )
        locked.state = step.target
        for name, value in changes.items():
            setattr(locked, name, value)
        locked.save(update_fields=["state", *changes])
        record(locked, verb, actor, source)
        return locked
