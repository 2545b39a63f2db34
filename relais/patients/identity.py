"""Identity by the French rules (standards.md §2, RNIV): matricules and their key, the four statuses, names. Pure rules.

Sentences are for the person who types: they raise Refused with the field they belong beside.
"""

import re
import unicodedata
from collections.abc import Collection
from datetime import date
from itertools import pairwise
from typing import Protocol

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from relais.core import times
from relais.core.errors import Refused

# Months 20-42 and 50-99 stand for incomplete civil status; the department 2A or 2B for Corsica.
SHAPE = re.compile(r"[1-478]\d{2}(0[1-9]|1[0-2]|[23]\d|4[0-2]|[5-9]\d)(\d{2}|2[AB])\d{6}\d{2}")
CORSICA = {"2A": "19", "2B": "18"}
BIRTH_PLACE = re.compile(r"\d{5}|2[AB]\d{3}")
STRICT_TRAITS = ("birth_family_name", "birth_given_names", "birth_date", "sex", "birth_place")
MARKS = {"homonyme": "Homonyme", "douteux": "Identité douteuse", "fictif": "Identité fictive"}
UNTRUSTED = frozenset({"douteux", "fictif"})
NAME_SIGNS = " '’ʼ-‐.·"
OLDEST_YEARS = 130
NIR_OID, NIA_OID = "1.2.250.1.213.1.4.8", "1.2.250.1.213.1.4.9"
TEST_OIDS = frozenset({"1.2.250.1.213.1.4.10", "1.2.250.1.213.1.4.11"})
PRINTED_STATUSES = {"PROV": "provisoire", "VALI": "validée", "RECUP": "récupérée", "QUAL": "qualifiée"}
PRINTED_SEXES = {"M": "Masculin", "F": "Féminin", "I": "Indéterminé"}
PRINTED_AUTHORITIES = {
    NIR_OID: "NIR",
    NIA_OID: "NIA",
    "1.2.250.1.213.1.4.10": "NIR de test",
    "1.2.250.1.213.1.4.11": "NIR de démonstration",
}


def key_of(thirteen: str) -> str:
    """The 2-figure key of the first 13 characters: 97 − (N mod 97), Corsica read 2A→19 and 2B→18."""
    department = thirteen[5:7]
    number = int(thirteen[:5] + CORSICA.get(department, department) + thirteen[7:13])
    return f"{97 - number % 97:02d}"


def compact(text: str) -> str:
    """A matricule as it is stored: no spaces, dots or hyphens, capital letters."""
    return re.sub(r"[\s.\-]", "", text).upper()


def clean_matricule(text: str, *, field: str) -> str:
    """The 15 characters of a matricule or social security number typed in any spacing.

    Raises Refused beside `field` for a wrong length, shape or key.
    """
    number = compact(text)
    if len(number) == 13 and SHAPE.fullmatch(number + "00"):
        raise Refused(_("Il manque la clé : les 2 derniers chiffres, à droite du numéro."), field=field)
    if len(number) != 15:
        typed = ngettext("%d caractère", "%d caractères", len(number)) % len(number)
        raise Refused(_("Ce numéro compte 15 caractères avec sa clé ; vous en avez saisi %s.") % typed, field=field)
    if not SHAPE.fullmatch(number):
        raise Refused(_("Ce numéro n’a pas la forme attendue. Recopiez-le depuis le document."), field=field)
    if key_of(number) != number[13:]:
        raise Refused(_("La clé (2 derniers chiffres) ne correspond pas : vérifiez chaque chiffre."), field=field)
    return number


def clean_ins(matricule: str, oid: str, *, allow_test: bool) -> tuple[str, str]:
    """A matricule INS and the OID without which it is never stored.

    Raises Refused when one is there without the other, when number and authority disagree, or for a test authority
    on a real installation (and a real one where everybody is invented).
    """
    if not matricule and not oid:
        return "", ""
    if not matricule or not oid:
        raise Refused(_("Le matricule INS et son autorité vont ensemble : indiquez les deux."), field="ins")
    number = clean_matricule(matricule, field="ins")
    if (oid in TEST_OIDS) != allow_test:
        sentence = (
            _("Sur cette installation de démonstration, seuls les matricules de test sont admis.")
            if allow_test
            else _("Les matricules de test ne sont pas admis ici.")
        )
        raise Refused(sentence, field="ins_oid")
    if oid == NIR_OID and number[0] not in "12":
        raise Refused(_("Un INS-NIR commence par 1 ou 2 ; ce numéro d’attente est un INS-NIA."), field="ins_oid")
    if oid == NIA_OID and number[0] in "12":
        raise Refused(_("Un INS-NIA est un numéro d’attente : il commence par 3, 4, 7 ou 8."), field="ins_oid")
    return number, oid


def warnings(matricule: str, *, sex: str, birth_date: date | None) -> list[str]:
    """What a person should look at: sex or birth differing from the number. Never a refusal (the answer of INSi decides)."""
    if not matricule:
        return []
    found = []
    if sex in ("M", "F") and matricule[0] in "1278" and (matricule[0] in "17") != (sex == "M"):
        found.append(
            _("Le sexe saisi diffère de celui que porte le numéro. Vérifiez-le ; l’enregistrement reste possible.")
        )
    if birth_date:
        month = int(matricule[3:5])
        same_month = month > 12 or month == birth_date.month  # an incomplete civil status says nothing of the month
        if int(matricule[1:3]) != birth_date.year % 100 or not same_month:
            found.append(
                _(
                    "L’année ou le mois de naissance diffère du numéro. Vérifiez la date ; l’enregistrement reste possible."
                )
            )
    return found


