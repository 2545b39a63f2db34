"""The care circle of a patient followed at home reads the follow-up (TS-14): who joins it, who leaves it."""

from uuid import UUID

from django.utils.translation import gettext as _

from relais.accounts.models import Membership, User
from relais.core.actor import Actor
from relais.core.errors import NotFound, Refused
from relais.core.transactions import whole
from relais.dossiers import actions as dossiers
from relais.patients import actions as patients
from relais.patients.models import Basis, CareLink, CareLinkQuerySet
from relais.telemonitoring import permissions as may
from relais.telemonitoring.actions.states import tell_pages
from relais.telemonitoring.models import FollowUp
from relais.telemonitoring.workflow import State


@whole
def add_reader(*, actor: Actor, follow_up: FollowUp, user_id: UUID | None) -> CareLink:
    """Let a professional read this follow-up as one of the patient's care circle; twice is once.

    Raises NotFound for who may not share it, Refused for oneself, somebody who no longer practises, somebody of the cell
    (they read it already), and once the follow-up is closed.
    """
    locked = _lock(actor, follow_up)
    if locked.state == State.CLOSED:
        raise Refused(_("Ce suivi est clôturé : personne de plus ne peut y être ajouté."))
    user = _practising(user_id)
    if user.pk == actor.user_id:
        raise Refused(_("Vous ne pouvez pas vous ajouter vous-même : demandez-le au patient ou à un collègue."))
    if locked.cell.members.filter(user=user, until=None).exists():
        raise Refused(_("%(who)s lit déjà ce suivi, comme membre de la cellule.") % {"who": user.full_name})
    patient = locked.dossier.patient
    if found := circle_of(locked).filter(user_id=user.pk).first():
        return found
    link = patients.grant_care(actor=actor, patient=patient, basis=Basis.CIRCLE, about=locked.pk, user_id=user.pk)
    dossiers.record(locked.dossier, "reader_added", actor, user=str(user.pk))
    tell_pages(locked)
    return link


@whole
def remove_reader(*, actor: Actor, follow_up: FollowUp, link_id: UUID) -> None:
    """End what a professional or an establishment reads as one of the care circle, at once; of a closed follow-up too.

    Raises NotFound for who may not share it, and for a link of another patient or that is over.
    """
    locked = _lock(actor, follow_up)
    link = circle_of(locked).filter(pk=link_id).first()
    if link is None:
        raise NotFound
    patients.end_link(actor=actor, link=link)
    dossiers.record(locked.dossier, "reader_removed", actor, user=str(link.user_id or link.establishment_id))
    tell_pages(locked)


def circle_of(follow_up: FollowUp) -> CareLinkQuerySet:
    """The live links of the patient's care circle: each opens this follow-up (`FollowUp.visible_to`)."""
    return CareLink.objects.live().filter(patient_id=follow_up.dossier.patient_id, basis=Basis.CIRCLE)


def _lock(actor: Actor, follow_up: FollowUp) -> FollowUp:
    locked = FollowUp.objects.select_for_update(of=("self",)).select_related("dossier__patient").get(pk=follow_up.pk)
    if not may.can_share(actor, locked):
        raise NotFound
    return locked


def _practising(user_id: UUID | None) -> User:
    live = Membership.objects.filter(ended_at=None, user__is_active=True, establishment__active=True)
    found = live.filter(user_id=user_id, role__in=may.CLINICAL).select_related("user").first() if user_id else None
    if found is None:
        raise Refused(_("Ce professionnel n’exerce plus dans un établissement de Relais : choisissez-en un autre."))
    return found.user
