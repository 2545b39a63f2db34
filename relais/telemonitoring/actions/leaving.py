"""A patient who no longer wants to be followed: the team is asked, and calls."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from relais.core.actor import Actor
from relais.core.errors import NotFound, Refused
from relais.dossiers import actions as dossiers
from relais.telemonitoring import permissions as may
from relais.telemonitoring.actions import alerts
from relais.telemonitoring.actions.states import tell_pages
from relais.telemonitoring.models import FollowUp
from relais.telemonitoring.workflow import State


@transaction.atomic
def ask_to_stop(*, actor: Actor, follow_up: FollowUp) -> FollowUp:
    """Ask the team to end the follow-up: it calls, and a practitioner closes it. Asked twice it is one, until somebody
    has ended the alert of it: whoever stayed after all may ask again.

    Raises NotFound for who is not this patient or the one who answers for them, Refused once it is closed.
    """
    if not (actor.is_patient and may.can_answer(actor, follow_up)):
        raise NotFound
    locked = FollowUp.objects.select_for_update(of=("self",)).select_related("dossier").get(pk=follow_up.pk)
    if locked.state == State.CLOSED:
        raise Refused(_("Ce suivi est déjà terminé."))
    if not alerts.asks_to_stop(alerts.open_alert(locked)):
        locked.stop_asked_at = timezone.now()
        locked.save(update_fields=["stop_asked_at"])
        dossiers.record(locked.dossier, "stop_asked", actor)
        alerts.raise_alert(follow_up=locked, level="gris", fired=[alerts.STOP], priority=False)
        tell_pages(locked)
    return locked
