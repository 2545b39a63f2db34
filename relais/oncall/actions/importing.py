"""A rota from a calendar or CSV file: looked at first, its good lines written when confirmed; twice changes nothing."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from relais.accounts.models import User
from relais.core.actor import Actor
from relais.core.errors import NotFound, Refused
from relais.core.transactions import whole
from relais.directory.models import Service
from relais.oncall import calendars, lines
from relais.oncall import permissions as may
from relais.oncall.actions.pool import lock
from relais.oncall.actions.slots import MOST, Said, add_slots, check_hours
from relais.oncall.hours import meet
from relais.oncall.lines import Line, plain
from relais.oncall.models import OnCallSlot
from relais.oncall.queries import doctors

RPPS = re.compile(r"\b[0-9]{11}\b")
TITLES = frozenset(
    ["dr", "docteur", "docteure", "pr", "professeur", "professeure", "m", "mr", "mme", "monsieur", "madame", "medecin",
     "astreinte", "garde", "renfort"]
)  # fmt: skip
NEW, KNOWN, PAST, WRONG = "new", "known", "past", "wrong"


@dataclass(frozen=True)
class Planned:
    """What would become of one line: new, known (there already, or said twice), past, or wrong (`why` says what to do)."""

    line: Line
    state: str
    why: str = ""
    doctor: User | None = None
    backup: User | None = None


def plan(*, actor: Actor, service: Service, data: bytes) -> list[Planned]:
    """What the file would do, line by line; writes nothing. Raises NotFound, and Refused for a file that cannot be read."""
    if not may.can_manage(actor, service):
        raise NotFound
    now = timezone.now()
    if data.lstrip(b"\xef\xbb\xbf \r\n\t").upper().startswith(calendars.CALENDAR):
        read = calendars.read(data, opens=service.opens, closes=service.closes, now=now)
    else:
        read = lines.read(data)
    people = [one.user for one in doctors(service)]
    ends = [one.ends_at for one in read if one.ends_at]
    there = OnCallSlot.objects.filter(service=service).between(now, max(ends)) if ends and max(ends) > now else []
    taken = [_Taken(one.user_id, one.starts_at, one.ends_at) for one in there]
    found = [_judged(one, people, taken, now) for one in read]
    if sum(one.state == NEW for one in found) > MOST:
        raise Refused(_("Ce fichier ajoute plus de 500 créneaux : envoyez-le en plusieurs fichiers."), field="file")
    return found


@dataclass(frozen=True)
class _Taken:
    user_id: UUID
    starts_at: datetime
    ends_at: datetime


def _judged(line: Line, people: list[User], taken: list[_Taken], now: datetime) -> Planned:
    """One line; what it takes is added to `taken`."""
    if line.problem or line.starts_at is None or line.ends_at is None:
        return Planned(line, WRONG, line.problem)
    if line.ends_at <= now:
        return Planned(line, PAST)
    try:
        check_hours(line.starts_at, line.ends_at)
        doctor = _person(line.doctor, people, _("médecin"))
        backup = _person(line.backup, people, _("renfort")) if line.backup else None
    except Refused as refused:
        return Planned(line, WRONG, refused.message)
    if doctor == backup:
        return Planned(
            line,
            WRONG,
            _("Le renfort est une autre personne que le médecin d’astreinte : corrigez-le, ou laissez-le vide."),
        )
    wanted = _Taken(doctor.pk, line.starts_at, line.ends_at)
    if wanted in taken:
        return Planned(line, KNOWN, doctor=doctor, backup=backup)
    if any(one.user_id == doctor.pk and meet(one, wanted) for one in taken):
        why = _("%(who)s est déjà d’astreinte à ce moment-là : corrigez les heures ou le médecin.") % {
            "who": doctor.full_name
        }
        return Planned(line, WRONG, why, doctor=doctor)
    taken.append(wanted)
    return Planned(line, NEW, doctor=doctor, backup=backup)


def _person(words: str, people: Iterable[User], what: str) -> User:
    """Who of the pool is meant: by e-mail address or RPPS number, which must match; else by the name in the words."""
    if not words.strip():
        raise Refused(
            _("Il manque le %(what)s : écrivez son adresse e-mail, son numéro RPPS ou son nom.") % {"what": what}
        )
    keys = _keys(words)
    named = [one for one in people if ({one.email.lower(), one.rpps} & keys if keys else _names(words, one))]
    if len(named) > 1:
        raise Refused(
            _("Plusieurs personnes de l’équipe portent ce nom (%(what)s) : écrivez l’adresse e-mail.") % {"what": what}
        )
    if not named:
        raise Refused(
            _(
                "Personne de l’équipe ne correspond au %(what)s « %(words)s » : corrigez, ou ajoutez-le d’abord à l’équipe."
            )
            % {"what": what, "words": words[:60]}
        )
    return named[0]


def _keys(words: str) -> set[str]:
    """The e-mail addresses and RPPS numbers of a text."""
    mails = {one.strip("<>()[],;:").lower() for one in words.split() if "@" in one}
    number = "".join(words.split())
    return mails | ({number} if number.isdecimal() else set(RPPS.findall(words)))


def _names(words: str, user: User) -> bool:
    """Whether this text is this person's name: the family name, and the given name as soon as there are other words."""
    text, family = f" {plain(words)} ", f" {plain(user.family_name)} "
    if family not in text:
        return False
    others = text.replace(family, " ", 1)
    return not set(others.split()) - TITLES or f" {plain(user.given_name)} " in others


@dataclass(frozen=True)
class Done:
    """What an import did, in lines."""

    made: int
    known: int
    left: int


@whole
def bring_in(*, actor: Actor, service: Service, data: bytes) -> Done:
    """Write the new lines of the file; wrong and past ones are left. The same file again writes nothing. Raises as `plan`."""
    if not may.can_manage(actor, service):
        raise NotFound
    lock(service)
    found = plan(actor=actor, service=service, data=data)
    new = [
        Said(
            user_id=one.doctor.pk,
            starts_at=one.line.starts_at,
            ends_at=one.line.ends_at,
            phone=one.line.phone,
            backup_id=one.backup.pk if one.backup else None,
            backup_phone=one.line.backup_phone,
        )
        for one in found
        if one.state == NEW and one.doctor and one.line.starts_at and one.line.ends_at
    ]
    if new:
        add_slots(actor=actor, service=service, said=new)
    return Done(
        made=len(new),
        known=sum(one.state == KNOWN for one in found),
        left=sum(one.state in (WRONG, PAST) for one in found),
    )
