"""The state of a request moved by the table, and the pages told."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from relais.core import live, workflow
from relais.core.actor import Actor
from relais.core.errors import NotFound
from relais.dossiers import actions as dossiers
from relais.dossiers.models import Participant
from relais.liaison import permissions as may
from relais.liaison.models import Request
from relais.liaison.topics import home_topic, service_topic
from relais.patients.models import Patient

# What to do once a request is over; the same words for each thing that it takes no more.
OVER_NOW = "Cette demande n’est plus ouverte. Pour la suite, l’EHPAD en fait une nouvelle ; si l’état s’aggrave, appelez le 15."


def pages_of(demand: Request) -> list[str]:
    """The topics of the lists of the services that take part, of the nursing home's page and of the request's own."""
    taking_part = Participant.objects.filter(dossier=demand.pk, until=None).exclude(service=None)
    topics = [
        service_topic(service_id) for service_id in taking_part.order_by("id").values_list("service_id", flat=True)
    ]
    return [*topics, home_topic(demand.establishment_id), dossiers.topic(demand.pk)]


def tell_pages(demand: Request, *, urgent: bool = False) -> None:
    """These look again."""
    live.ping(*pages_of(demand), urgent=urgent)


def move(*, actor: Actor, demand: Request, verb: str, **changes: Any) -> Request:
    """Use a verb of the transition table; the dossier follows, the pages are told."""

    def recorder(locked: Request, verb: str, actor: Actor, source: str) -> None:
        dossiers.moved(locked.dossier, locked.state, verb, actor, source)
        tell_pages(locked, urgent=True)

    moved: Request = workflow.apply(demand, verb, actor, recorder, **changes)
    return moved


def hold_resident(patient_id: UUID) -> Patient:
    """The resident's row, held until the transaction ends; whoever holds a request too holds it after this one.

    Not its key, which never changes, no more than `lock` does: otherwise the commit of another, whose new care link or
    transfer points here, would wait for this one, and this one for the other.
    """
    return Patient.objects.select_for_update(of=("self",), no_key=True).get(pk=patient_id)


def hold_all(ids: Iterable[UUID]) -> None:
    """These requests, held until the transaction ends, in one order for everybody: no two wait for each other."""
    list(Request.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=set(ids)).order_by("pk"))


def lock(actor: Actor, demand_id: UUID) -> Request:
    """The request's row, held until the transaction ends; NotFound for what the actor does not see."""
    found = Request.objects.select_for_update(of=("self",), no_key=True).filter(pk=demand_id).first()
    if found is None or not (actor.kind == "system" or may.in_home(actor, found) or may.answers(actor, found)):
        raise NotFound
    return found
