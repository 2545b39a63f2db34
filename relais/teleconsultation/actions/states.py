"""One appointment at a time: its row locked, its state moved by the table, the pages that show it told."""

from typing import Any

from django.utils.translation import gettext as _

from relais.core import live, workflow
from relais.core.actor import Actor
from relais.core.errors import NotFound, Refused
from relais.dossiers import actions as dossiers
from relais.teleconsultation import permissions as may
from relais.teleconsultation.models import Teleconsultation
from relais.teleconsultation.topics import dashboard_topic, space_topic
from relais.teleconsultation.workflow import State


def lock(actor: Actor, tele: Teleconsultation) -> Teleconsultation:
    locked = Teleconsultation.objects.select_for_update(of=("self",)).select_related("dossier__patient").get(pk=tele.pk)
    if not may.can_plan(actor, locked):
        raise NotFound
    return locked


def unchangeable(tele: Teleconsultation) -> str:
    return _("Ce rendez-vous ne peut plus changer : il est « %(state)s ».") % {"state": tele.get_state_display()}


def lock_planned(actor: Actor, tele: Teleconsultation) -> Teleconsultation:
    locked = lock(actor, tele)
    if locked.state != State.PLANNED:
        raise Refused(unchangeable(locked))
    return locked


def move(*, actor: Actor, tele: Teleconsultation, verb: str, **changes: Any) -> Teleconsultation:
    """Use a verb of the transition table; the dossier follows, the dashboard is told."""

    def recorder(locked: Teleconsultation, verb: str, actor: Actor, source: str) -> None:
        dossiers.moved(locked.dossier, locked.state, verb, actor, source)
        live.ping(dashboard_topic(locked.establishment_id))

    return workflow.apply(tele, verb, actor, recorder, **changes)


def tell_pages(tele: Teleconsultation) -> None:
    """The dashboard and the patient's open page look again."""
    live.ping(dashboard_topic(tele.establishment_id))
    live.ping(space_topic(tele), urgent=True)
