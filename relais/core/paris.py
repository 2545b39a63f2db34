"""Paris time on screen, UTC in the database: the two nights a year when an hour is missing or comes twice."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from relais.core.errors import Refused

PARIS = ZoneInfo("Europe/Paris")


def to_utc(day: date, clock: time) -> datetime:
    """The instant of a Paris date and time.

    Raises Refused for a time that does not exist (2 h to 3 h on the last Sunday of March); of a time that comes
    twice (last Sunday of October) the first is meant.
    """
    local = datetime.combine(day, clock, tzinfo=PARIS)
    try:
        instant = local.astimezone(UTC)
    except OverflowError:  # the first day that there is
        raise Refused(_("Cette date est impossible : vérifiez l’année."), field="date") from None
    if instant.astimezone(PARIS).replace(tzinfo=None) != local.replace(tzinfo=None):
        raise Refused(
            _("Cette heure n’existe pas : dans la nuit du passage à l’heure d’été, il est 3 h après 1 h 59."),
            field="time",
        )
    return instant


def midnight(day: date) -> datetime:
    """The instant at which `day` begins in Paris."""
    return to_utc(day, time.min)
