"""What live pages of telemonitoring watch: ids and nothing else (architecture, Live)."""

from uuid import UUID


def cell_topic(cell_id: UUID) -> str:
    """The list of a cell."""
    return f"cell:{cell_id}"


def space_topic(follow_up_id: UUID) -> str:
    """The patient's own pages."""
    return f"space:{follow_up_id}"


def draft_topic(draft_id: UUID) -> str:
    """The laboratory's pages of a draft: replay and signatures."""
    return f"rules:{draft_id}"
