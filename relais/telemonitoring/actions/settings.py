"""What is changed of a follow-up on the way: its rhythm, the patient's own thresholds, what is at home."""

from django.utils import timezone
from django.utils.translation import gettext as _

from relais.core.actor import Actor
from relais.core.errors import NotFound, Refused
from relais.core.transactions import whole
from relais.dossiers import actions as dossiers
from relais.telemonitoring import permissions as may
from relais.telemonitoring.actions import windows
from relais.telemonitoring.actions.states import tell_pages
from relais.telemonitoring.models import FollowUp, Status
from relais.telemonitoring.programme import Rhythm
from relais.telemonitoring.workflow import State

OXIMETER = "oxymetre"
THRESHOLDS = ("baseline", "target")  # facts of the rules: usual saturation, and the one below which it is red


@whole
def adjust(*, actor: Actor, follow_up: FollowUp, rhythm: str, baseline: int | None, target: int | None) -> FollowUp:
    """Change the rhythm and the patient's own saturations (%; None: none): from the next answer on.

    Members of the cell answer more often; a practitioner alone asks less, or changes a threshold of a rule. Raises
    NotFound for who may not act on the follow-up, Refused with the field for what they may not change.
    """
    locked = _lock(actor, follow_up)
    wanted = {"baseline": baseline, "target": target}
    before = {name: locked.facts.get(name) for name in THRESHOLDS}
    doctor = may.can_set_thresholds(actor, locked)
    if wanted != before and not doctor:
        raise Refused(_("Seul un praticien de la cellule change les seuils de saturation."), field="baseline")
    if rhythm != locked.rhythm:
        _check_rhythm(locked, rhythm, doctor=doctor)
    if (rhythm, wanted) == (locked.rhythm, before):
        return locked
    others = {name: value for name, value in locked.facts.items() if name not in THRESHOLDS}
    locked.rhythm = rhythm
    locked.facts = others | {name: float(value) for name, value in wanted.items() if value is not None}
    locked.save(update_fields=["rhythm", "facts"])
    windows.recount(locked, timezone.localdate())
    changed = [name for name in THRESHOLDS if wanted[name] != before[name]]
    dossiers.record(locked.dossier, "adjusted", actor, rhythm=rhythm, thresholds=changed)
    tell_pages(locked)
    return locked


def _check_rhythm(follow_up: FollowUp, rhythm: str, *, doctor: bool) -> None:
    if rhythm not in choices(follow_up):
        raise Refused(_("Choisissez un rythme de la liste."), field="rhythm")
    if rhythm != Rhythm.REINFORCED and not doctor:
        raise Refused(_("Seul un praticien de la cellule espace les réponses."), field="rhythm")


def choices(follow_up: FollowUp) -> list[str]:
    """The rhythms that this follow-up may have; *contact* is that of a contact person."""
    contact = [Rhythm.CONTACT] if Status.CONTACT in (follow_up.status, follow_up.rhythm) else []
    return [str(one) for one in (Rhythm.STANDARD, Rhythm.REINFORCED, *contact)]


@whole
def equip(*, actor: Actor, follow_up: FollowUp, item: str) -> FollowUp:
    """Something that the patient now has at home (`oxymetre`): the forms ask for its measure from the next answer on."""
    locked = _lock(actor, follow_up)
    if item not in locked.equipment:
        locked.equipment = [*locked.equipment, item]
        locked.save(update_fields=["equipment"])
        dossiers.record(locked.dossier, "equipped", actor, item=item)
        tell_pages(locked)
    return locked


def _lock(actor: Actor, follow_up: FollowUp) -> FollowUp:
    locked = FollowUp.objects.select_for_update(of=("self",)).select_related("dossier").get(pk=follow_up.pk)
    if not may.can_follow(actor, locked):
        raise NotFound
    if locked.state == State.CLOSED:
        raise Refused(_("Ce suivi est clôturé : il ne change plus."))
    return locked
