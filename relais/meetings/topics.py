"""What live pages of rooms watch: ids and nothing else (architecture, Live)."""

from uuid import UUID

ON_DUTY = "doors:duty"
MEETING = "meeting:"


def doors(holder_id: UUID) -> str:
    """The doors of an establishment, or of somebody who answers for a service."""
    return f"doors:{holder_id}"


def meeting(meeting_id: UUID) -> str:
    return f"{MEETING}{meeting_id}"
