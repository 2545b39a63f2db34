"""Who may read and add in a dossier, whatever its kind."""

from relais.core.actor import SYSTEM, Actor
from relais.dossiers.models import Document, Dossier, Participant, Phase
from relais.dossiers.registry import KINDS


def can_see(actor: Actor, dossier: Dossier) -> bool:
    """Members of its establishment and those who take part see the dossier; the same rule as `Dossier.visible_to`."""
    if actor.is_professional and dossier.establishment_id != actor.establishment_id:
        return Participant.objects.of(actor).filter(dossier=dossier).exists()
    return actor.kind == SYSTEM or actor.is_professional or (actor.is_patient and actor.about == dossier.pk)


def can_read_clinical(actor: Actor, dossier: Dossier) -> bool:
    """Of those who see the dossier, the ones whom its kind names (never a secretary) read notes, reports and documents."""
    return KINDS[dossier.kind].may_read(actor) and can_see(actor, dossier)


def can_add(actor: Actor, dossier: Dossier) -> bool:
    """Whoever reads the clinical content adds to it, until the dossier is closed or cancelled."""
    return dossier.phase in (Phase.OPEN, Phase.DONE) and can_read_clinical(actor, dossier)


def can_deposit(actor: Actor, dossier: Dossier) -> bool:
    """The patient (or proxy) whose grant opens this dossier deposits documents until it is closed (TC-30)."""
    return actor.is_patient and actor.about == dossier.pk and dossier.phase in (Phase.OPEN, Phase.DONE)


def can_add_addendum(actor: Actor, dossier: Dossier) -> bool:
    """After closing, a practitioner may still add a dated addendum, and nothing else."""
    return dossier.phase == Phase.CLOSED and actor.has_role("practitioner") and can_read_clinical(actor, dossier)


def can_withdraw(actor: Actor, document: Document) -> bool:
    """A practitioner withdraws a document filed under the wrong patient, even after closing; nobody else does."""
    return (
        document.withdrawn_at is None and actor.has_role("practitioner") and can_read_clinical(actor, document.dossier)
    )


def can_see_document(actor: Actor, document: Document) -> bool:
    """Professionals see what is not withdrawn; a patient sees what they deposited and what was shared with them."""
    if document.withdrawn_at is not None:
        return False
    if actor.is_patient:
        return actor.about == document.dossier_id and (
            document.shared_at is not None or document.author_grant_id is not None
        )
    return can_read_clinical(actor, document.dossier)
