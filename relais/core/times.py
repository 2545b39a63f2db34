"""Times as people say them. Europe/Paris on screen; the words of `ago` and `until` are those of ui/countdown.js."""

import datetime
from functools import lru_cache

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

Moment = datetime.datetime | datetime.date


def full(moment: Moment) -> str:
    """*samedi 21 novembre 2026 à 14:30*; a date has no hour."""
    if isinstance(moment, datetime.datetime):
        moment = timezone.localtime(moment)
        return _("%(day)s à %(hour)s") % {"day": _day(moment.date(), "l j F Y"), "hour": f"{moment:%H:%M}"}
    return _day(moment, "l j F Y")


def stamp(moment: datetime.datetime) -> str:
    """*21/11/2026 à 14:52*: as documents print it, in Paris."""
    local = timezone.localtime(moment)
    return f"{local:%d/%m/%Y} à {local:%H:%M}"


@lru_cache(maxsize=512)
def _day(day: datetime.date, form: str) -> str:
    """A day in words; a list names the same few days again and again. Screens are in one language."""
    return date_format(day, form)


def near(moment: Moment) -> str:
    """*aujourd'hui 14:30*, *demain 09:00*, *mardi 24 novembre 14:30*; the year when it is another."""
    today, clock = timezone.localdate(), ""
    if isinstance(moment, datetime.datetime):
        local = timezone.localtime(moment)
        day, clock = local.date(), f" {local:%H:%M}"
    else:
        day = moment
    names = {-1: _("hier"), 0: _("aujourd’hui"), 1: _("demain")}
    distance = (day - today).days
    if distance in names:
        words = names[distance]
    elif abs(distance) < 7:
        words = _day(day, "l j F")
    else:
        words = _day(day, "j F" if day.year == today.year else "j F Y")
    return words + clock


def ago(moment: datetime.datetime) -> str:
    """*à l’instant*, *il y a 12 min*, *il y a 3 h*, then as `near`."""
    minutes = int((timezone.now() - moment).total_seconds() // 60)
    if minutes < 0 or minutes >= 24 * 60:
        return near(moment)
    if minutes < 1:
        return _("à l’instant")
    return _("il y a %s") % _span(minutes)


def until(moment: datetime.datetime) -> str:
    """*dans 12 min*, *dans 1 h 05*, *maintenant*, *depuis 4 min* once it is past; as `near` beyond a day."""
    seconds = (moment - timezone.now()).total_seconds()
    minutes = int(-(-seconds // 60)) if seconds > 0 else int(seconds // 60 + 1)
    if abs(minutes) >= 24 * 60:
        return near(moment)
    if minutes == 0:
        return _("maintenant")
    return (_("dans %s") if minutes > 0 else _("depuis %s")) % _span(abs(minutes))


def _span(minutes: int) -> str:
    if minutes < 60:
        return _("%d min") % minutes
    hours, rest = divmod(minutes, 60)
    return _("%(hours)d h %(rest)02d") % {"hours": hours, "rest": rest} if rest else _("%d h") % hours


def age(born: datetime.date, on: datetime.date | None = None) -> str:
    """The age of a person: *72 ans*; below 2 years *14 mois*, below one month *12 jours*."""
    day = on or timezone.localdate()
    months = (day.year - born.year) * 12 + day.month - born.month - (day.day < born.day)
    if months >= 24:
        return _("%d\u00a0ans") % (months // 12)
    if months >= 1:
        return _("%d\u00a0mois") % months
    days = max((day - born).days, 0)
    return ngettext("%d\u00a0jour", "%d\u00a0jours", days) % days
