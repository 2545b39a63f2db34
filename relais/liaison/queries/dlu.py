"""The DLU of a resident as screens and paper need it: the version in force, whether it is stale, and the versions before."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Max
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from relais.accounts.models import User
from relais.core.errors import NotFound
from relais.directory.models import Establishment
from relais.liaison.models import Closing, Dlu, HospitalTransfer, Request
from relais.patients.models import Patient
from relais.questionnaires.models import Response
from relais.questionnaires.queries import Section, response, shown, words

STALE_AFTER = timedelta(days=183)  # six months (HAS/ANESM)
# What a request and the DLU both say of a resident, with the same answers.
SHARED = {
    "fg.chambre": "dlu.chambre", "fg.gir": "dlu.gir", "fg.avq": "dlu.mobilite", "fg.cognitif": "dlu.cognitif",
    "fg.ttt": "dlu.ttt", "fg.ttt.risque": "dlu.ttt.risque", "fg.allergies": "dlu.allergies", "fg.da": "dlu.da",
    "fg.nts": "dlu.nts", "fg.pconf": "dlu.pconf", "fg.protection": "dlu.protection", "fg.tel": "dlu.tel",
}  # fmt: skip
SIGNS = (
    ("dlu.fr", "FR"), ("dlu.spo2", "SpO2"), ("dlu.o2debit", "O2"), ("dlu.fc", "FC"), ("dlu.pas", "PAS"),
    ("dlu.pad", "PAD"), ("dlu.temp", "T"), ("dlu.glyc", "Glycémie"), ("dlu.poids", "Poids"),
)  # fmt: skip
# What nobody should have to look for: (question, answers that are said).
FLAGS = (
    ("dlu.nts", ("pas-de-rea", "pas-hospit-sauf-confort", "palliatif")),
    ("dlu.da", ("oui-jointes", "oui-non-jointes")),
    ("dlu.ttt.risque", ("anticoagulant", "insuline")),
    ("dlu.dispositifs", ("pacemaker", "defibrillateur", "tracheotomie", "oxygene", "vni")),
    ("dlu.isolement", ("contact", "gouttelettes", "air")),
    ("dlu.bmr", ("portage", "infection")),
)


@dataclass(frozen=True)
class Brief:
    """What stands beside a request: enough to decide whether to open the whole."""

    dlu: Dlu
    stale: str  # why, in a sentence; "" when it is up to date
    allergies: str
    signs: str
    flags: tuple[str, ...]


@dataclass(frozen=True)
class Version:
    """One version with its author, and the questions whose answers it changed."""

    response: Response
    number: int
    author: str
    place: str
    changed: tuple[str, ...]


def dlu_of(patient: Patient, until: datetime | None = None) -> Dlu | None:
    """The DLU in force, or that which was at a moment (`permissions.moved_at`); None when nobody had written one.

    The caller has opened the patient for whoever asks.
    """
    rows = Dlu.objects.select_related("response__questionnaire", "establishment", "by", "patient")
    found = rows.defer("response__questionnaire__source").filter(patient=patient).first()
    return _as_of(found, until) if found and until and until < found.updated_at else found


def _as_of(dlu: Dlu, until: datetime) -> Dlu | None:
    """The row with the version of that moment; nobody saves it."""
    rows = Response.objects.filter(about=dlu.pk, received_at__lte=until).select_related("questionnaire")
    was = rows.defer("questionnaire__source").order_by("-received_at", "-id").first()
    if was is None or was.establishment_id is None or was.user_id is None:
        return None
    dlu.response, dlu.updated_at, dlu.establishment_id, dlu.by_id = (
        was, was.received_at, was.establishment_id, was.user_id,
    )  # fmt: skip
    return dlu


def brief(patient: Patient, now: datetime | None = None, until: datetime | None = None) -> Brief | None:
    """The DLU in short; None when nobody wrote one. `until`: as in `dlu_of`."""
    found = dlu_of(patient, until)
    left = left_at([patient.pk], before=until).get(patient.pk) if found else None
    return brief_of(found, left, now or timezone.now()) if found else None


def brief_of(found: Dlu, left: datetime | None, now: datetime) -> Brief:
    """As `brief`, for a DLU and the last departure to a hospital that are known."""
    return Brief(
        dlu=found,
        stale=stale(found, left, now),
        allergies=said(found.response, "dlu.allergies"),
        signs=signs(found.response),
        flags=flags(found.response),
    )


def stale(dlu: Dlu, left: datetime | None, now: datetime) -> str:
    """Why a DLU is no longer to be relied on: a hospital since its last version, or six months; "" when it is up to date."""
    if left and left >= dlu.updated_at.replace(second=0, microsecond=0):  # a sheet says the minute
        return _("Hospitalisation depuis la dernière mise à jour (%(day)s).") % {
            "day": f"{timezone.localtime(left):%d/%m/%Y}"
        }
    if now - dlu.updated_at > STALE_AFTER:
        return _("Plus de six mois depuis la dernière mise à jour.")
    return ""


def left_at(patients: Iterable[UUID], before: datetime | None = None) -> dict[UUID, datetime]:
    """When each of these residents was last in a hospital: came back from it or left for it, by a transfer sheet, or by a
    request that ended there. `before`: of the departures before this one."""
    ids = list(patients)
    gone = HospitalTransfer.objects.filter(patient__in=ids).annotate(last=Coalesce("returned_at", "departed_at"))
    ended = Request.objects.filter(patient__in=ids, closing=Closing.HOSPITAL)
    if before:
        gone, ended = gone.filter(departed_at__lt=before), ended.filter(closed_at__lt=before)
    found: dict[UUID, datetime] = {}
    for rows, name in ((gone, "last"), (ended, "closed_at")):
        for patient, at in rows.order_by().values_list("patient_id").annotate(Max(name)):
            found[patient] = max(at, found.get(patient, at))
    return found


def to_update(patients: Iterable[UUID]) -> dict[UUID, str]:
    """Of these residents, those whose DLU is missing or stale, with the words of a badge."""
    ids, now = list(patients), timezone.now()
    left = left_at(ids)
    known = {one.patient_id: one for one in Dlu.objects.filter(patient__in=ids).only("patient_id", "updated_at")}
    found = {}
    for pk in ids:
        if pk not in known:
            found[pk] = _("Pas de DLU")
        elif stale(known[pk], left.get(pk), now):
            found[pk] = _("DLU à mettre à jour")
    return found


def said(response: Response, name: str) -> str:
    """The answer to a question, in words; "" without one."""
    item = response.questionnaire.form.by_id.get(name)
    given = response.answers.get(name, [])
    return ", ".join(words(item, value) for value in given) if item else ""


def signs(response: Response) -> str:
    """The usual vital signs on one line."""
    return ", ".join(f"{label} {said(response, name)}" for name, label in SIGNS if response.answers.get(name))


def flags(response: Response) -> tuple[str, ...]:
    """What nobody should have to look for: comfort first, level of care, directives, treatments and devices at risk."""
    items, found = response.questionnaire.form.by_id, []
    if response.answers.get("dlu.palliatif") == [True]:
        found.append(_("Soins palliatifs : le confort prime"))
    for name, worth in FLAGS:
        given = [value for value in response.answers.get(name, []) if value in worth]
        if given:
            text = ", ".join(words(items[name], value) for value in given)
            alone = name in ("dlu.ttt.risque", "dlu.dispositifs", "dlu.nts")
            found.append(text if alone else f"{items[name].text} : {text[0].lower()}{text[1:]}")
    return tuple(found)


def sections(version: Response, door: Callable[[UUID], str]) -> list[Section]:
    """A version to read; `door` gives the address of a file."""
    return shown(version, door)


def versions(dlu: Dlu) -> list[Version]:
    """Every version up to the one in force, the last first."""
    rows = list(
        Response.objects.filter(about=dlu.pk, received_at__lte=dlu.updated_at).select_related("questionnaire").defer("questionnaire__source")
        .order_by("received_at", "id")
    )  # fmt: skip
    people: dict[UUID | None, str] = {
        one.pk: one.full_name for one in User.objects.filter(pk__in=[one.user_id for one in rows])
    }
    places: dict[UUID | None, str] = {
        one.pk: one.name for one in Establishment.objects.filter(pk__in=[one.establishment_id for one in rows])
    }
    found = [
        Version(
            response=one,
            number=number,
            author=people.get(one.user_id, ""),
            place=places.get(one.establishment_id, ""),
            changed=tuple(label for label, _words in changes(rows[number - 2], one)) if number > 1 else (),
        )
        for number, one in enumerate(rows, start=1)
    ]
    return found[::-1]


def changes(before: Response, after: Response) -> list[tuple[str, str]]:
    """(question, answer in words) of what a version says otherwise than another."""
    items = after.questionnaire.form.by_id
    return [
        (item.text, said(after, name) if item.type != "attachment" else "")
        for name, item in items.items()
        if item.is_question and before.answers.get(name) != after.answers.get(name)
    ]


def version(dlu: Dlu, pk: UUID) -> Response:
    """One version of a DLU, up to the one in force. NotFound when it is another's."""
    found = response(dlu.pk, pk)
    if found.received_at > dlu.updated_at:
        raise NotFound
    return found


