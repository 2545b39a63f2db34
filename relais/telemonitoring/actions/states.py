"""One follow-up at a time: its state moved by the table, its days extended, its cell changed."""

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from relais.core import live, workflow
from relais.core.actor import SYSTEM_ACTOR, Actor
from relais.core.errors import NotFound, Refused
from relais.dossiers import actions as dossiers
from relais.patients import actions as patients
from relais.patients.models import Patient
from relais.telemonitoring import permissions as may
from relais.telemonitoring.actions import alerts, enrol, transfer
from relais.telemonitoring.models import FollowUp, Pause
from relais.telemonitoring.programme import EXTENSION, end_of, extended
from relais.telemonitoring.topics import cell_topic, space_topic
from relais.telemonitoring.workflow import AlertState, State

CLOSINGS = {
    "guerison": "Guérison",
    "fin-periode-asymptomatique": "Fin de la période, sans symptôme",
    "test-negatif-diagnostic-infirme": "Test négatif, diagnostic infirmé",
    "hospitalisation": "Hospitalisation",
    "deces": "Décès",
    "relais-medecin-traitant": "Relais par le médecin traitant",
    "entree-ehpad-ou-hebergement": "Entrée en EHPAD ou en hébergement",
    "refus-retrait-consentement": "Refus ou retrait de l’accord",
    "perdu-de-vue": "Perdu de vue",
    "inclusion-erreur-doublon": "Inclusion par erreur ou en double",
}


def tell_pages(follow_up: FollowUp) -> None:
    """The cell's list, the dossier and the patient's page look again."""
    live.ping(cell_topic(follow_up.cell_id), urgent=True)
    live.ping(dossiers.topic(follow_up.pk), space_topic(follow_up.pk))


def move(*, actor: Actor, follow_up: FollowUp, verb: str, **changes: Any) -> FollowUp:
    """Use a verb of the transition table; the dossier follows, the pages are told."""

    def recorder(locked: FollowUp, verb: str, actor: Actor, source: str) -> None:
        dossiers.moved(locked.dossier, locked.state, verb, actor, source)
        tell_pages(locked)

    return workflow.apply(follow_up, verb, actor, recorder, **changes)


@transaction.atomic
def pause(*, actor: Actor, follow_up: FollowUp, ends_alert: bool = False) -> FollowUp:
    """The patient is in hospital: no answer is awaited until they come home (EC-07).

    `ends_alert`: the open alert is over with it (domain.md §1.8), but a red one that no practitioner ends here, and one
    under a call: whoever calls notes it. A call decides of its alert by itself.
    """
    moved = move(actor=actor, follow_up=follow_up, verb="pause")
    Pause.objects.create(follow_up=moved, first=timezone.localdate())
    alert = alerts.open_alert(moved) if ends_alert else None
    if alert and alert.state != AlertState.CALLING and may.can_finish(actor, alert):
        alerts.move(actor=SYSTEM_ACTOR, alert=alert, verb="settle", closed_at=timezone.now())
    return moved


@transaction.atomic
def resume(*, actor: Actor, follow_up: FollowUp) -> FollowUp:
    """Back home: 14 days anew from today, at the reinforced rhythm of a discharge (domain.md §1.8)."""
    moved = move(actor=actor, follow_up=follow_up, verb="resume")
    today = timezone.localdate()
    moved.pauses.filter(last=None).update(last=today)
    moved.status, moved.rhythm = "sortie", "renforce"
    moved.ends_on = max(moved.ends_on, end_of(today, today))
    moved.save(update_fields=["status", "rhythm", "ends_on"])
    enrol.keep_open(actor, moved)  # a stay may have lasted longer than the way in
    return moved


@transaction.atomic
def close(*, actor: Actor, follow_up: FollowUp, why: str) -> FollowUp:
    """End a follow-up for one of CLOSINGS: nothing is asked or sent any more, the open alert is settled."""
    if why not in CLOSINGS:
        raise Refused(_("Choisissez le motif de la clôture."), field="why")
    return _end(actor, follow_up, "close", why)


def follow_death(actor: Actor, patient: Patient) -> None:
    """The follow-ups of a person who died end, whoever noted it: no question, reminder or call goes to the family."""
    for follow_up in FollowUp.objects.filter(dossier__patient=patient).exclude(state=State.CLOSED).order_by("pk"):
        _end(SYSTEM_ACTOR, follow_up, "died", "deces")


def _end(actor: Actor, follow_up: FollowUp, verb: str, why: str) -> FollowUp:
    moved = move(actor=actor, follow_up=follow_up, verb=verb, closing=why)
    if alert := alerts.open_alert(moved):
        alerts.move(actor=SYSTEM_ACTOR, alert=alert, verb="settle", closed_at=timezone.now())
    transfer.drop(moved)
    if why == "deces":
        patients.revoke(actor=actor, about=moved.pk)
    return moved


@transaction.atomic
def extend(*, actor: Actor, follow_up: FollowUp) -> FollowUp:
    """Seven days more, up to day 30. Raises Refused when there is no day left to add."""
    locked = FollowUp.objects.select_for_update(of=("self",)).select_related("dossier").get(pk=follow_up.pk)
    if not may.can_follow(actor, locked):
        raise NotFound
    later = extended(locked.onset, locked.ends_on)
    if locked.state == State.CLOSED or later <= locked.ends_on:
        raise Refused(_("Ce suivi ne peut plus être prolongé : il va jusqu’à J30 au plus."))
    locked.extensions += 1
    locked.ends_on = later
    locked.save(update_fields=["extensions", "ends_on"])
    enrol.keep_open(actor, locked)
    dossiers.record(locked.dossier, "extended", actor, days=EXTENSION)
    tell_pages(locked)
    return locked
