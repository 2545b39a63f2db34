"""What live pages of teleconsultation watch: ids and nothing else (architecture, Live)."""

from uuid import UUID, uuid5

from relais.dossiers import actions as dossiers
from relais.teleconsultation.models import Teleconsultation


def dashboard_topic(establishment_id: UUID) -> str:
    """The dashboard of an establishment."""
    return f"dashboard:{establishment_id}"


def space_topic(tele: Teleconsultation) -> str:
    """The patient's own pages."""
    return f"space:{tele.pk}"


def report_topic(tele: Teleconsultation) -> str:
    """The report while it is written: a section was saved, or the report was added."""
    return f"report:{tele.pk}"


def report_about(tele: Teleconsultation) -> UUID:
    """What those who write in the report are present about (rooms.Presence): not the call, nor the appointment."""
    return uuid5(tele.pk, "report")


def staff_topics(tele: Teleconsultation) -> list[str]:
    """Where professionals see this appointment: on the dashboard and in its dossier."""
    return [dashboard_topic(tele.establishment_id), dossiers.topic(tele.pk)]
