"""What live pages of tele-expertise watch: ids and nothing else (architecture, Live)."""

from uuid import UUID


def service_topic(service_id: UUID) -> str:
    """The worklist of those who answer for a service."""
    return f"expertise.service:{service_id}"


def place_topic(establishment_id: UUID) -> str:
    """The requests of an establishment."""
    return f"expertise.place:{establishment_id}"
