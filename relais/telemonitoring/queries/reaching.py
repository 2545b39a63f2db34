"""Who can be called about a patient, in the order of MA04, and what each call gave."""

from dataclasses import dataclass

from relais.accounts.models import Membership
from relais.accounts.queries import find_professional
from relais.patients import contact
from relais.patients.models import Holder
from relais.telemonitoring.actions.alerts import REACHED
from relais.telemonitoring.models import Alert, Call, FollowUp
from relais.telemonitoring.queries.follow_up import carers, general_practitioner, way_in
from relais.telemonitoring.reaching import Called, Person, Tried, next_of, was_tried


def people(follow_up: FollowUp) -> list[Person]:
    """The patient, or who answers for them; those close to them, each number once; the treating doctor of the inclusion."""
    grant = way_in(follow_up)
    patient = follow_up.dossier.patient
    own = [patient.phone] + ([grant.phone] if grant and (grant.holder == Holder.SELF or not patient.phone) else [])
    first = Person(Called.PATIENT, patient.full_name, _numbers(*own))
    close = [Person(Called.HELPER, name, _numbers(number)) for name, number in carers(follow_up) if name or number]
    if grant and grant.holder != Holder.SELF:
        close.insert(
            0, Person(Called.HELPER, grant.holder_name, _numbers(grant.phone), str(grant.get_holder_display()))
        )
    found, taken = [first], {_figures(one) for one in first.numbers}
    for one in close:
        theirs = {_figures(number) for number in one.numbers} or {one.name}
        if not theirs & taken:
            found.append(one)
            taken |= theirs
    return found + _doctor(follow_up)


def _numbers(*given: str) -> tuple[str, ...]:
    """Each number once."""
    return tuple({_figures(one): one for one in given if one}.values())


def _figures(number: str) -> str:
    """A number without its spaces and its country: +33 6… and 06… are one."""
    return "".join(char for char in number if char.isdecimal())[-9:]


def _doctor(follow_up: FollowUp) -> list[Person]:
    """With the number of where they work: a professional's own is no number to give."""
    rpps = general_practitioner(follow_up)
    if not rpps:
        return []
    known = find_professional(rpps=rpps)
    if known is None:
        return [Person(Called.DOCTOR, f"RPPS {rpps}")]
    works = Membership.objects.filter(user=known, ended_at=None, establishment__active=True)
    work = works.select_related("establishment").order_by("created_at", "pk").first()
    place = work.establishment if work else None
    return [Person(Called.DOCTOR, known.full_name, _numbers(place.phone) if place else (), place.name if place else "")]


def since_news(alert: Alert) -> list[Call]:
    """The calls about this alert since somebody had news, or a physician decided of a check; the oldest first."""
    calls = list(Call.objects.filter(alert=alert).order_by("created_at", "pk"))
    ends = [place for place, one in enumerate(calls) if one.outcome in REACHED or one.called == Called.CHECK]
    return calls[ends[-1] + 1 :] if ends else calls


def tried(alert: Alert) -> set[Tried]:
    """For whom these calls were."""
    return {(one.called, one.person) for one in since_news(alert)}


@dataclass(frozen=True)
class Turn:
    """A person of the sequence: what the calls to them gave, the last first; `now`: the one to call."""

    number: int  # from 1, as it is asked for in the address of the page
    person: Person
    calls: list[Call]
    now: bool

    @property
    def label(self) -> str:
        return str(Called(self.person.called).label)

    @property
    def numbers(self) -> list[tuple[str, str]]:
        """(as it is read, as it is dialled) of each number."""
        return [(contact.shown(one) or one, one) for one in self.person.numbers]


def sequence(follow_up: FollowUp, alert: Alert | None) -> list[Turn]:
    """Everybody who can be called about the patient, in the order of MA04, and the one whose turn it is."""
    everybody = people(follow_up)
    calls = since_news(alert) if alert else []
    noted = {(one.called, one.person) for one in calls}
    now = next_of(everybody, noted) if alert and alert.next_called else everybody[0]
    return [
        Turn(place, one, [call for call in reversed(calls) if was_tried(one, {(call.called, call.person)})], one == now)
        for place, one in enumerate(everybody, start=1)
    ]
