"""Who may do what with a patient's identity, in sentences."""

from relais.accounts.models import Role
from relais.core.actor import SYSTEM, Actor
from relais.patients.models import Patient

STAFF = (Role.PRACTITIONER, Role.CAREGIVER, Role.SECRETARY, Role.MANAGER)
CARERS = (Role.PRACTITIONER, Role.CAREGIVER, Role.SECRETARY)


def can_search(actor: Actor) -> bool:
    """Every member of the establishment chosen searches, among the patients of that establishment (TC-16)."""
    return actor.is_professional and actor.establishment_id is not None and actor.has_role(*STAFF)


def can_create(actor: Actor) -> bool:
    """Whoever may book may make the patient to book for: every member of the establishment chosen; imports too."""
    return actor.kind == SYSTEM or can_search(actor)


def can_correct(actor: Actor, patient: Patient) -> bool:
    """Practitioners, caregivers and secretaries correct the traits of the patients that they see."""
    if actor.kind == SYSTEM:
        return True
    allowed = actor.is_professional and actor.establishment_id is not None and actor.has_role(*CARERS)
    return allowed and Patient.objects.visible_to(actor).filter(pk=patient.pk).exists()


def can_mark_checked(actor: Actor) -> bool:
    """Those who correct traits say that they saw a strong document (identity card, passport)."""
    return actor.kind == SYSTEM or (actor.is_professional and actor.has_role(*CARERS))
