"""What live pages of liaison watch: ids and nothing else (architecture, Live)."""

from uuid import UUID


def service_topic(service_id: UUID) -> str:
    """The list of a service that is asked."""
    return f"liaison-service:{service_id}"


def home_topic(establishment_id: UUID) -> str:
    """The page of a nursing home."""
    return f"liaison-home:{establishment_id}"