def status_of(*, retrieved: bool, checked: bool) -> str:
    """The status of two facts: traits and INS retrieved from INSi, identity checked on a strong document (EXI SI 07)."""
    return {(False, False): "PROV", (False, True): "VALI", (True, False): "RECUP", (True, True): "QUAL"}[
        retrieved, checked
    ]


def facts_of(status: str) -> tuple[bool, bool]:
    """(retrieved, checked) of a status."""
    return status in ("RECUP", "QUAL"), status in ("VALI", "QUAL")


def allowed_status(status: str, marks: Collection[str]) -> str:
    """The status once marks are taken into account: *douteux* and *fictif* forbid VALI and QUAL."""
    retrieved, checked = facts_of(status)
    return status_of(retrieved=retrieved, checked=checked and not UNTRUSTED.intersection(marks))


def status_after_edit(
    status: str, *, strict_trait_changed: bool, document_checked: bool, marks: Collection[str]
) -> str:
    """The status after traits were typed again: a changed strict trait is neither what INSi answered nor what the
    document showed, so both facts fall; the one who changes it may have the document at hand (`document_checked`).
    """
    retrieved, checked = facts_of(status)
    if strict_trait_changed:
        retrieved = checked = False
    return allowed_status(status_of(retrieved=retrieved, checked=checked or document_checked), marks)


def clean_name(text: str, *, field: str, required: bool = True) -> str:
    """A name kept as typed (O'Neil, d'Arc, Çelik, Nguyễn): NFC, trimmed, inner spaces folded to one.

    Raises Refused beside `field` for an empty name or signs that no name has.
    """
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not name:
        if required:
            raise Refused(_("Saisissez ce nom tel qu’il figure sur la pièce d’identité."), field=field)
        return ""
    letters = [char for char in name if unicodedata.category(char)[0] == "L"]
    if not letters or any(unicodedata.category(char)[0] not in "LM" and char not in NAME_SIGNS for char in name):
        raise Refused(
            _("Un nom ne contient que des lettres, espaces, apostrophes, points et traits d’union."), field=field
        )
    return name


def clean_birth_date(day: date | None, *, today: date, field: str = "birth_date") -> date | None:
    """A birth date that can be: not to come, at most 130 years ago."""
    if day is None:
        return None
    if day > today:
        raise Refused(_("Cette date de naissance est à venir : vérifiez l’année."), field=field)
    if today.year - day.year > OLDEST_YEARS:
        raise Refused(_("Cette date de naissance a plus de 130 ans : vérifiez l’année."), field=field)
    return day


def clean_birth_place(text: str) -> str:
    """The INSEE code of the place of birth: the commune, or 99 and the country for those born abroad."""
    code = compact(text)
    if code and not BIRTH_PLACE.fullmatch(code):
        raise Refused(
            _("Le lieu de naissance est un code INSEE de 5 caractères (99 et le pays pour l’étranger)."),
            field="birth_place",
        )
    return code


class Traits(Protocol):
    """What a document says of whom it is about: a patient, or the frozen copy of one that was signed."""

    @property
    def birth_family_name(self) -> str: ...
    @property
    def birth_given_names(self) -> str: ...
    @property
    def birth_date(self) -> date | None: ...
    @property
    def birth_place(self) -> str: ...
    @property
    def sex(self) -> str: ...
    @property
    def identity_status(self) -> str: ...
    @property
    def ins(self) -> str: ...
    @property
    def ins_oid(self) -> str: ...


def printed(patient: Traits, on: date | None = None) -> list[tuple[str, str]]:
    """Rows of the identity on a document (RNIV), with the age on a day where `on` is given; those without text fall.

    The matricule is printed only once the identity is qualified.
    """
    age = f" ({times.age(patient.birth_date, on)})" if patient.birth_date and on else ""
    authority = PRINTED_AUTHORITIES.get(patient.ins_oid, patient.ins_oid)
    qualified = patient.identity_status == "QUAL" and patient.ins
    rows = [
        ("Nom de naissance", patient.birth_family_name.upper()),
        ("Prénoms", patient.birth_given_names),
        ("Date de naissance", f"{patient.birth_date:%d/%m/%Y}{age}" if patient.birth_date else "Inconnue"),
        ("Lieu de naissance", f"{patient.birth_place} (code INSEE)" if patient.birth_place else ""),
        ("Sexe", PRINTED_SEXES.get(patient.sex, "")),
        ("Matricule INS", f"{grouped(patient.ins)} ({authority})" if qualified else ""),
        ("Identité INS", PRINTED_STATUSES.get(patient.identity_status, patient.identity_status)),
    ]
    return [row for row in rows if row[1].strip()]


def grouped(ins: str) -> str:
    """A matricule as people read it: 1 85 05 78 006 084 91."""
    cuts = (0, 1, 3, 5, 7, 10, 13, 15)
    return " ".join(ins[start:end] for start, end in pairwise(cuts)).strip()
