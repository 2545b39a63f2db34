"""Including many people from one file: one transaction, a few statements a step, nothing twice (EC-02, EC-15, EC-18)."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import NAMESPACE_URL, UUID, uuid5

from django.utils import timezone
from procrastinate.contrib.django import app

from relais.core import live
from relais.core.actor import SYSTEM_ACTOR, Actor
from relais.core.doors import get_visible
from relais.core.errors import NotFound
from relais.core.transactions import whole
from relais.directory.models import Establishment
from relais.dossiers import actions as dossiers
from relais.dossiers.models import Dossier
from relais.patients import actions as patients
from relais.patients.models import Grant, Holder, Patient
from relais.questionnaires import actions as questionnaires
from relais.questionnaires.actions import Given, Times, Who
from relais.questionnaires.models import Relation, Response
from relais.questionnaires.queries import current
from relais.telemonitoring import bulk, inclusion, messages
from relais.telemonitoring import permissions as may
from relais.telemonitoring.actions.enrol import KIND, cell_for, name_of, one_at_a_time, open_until
from relais.telemonitoring.models import Cell, FollowUp
from relais.telemonitoring.programme import end_of
from relais.telemonitoring.queries.bulk import Planned, plan
from relais.telemonitoring.topics import cell_topic
from relais.telemonitoring.workflow import State

FORM = "ecovid-inclusion"
SEND = "relais.telemonitoring.tasks.let_in"
AT_ONCE = 100  # ways in that one job sends
ANOTHER = "nouveau"  # the answer to "is it this person?": no, somebody else
MANY = 500  # rows of one statement


@dataclass(frozen=True)
class Included:
    """What a file became: follow-ups made, lines that were there already, lines left aside."""

    made: int
    already: int
    left: int


@whole
def enrol_many(
    *, actor: Actor, cell_id: UUID, data: bytes, choices: dict[int, str], started_at: datetime | None = None
) -> Included:
    """Follow everybody of a CSV file whose line is right; the others are left aside.

    `choices`, by line number: the id of the patient that somebody recognised, ANOTHER for a person who is new, "" for
    a line to leave. The same file sent twice, by one or by two at once, follows nobody twice. Messages leave once the
    passwords are made, by jobs of the same transaction. Raises NotFound for who may not and for a cell that is not
    open to the actor, Refused for a file that cannot be read or rules that nobody approved.
    """
    if not may.can_enrol(actor):
        raise NotFound
    cell = cell_for(actor, cell_id)
    one_at_a_time(f"inclusions:{cell.pk}", f"inclusions:{actor.here}")
    lines = plan(actor, bulk.read(data), current(FORM).form, propose=False)
    _choose(actor, lines, choices)
    known = [one.known.pk for one in lines if one.known]
    one_at_a_time(*map(name_of, known))
    followed = _followed(known)
    keys = _keys(hashlib.sha256(data).hexdigest(), cell, lines)
    done = set(FollowUp.objects.filter(request_key__in=keys.values()).values_list("request_key", flat=True))
    there = {one.number for one in lines if keys[one.number] in done or (one.known and one.known.pk in followed)}
    ready = [one for one in lines if one.state == "ready" and one.number not in there]
    _make(actor, cell, ready, keys, started_at or timezone.now())
    return Included(made=len(ready), already=len(there), left=len(lines) - len(ready) - len(there))


def _keys(digest: str, cell: Cell, lines: list[Planned]) -> dict[int, UUID]:
    """Of each line of one file for one cell on one day: sent again, it is the same request, as long as nobody has closed
    what it had made."""
    name = f"urn:relais:inclusions:{timezone.localdate()}:{cell.pk}:{digest}"
    keys = {one.number: uuid5(NAMESPACE_URL, f"{name}:{one.number}") for one in lines}
    while closed := _closed(keys.values()):
        keys = {number: uuid5(key, "again") if key in closed else key for number, key in keys.items()}
    return keys


def _closed(keys: Iterable[UUID]) -> set[UUID | None]:
    rows = FollowUp.objects.filter(request_key__in=list(keys), state=State.CLOSED)
    return set(rows.values_list("request_key", flat=True))


def _choose(actor: Actor, lines: list[Planned], choices: dict[int, str]) -> None:
    """What people decided of the lines that looked like somebody: the person chosen is one that the actor sees."""
    for one in lines:
        if one.number not in choices or one.state not in ("ready", "choose") or one.known:
            continue
        choice = choices[one.number]
        if choice and choice != ANOTHER:
            one.known = get_visible(Patient, actor, pk=choice)
        one.left = not choice
        one.proposals = []
    known = [one.known.pk for one in lines if one.known]
    for one in lines:
        if one.known and one.number in choices and known.count(one.known.pk) > 1:
            one.left = True  # two lines were said to be one person: nobody knows which one to keep


def _followed(ids: list[UUID]) -> set[UUID]:
    rows = FollowUp.objects.filter(dossier__patient__in=ids).exclude(state=State.CLOSED)
    return set(rows.values_list("dossier__patient_id", flat=True))


def _make(actor: Actor, cell: Cell, ready: list[Planned], keys: dict[int, UUID], started_at: datetime) -> None:
    if not ready:
        return
    new = [one for one in ready if one.known is None and one.person]
    made = patients.create_patients(actor=actor, people=[one.person for one in new if one.person])
    for one, patient in zip(new, made, strict=True):
        one.known = patient
    people = [one.known for one in ready if one.known]
    place = Establishment.objects.get(pk=actor.here)
    files = dossiers.create_many(actor=actor, kind=KIND, patients=people, establishment=place)
    responses = questionnaires.answer_many(
        actor=actor,
        questionnaire=current(FORM),
        given=[Given(file.pk, one.checked, keys[one.number]) for file, one in zip(files, ready, strict=True)],
        times=Times(started_at=started_at),
        who=Who(relation=Relation.PROFESSIONAL),
    )
    rows = [_follow_up(actor, cell, *each, keys[each[2].number]) for each in zip(files, responses, ready, strict=True)]
    FollowUp.objects.bulk_create(rows, batch_size=MANY)
    open_all_to_cell(actor, cell, files)
    patients.open_grants(actor=actor, ways=[_way_in(*each) for each in zip(rows, ready, strict=True)])
    for first in range(0, len(rows), AT_ONCE):
        app.configure_task(SEND).defer(follow_up_ids=[str(one.pk) for one in rows[first : first + AT_ONCE]])
    live.ping(cell_topic(cell.pk))


def _follow_up(actor: Actor, cell: Cell, dossier: Dossier, response: Response, planned: Planned, key: UUID) -> FollowUp:
    today = timezone.localdate()
    found = inclusion.read(response.answers, born=dossier.patient.birth_date, today=today)
    return FollowUp(
        dossier=dossier, cell=cell, status=found.status, onset=found.onset, starts_on=today,
        ends_on=end_of(found.onset, today), rhythm=found.rhythm, risk=found.risk, factors=list(found.factors),
        facts=found.facts, equipment=list(found.equipment), inclusion=response, enrolled_by_id=actor.me, request_key=key,
    )  # fmt: skip


def open_all_to_cell(actor: Actor, cell: Cell, files: list[Dossier]) -> None:
    """As enrol.open_to_cell, for many."""
    links = [(one.patient, one.pk) for one in files]
    if cell.establishment_id != actor.here:
        patients.grant_care_to(actor=actor, links=links, establishment_id=cell.establishment_id)
    elsewhere = cell.members.at_work().exclude(establishment_id=cell.establishment_id)
    for user_id in elsewhere.values_list("user_id", flat=True).distinct():
        patients.grant_care_to(actor=actor, links=links, user_id=user_id)


def _way_in(follow_up: FollowUp, planned: Planned) -> patients.WayIn:
    fields = planned.person.fields if planned.person else {}
    return patients.WayIn(
        patient=follow_up.dossier.patient,
        about=follow_up.pk,
        valid_until=open_until(follow_up),
        holder=planned.holder,
        holder_name=planned.holder_name if planned.holder != Holder.SELF else "",
        email=fields.get("email", ""),
        phone=fields.get("phone", ""),
    )


def let_all_in(follow_up_ids: Iterable[UUID]) -> None:
    """`let_in` for each. Raises ExceptionGroup at the end, all others done, when some could not be let in."""
    failed = []
    for one in follow_up_ids:
        try:
            let_in(follow_up_id=one)
        except Exception as error:  # noqa: BLE001  (one that cannot be let in must not keep out those behind it)
            failed.append(error)
    if failed:
        raise ExceptionGroup("People who could not be let in", failed)


@whole
def let_in(*, follow_up_id: UUID) -> bool:
    """Make the password of a way in that was opened without one, and send it; once, whoever asks again."""
    grants = Grant.objects.select_for_update(of=("self",)).filter(about=follow_up_id, revoked_at=None)
    grant = grants.order_by("created_at", "pk").first()
    if grant is None or not patients.has_no_secret(grant):
        return False
    follow_up = FollowUp.objects.select_related("dossier__patient").get(pk=follow_up_id)
    secrets = patients.renew_secrets(actor=SYSTEM_ACTOR, grant=grant)
    messages.send_access(follow_up, grant, secrets)
    return True