def holds(dlu: Dlu, file_id: UUID) -> bool:
    """Whether a file belongs to a version of this DLU, up to the one in force."""
    rows = Response.objects.filter(about=dlu.pk, received_at__lte=dlu.updated_at)
    return rows.filter(answers__contains={"dlu.fichiers": [str(file_id)]}).exists()


def first_answers(patient: Patient, establishment: Establishment) -> dict[str, list[Any]]:
    """What is known before the first version: the nursing home's telephone, and what its last request says."""
    sent = Request.objects.filter(patient=patient, establishment=establishment).exclude(response=None)
    last = sent.select_related("response").order_by("-submitted_at", "-pk").first()
    answers = last.response.answers if last and last.response else {}
    known = {ours: answers[name] for name, ours in SHARED.items() if answers.get(name)}
    phone = establishment.phone
    return ({"dlu.tel": [phone]} if phone else {}) | known


def for_request(patient: Patient, since: datetime | None) -> dict[str, list[Any]]:
    """What the DLU says that a request asks too, if it is newer than `since` (the last request)."""
    found = Dlu.objects.select_related("response").filter(patient=patient).first()
    if found is None or (since and since > found.updated_at):
        return {}
    answers = found.response.answers
    return {name: answers[ours] for name, ours in SHARED.items() if answers.get(ours)}


def require(patient: Patient, until: datetime | None = None) -> Dlu:
    """As `dlu_of`. NotFound when nobody wrote one."""
    found = dlu_of(patient, until)
    if found is None:
        raise NotFound
    return found
