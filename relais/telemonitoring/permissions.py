"""Who may do what in a follow-up, in sentences. `follow_up`, `alert` and `cell` are rows, or None where none is needed."""

from typing import Any

from relais.core.actor import SYSTEM, Actor

CLINICAL = ("practitioner", "caregiver")


def can_enrol(actor: Actor) -> bool:
    """A practitioner or a caregiver of an establishment starts a follow-up; nobody enrols themselves (EC-02)."""
    return actor.is_professional and actor.establishment_id is not None and actor.has_role(*CLINICAL)


def can_read(actor: Actor) -> bool:
    """Practitioners and caregivers read answers and alerts; secretaries and managers never do."""
    return actor.is_professional and actor.has_role(*CLINICAL)


def in_cell(actor: Actor, cell: Any) -> bool:
    """A member of the cell who still is a practitioner or a caregiver of the establishment in whose name they joined."""
    return can_read(actor) and cell.members.of(actor).exists()


def can_manage(actor: Actor, cell: Any) -> bool:
    """The manager or a practitioner of the establishment that holds the cell says who works in it."""
    return (
        actor.is_professional
        and actor.establishment_id == cell.establishment_id
        and actor.has_role("manager", "practitioner")
    )


def can_follow(actor: Actor, follow_up: Any) -> bool:
    """Members of the patient's cell act on the follow-up; the system acts for the rules."""
    return actor.kind == SYSTEM or in_cell(actor, follow_up.cell)


def can_set_thresholds(actor: Actor, follow_up: Any) -> bool:
    """A practitioner of the cell asks for fewer answers, or changes from where a rule fires for this patient."""
    return in_cell(actor, follow_up.cell) and actor.has_role("practitioner")


def can_share(actor: Actor, follow_up: Any) -> bool:
    """The patient or who holds their link, members of the cell, and the clinical staff of the establishment that included
    the patient say who else reads the follow-up; the care circle itself does not (TS-14)."""
    if actor.is_patient:
        return actor.about == follow_up.pk
    included = can_read(actor) and actor.establishment_id == follow_up.dossier.establishment_id
    return included or in_cell(actor, follow_up.cell)


def can_close(actor: Actor, follow_up: Any) -> bool:
    """A practitioner of the cell closes a follow-up."""
    return in_cell(actor, follow_up.cell) and actor.has_role("practitioner")


def can_answer(actor: Actor, follow_up: Any) -> bool:
    """The patient or the one who holds their link, and members of the cell in their place (EC-10)."""
    if actor.is_patient:
        return actor.about == follow_up.pk
    return in_cell(actor, follow_up.cell)


def can_handle(actor: Actor, alert: Any) -> bool:
    """Members of the patient's cell take an alert and call."""
    return in_cell(actor, alert.follow_up.cell)


def can_escalate(actor: Actor, alert: Any) -> bool:
    """Whoever handles an alert hands it over to the doctor; the system when a red one is left without an answer (MA03)."""
    return actor.kind == SYSTEM or can_handle(actor, alert)


def can_finish(actor: Actor, alert: Any) -> bool:
    """Whoever handles an alert ends it; a red one, a practitioner alone."""
    return can_handle(actor, alert) and (not alert.level.startswith("rouge") or actor.has_role("practitioner"))


def can_decide_check(actor: Actor, alert: Any) -> bool:
    """A practitioner of the cell decides whether somebody goes and looks at a patient whom nobody can reach (MA04)."""
    return can_handle(actor, alert) and actor.has_role("practitioner")


def can_accept(actor: Actor, transfer: Any) -> bool:
    """Members of the cell that is asked accept or refuse."""
    return in_cell(actor, transfer.target)


def can_cancel(actor: Actor, transfer: Any) -> bool:
    """Members of the cell that asked take the demand back."""
    return in_cell(actor, transfer.source)


def is_system(actor: Actor, alert: Any) -> bool:
    """Done by the rules."""
    return actor.kind == SYSTEM


def can_export(actor: Actor, cell: Any) -> bool:
    """A practitioner of the cell takes its follow-ups and answers out of the platform."""
    return in_cell(actor, cell) and actor.has_role("practitioner")


def can_create_cell(actor: Actor) -> bool:
    """The manager or a practitioner of an establishment opens a cell there."""
    return actor.is_professional and actor.establishment_id is not None and actor.has_role("manager", "practitioner")


def rules_cells_alone(actor: Actor) -> bool:
    """A manager says who works in the cells of the establishment, and sees no patient of them."""
    return can_create_cell(actor) and not can_read(actor)


def can_read_rules(actor: Actor, cells: Any) -> bool:
    """A practitioner who works in a cell, in the name of any establishment, reads the rules and their drafts."""
    return (
        actor.is_professional
        and actor.has_role("practitioner")
        and cells.filter(
            members__user_id=actor.user_id, members__establishment_id=actor.establishment_id, members__until=None
        ).exists()
    )


def can_lead(actor: Actor, cells: Any) -> bool:
    """The medical leads of an establishment are the practitioners who work in a cell that it holds: they edit, replay and
    publish the rules of its cells, and of no other's. `cells`: every cell.
    """
    return actor.establishment_id is not None and can_read_rules(
        actor, cells.filter(establishment_id=actor.establishment_id)
    )


def can_edit(actor: Actor, draft: Any, cells: Any) -> bool:
    """The medical leads of the establishment for whose cells the draft is."""
    return actor.establishment_id == draft.establishment_id and can_lead(actor, cells)


def can_sign(actor: Actor, draft: Any, cells: Any) -> bool:
    """A practitioner who works in a cell of that establishment, from there or from elsewhere, signs as the second one."""
    return can_read_rules(actor, cells.filter(establishment_id=draft.establishment_id))
