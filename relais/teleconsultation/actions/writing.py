"""Who has the report open: said every ten seconds, so that two editors see each other (TC-46)."""

from relais.core.actor import Actor
from relais.core.errors import NotFound
from relais.rooms import actions as rooms
from relais.rooms.models import Place
from relais.teleconsultation import permissions as may
from relais.teleconsultation.models import Teleconsultation
from relais.teleconsultation.topics import report_about


def stay(*, actor: Actor, tele: Teleconsultation) -> None:
    """The actor's page of the report is open; absent after 30 seconds without it. Raises NotFound for who may not write."""
    if not may.can_write(actor, tele):
        raise NotFound
    rooms.be_present(actor=actor, about=report_about(tele), place=Place.SPACE)


def leave(*, actor: Actor, tele: Teleconsultation) -> None:
    """That page closes: absent in five seconds unless it comes back (a reload)."""
    if not may.can_write(actor, tele):
        raise NotFound
    rooms.leave(actor=actor, about=report_about(tele), place=Place.SPACE)
