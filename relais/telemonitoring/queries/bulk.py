"""What would become of each line of a file of inclusions: new, known, followed already, or wrong and why."""

from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from relais.core.actor import Actor
from relais.core.errors import Refused
from relais.core.forms import BirthDateField
from relais.patients import contact, identity
from relais.patients.actions import Person, Traits
from relais.patients.models import Holder, InsAuthority, Patient
from relais.patients.queries.duplicates import Likely, Sought, likely_duplicates_of
from relais.patients.queries.search import fold
from relais.questionnaires import logic
from relais.questionnaires.form import Form
from relais.telemonitoring import bulk, inclusion
from relais.telemonitoring.models import FollowUp
from relais.telemonitoring.programme import Rhythm, months
from relais.telemonitoring.workflow import State

FIELDS = {
    "birth_family_name": "nom_naissance", "birth_given_names": "prenoms", "birth_date": "date_naissance",
    "email": "email", "phone": "telephone", "ins": "matricule_ins", "ins_oid": "matricule_ins",
}  # fmt: skip
BORN = BirthDateField(error_messages={"required": _l("Écrivez le jour comme 14/07/1958.")})
SEXES = {"m": "M", "masculin": "M", "f": "F", "feminin": "F", "i": "I", "indetermine": "I"}
NOTHING = logic.Checked({}, {}, frozenset())
Key = tuple[str, str, date | None]


@dataclass
class Planned:
    """One line, with what it would do. Exactly one of `state`'s words holds."""

    line: bulk.Line
    person: Person | None = None
    checked: logic.Checked = NOTHING
    holder: str = ""
    holder_name: str = ""
    known: Patient | None = None  # the same person beyond doubt, or chosen
    proposals: list[Likely] = field(default_factory=list)
    followed: bool = False
    left: bool = False  # somebody decided to leave it
    repeats: int = 0  # number of the line that this one repeats

    @property
    def number(self) -> int:
        return self.line.number

    @property
    def name(self) -> str:
        return " ".join([self.line.cells.get("nom_naissance", "").upper(), self.line.cells.get("prenoms", "")]).strip()

    @property
    def state(self) -> str:
        """wrong, left, repeated, followed, choose (people decide who it is) or ready."""
        if self.line.faults:
            return "wrong"
        if self.left:
            return "left"
        if self.repeats:
            return "repeated"
        if self.followed:
            return "followed"
        return "choose" if self.proposals and not self.known else "ready"

    @property
    def born(self) -> date | None:
        born: date | None = self.person.fields["birth_date"] if self.person else None
        return born

    @property
    def ins(self) -> str:
        return self.person.ins if self.person else ""

    @property
    def key(self) -> Key:
        fields = self.person.fields if self.person else {}
        return fold(fields.get("birth_family_name", "")), fold(fields.get("birth_given_names", "")), self.born


def plan(actor: Actor, lines: list[bulk.Line], form: Form, *, propose: bool) -> list[Planned]:
    """What each line would do, in the order of the file. `propose`: look for people who are nearly the same, too;
    those who are the same beyond doubt are found in any case. As many queries for any number of lines."""
    today = timezone.localdate()
    found = [_read(line, form, today) for line in lines]
    whole = [one for one in found if one.person]
    _mark_known(actor, whole)
    _mark_repeated([one for one in whole if not one.line.faults])
    if propose:
        _propose(actor, [one for one in whole if one.state == "ready" and one.known is None])
    _mark_followed(whole)
    return found


def _read(line: bulk.Line, form: Form, today: date) -> Planned:
    planned = Planned(line)
    planned.person = _person(line)
    given = bulk.answers_of(line, form)
    born, sex = planned.born, planned.person.fields["sex"] if planned.person else ""
    context: dict[str, list[Any]] = {"ctx.sexe": [sex or "I"]}
    if born:
        context["ctx.age"] = [round(months(born, today) / 12, 2)]
    checked = logic.check(form, {"inc.rythme": [Rhythm.STANDARD], **given, **context}, today)
    proposed = inclusion.proposed_rhythm(checked.answers, born=born, today=today)
    if "inc.rythme" not in given:
        checked = replace(checked, answers={**checked.answers, "inc.rythme": [proposed]})
    planned.checked = checked
    for key, message in checked.errors.items():
        if key in bulk.BY_QUESTION:
            line.wrong(bulk.BY_QUESTION[key], message if key in given else _("Remplissez cette colonne."))
    _holder(planned)
    return planned


def _person(line: bulk.Line) -> Person | None:
    cells = line.cells
    sex = SEXES.get(fold(cells.get("sexe", "")), "")
    if not sex:
        line.wrong("sexe", _("Écrivez M, F ou I."))
    born = None
    try:
        born = BORN.clean(cells.get("date_naissance", ""))
    except ValidationError as error:
        line.wrong("date_naissance", str(error.message))
    try:
        fields = Traits(
            birth_family_name=cells.get("nom_naissance", ""), birth_given_names=cells.get("prenoms", ""),
            birth_date=born, sex=sex, email=cells.get("email", ""), phone=cells.get("telephone", ""),
        ).cleaned()  # fmt: skip
        ins, oid = identity.clean_ins(*_matricule(cells.get("matricule_ins", "")), allow_test=_tests())
    except Refused as refused:
        line.wrong(FIELDS.get(refused.field or "", "nom_naissance"), refused.message)
        return None
    if not fields["email"] and not contact.is_mobile(fields["phone"]):
        line.wrong("email", _("Indiquez une adresse e-mail ou un mobile : le lien y est envoyé."))
    return Person(fields, ins, oid)


