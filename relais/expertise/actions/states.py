"""One request at a time: its row locked, its state moved by the table, the pages that show it told."""

from typing import Any

from relais.core import live, workflow
from relais.core.actor import Actor
from relais.core.transactions import whole
from relais.dossiers import actions as dossiers
from relais.expertise.models import Expertise, Urgency
from relais.expertise.topics import place_topic, service_topic
from relais.expertise.workflow import FREE

ROWS = (
    "dossier__patient",
    "dossier__origin",
    "establishment",
    "service__establishment",
    "requester",
    "expert",
    "response__questionnaire",
)


def lock(asked: Expertise) -> Expertise:
    """The row, held until the transaction ends; not its key, which never changes: rows that point to it come in meanwhile.

    Read again once it is held: a joined row is the one from before the wait, so that of two experts the second would not
    learn who the first was.
    """
    Expertise.objects.select_for_update(of=("self",), no_key=True).only("pk").get(pk=asked.pk)
    return Expertise.objects.select_related(*ROWS).get(pk=asked.pk)


@whole
def move(*, actor: Actor, asked: Expertise, verb: str, **changes: Any) -> Expertise:
    """Use a verb of the transition table; the dossier follows, the lists of both sides are told.

    The locked row comes with what it leads to: `changes` may hold another service.
    """
    before = asked.service_id

    def recorder(locked: Expertise, verb: str, actor: Actor, source: str) -> None:
        dossiers.moved(locked.dossier, locked.state, verb, actor, source)
        tell_lists(locked)
        if before and before != locked.service_id:
            live.ping(service_topic(before))

    moved: Expertise = workflow.apply(asked, verb, actor, recorder, **changes)
    return moved


def tell_lists(asked: Expertise) -> None:
    """The worklists that show it look again; at once for an immediate one that nobody has."""
    topics = [place_topic(asked.establishment_id)]
    if asked.service_id:
        topics.append(service_topic(asked.service_id))
    live.ping(*topics, urgent=asked.urgency == Urgency.IMMEDIATE and asked.state in FREE)
