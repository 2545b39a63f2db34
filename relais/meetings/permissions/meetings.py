"""Who may do what with a meeting, in sentences. `meeting` is a row."""

from typing import Any

from relais.core.actor import SYSTEM, Actor


def can_plan(actor: Actor) -> bool:
    """Every professional in an establishment may meet others (VR-07)."""
    return actor.is_professional and actor.establishment_id is not None


def can_arrange(actor: Actor, meeting: Any) -> bool:
    """Whoever planned it cancels it and invites; where they left since, the managers of the establishment do."""
    if not can_plan(actor):
        return False
    return actor.user_id == meeting.organiser_id or (
        actor.has_role("manager") and actor.establishment_id == meeting.establishment_id
    )


def can_host(actor: Actor, meeting: Any) -> bool:
    """Whoever planned it and the professionals invited enter at once, and let the guests in."""
    if not can_plan(actor):
        return False
    return actor.user_id == meeting.organiser_id or meeting.invitees.filter(user_id=actor.user_id).exists()


def can_end(actor: Actor, meeting: Any) -> bool:
    """Whoever planned it, or a manager of its establishment, ends it for all; so does the system, long after its hour."""
    return actor.kind == SYSTEM or can_arrange(actor, meeting)
