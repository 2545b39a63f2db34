"""Who may do what in a teleconsultation, in sentences. `tele` is a Teleconsultation or None where no object is needed."""

from typing import Any

from relais.core.actor import SYSTEM, Actor

CLINICAL = ("practitioner", "caregiver")
STAFF = ("practitioner", "caregiver", "secretary", "manager")


def _here(actor: Actor, tele: Any) -> bool:
    return actor.is_professional and actor.establishment_id == tele.establishment_id


def can_book(actor: Actor) -> bool:
    """Every member of the establishment chosen may book: practitioner, caregiver, secretary, manager (TC-12, TC-26)."""
    return actor.is_professional and actor.establishment_id is not None and actor.has_role(*STAFF)


def can_read_clinical(actor: Actor) -> bool:
    """Practitioners and caregivers read documents, notes and reports; secretaries and managers never do."""
    return actor.is_professional and actor.has_role(*CLINICAL)


def can_plan(actor: Actor, tele: Any) -> bool:
    """Members of the establishment that holds the appointment may move, cancel or reassign it."""
    return _here(actor, tele) and actor.has_role(*STAFF)


def can_join(actor: Actor, tele: Any) -> bool:
    """The practitioner of the appointment, another practitioner or a caregiver of the establishment may enter the call."""
    return _here(actor, tele) and actor.has_role(*CLINICAL)


def can_finish(actor: Actor, tele: Any) -> bool:
    """A practitioner of the establishment ends the consultation or says how it ended."""
    return _here(actor, tele) and actor.has_role("practitioner")


def can_add_document(actor: Actor, tele: Any) -> bool:
    """Practitioners and caregivers of the establishment add documents (TC-26, TC-45), until the dossier is closed."""
    return _here(actor, tele) and actor.has_role(*CLINICAL) and is_open(tele)


def is_open(tele: Any) -> bool:
    """Until it is closed or cancelled, the record is added to."""
    return tele.state not in ("closed", "cancelled")


def can_write(actor: Actor, tele: Any) -> bool:
    """A practitioner of the establishment writes in the record."""
    return _here(actor, tele) and actor.has_role("practitioner")


def can_report(actor: Actor, tele: Any) -> bool:
    """A practitioner of the establishment writes the report, until the dossier is closed."""
    return can_write(actor, tele) and is_open(tele)


def can_prepare(actor: Actor, tele: Any) -> bool:
    """The patient, or the proxy who holds the key of this appointment, answers the questions that prepare it (TC-25)."""
    return actor.is_patient and actor.about == tele.pk


def can_sign(actor: Actor, tele: Any) -> bool:
    """The practitioner of the appointment alone signs its prescriptions."""
    return can_write(actor, tele) and actor.user_id == tele.practitioner_id


def can_prescribe(actor: Actor, tele: Any) -> bool:
    """The practitioner of the appointment alone signs its prescriptions, until the dossier is closed."""
    return can_sign(actor, tele) and is_open(tele)


def only_system(actor: Actor, tele: Any) -> bool:
    """What follows a death."""
    return actor.kind == SYSTEM


def can_close(actor: Actor, tele: Any) -> bool:
    """A practitioner of the establishment closes the dossier for good (TC-55)."""
    return _here(actor, tele) and actor.has_role("practitioner")