def _matricule(text: str) -> tuple[str, str]:
    number = identity.compact(text)
    if not number:
        return "", ""
    if _tests():
        return number, InsAuthority.TEST
    return number, InsAuthority.NIR if number[0] in "12" else InsAuthority.NIA


def _tests() -> bool:
    return bool(settings.DEMO or settings.TESTING)


def _holder(planned: Planned) -> None:
    cells = planned.line.cells
    holder = bulk.HOLDERS.get(fold(cells.get("qui_repond", "")))
    planned.holder, planned.holder_name = holder or "", cells.get("nom_repondant", "")[:200]
    if holder is None:
        planned.line.wrong("qui_repond", _("Écrivez patient, parent, tuteur, proche ou soignant."))
    elif holder != Holder.SELF and not planned.holder_name:
        planned.line.wrong("nom_repondant", _("Indiquez qui répondra pour le patient."))


def _mark_known(actor: Actor, whole: list[Planned]) -> None:
    """Who is in the site already beyond doubt: the same matricule, or the same names and birth date, and one alone."""
    numbers = {one.ins for one in whole} - {""}
    by_number = {one.ins: one for one in Patient.objects.filter(ins__in=numbers).defer("typo_keys")}
    same: dict[Key, dict[UUID, Patient]] = {}
    born = {one.born for one in whole}
    for patient in Patient.objects.visible_to(actor).filter(birth_date__in=born).defer("typo_keys"):
        for family in {patient.birth_family_name, patient.used_family_name} - {""}:
            for given in {patient.birth_given_names, patient.used_given_name, patient.given_name} - {""}:
                same.setdefault((fold(family), fold(given), patient.birth_date), {})[patient.pk] = patient
    for one in whole:
        held = by_number.get(one.ins)
        alike = [each for each in same.get(one.key, {}).values() if not _another_number(one, each)]
        if held and held.birth_date != one.born:
            one.line.wrong("matricule_ins", _("Ce matricule est celui d’une personne née un autre jour : vérifiez-le."))
        elif held and not _same_names(one, held):
            one.line.wrong(
                "matricule_ins", _("Ce matricule est celui d’une personne qui porte un autre nom : vérifiez-le.")
            )
        elif held:
            one.known = held
        elif len(alike) == 1 and not _another_sex(one, alike[0]):
            one.known = alike[0]
        elif alike:
            one.proposals = [Likely(patient, [_("même nom et même date de naissance")], 7) for patient in alike]


def _same_names(one: Planned, held: Patient) -> bool:
    """Whether who has the matricule has these names: that of a twin differs by its last figures."""
    family, given, _born = one.key
    families = {fold(held.birth_family_name), fold(held.used_family_name)}
    givens = {fold(name).split(" ")[0] for name in (held.birth_given_names, held.used_given_name) if name}
    return family in families and given.split(" ")[0] in givens


def _another_number(one: Planned, other: Planned | Patient) -> bool:
    """Two matricules are two people, whatever their names."""
    return bool(one.ins and other.ins and one.ins != other.ins)


def _another_sex(one: Planned, patient: Patient) -> bool:
    return bool(one.person and patient.sex and patient.sex != one.person.fields["sex"])


def _mark_repeated(right: list[Planned]) -> None:
    """Lines about a person of an earlier line of the same file."""
    first: dict[Any, Planned] = {}
    for one in right:
        keys = [one.key, *([one.ins] if one.ins else []), *([one.known.pk] if one.known else [])]
        before = (first[key] for key in keys if key in first and not _another_number(one, first[key]))
        one.repeats = next((each.number for each in before), 0)
        for key in keys:
            first.setdefault(key, one)


def _propose(actor: Actor, lines: list[Planned]) -> None:
    sought = [
        Sought(fields["birth_family_name"], fields["birth_given_names"], one.born, fields["phone"], fields["email"])
        for one in lines
        for fields in ([one.person.fields] if one.person else [])
    ]
    for one, likely in zip(lines, likely_duplicates_of(actor, sought), strict=True):
        one.proposals = [each for each in likely if not _another_number(one, each.patient)]


def _mark_followed(whole: list[Planned]) -> None:
    """Who is followed already."""
    ids = {one.known.pk for one in whole if one.known}
    open_ones = FollowUp.objects.exclude(state=State.CLOSED).filter(dossier__patient__in=ids)
    followed = set(open_ones.values_list("dossier__patient_id", flat=True))
    for one in whole:
        one.followed = one.known is not None and one.known.pk in followed
