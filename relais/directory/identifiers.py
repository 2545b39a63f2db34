"""Numbers of organisations and professionals: FINESS refused when its key is wrong, RPPS only warned about."""

import re

from django.utils.translation import gettext as _
from stdnum import luhn

from relais.core.errors import Refused

FINESS = re.compile(r"(\d{2}|2[AB])\d{7}")
RPPS = re.compile(r"\d{11}")
CORSICA = str.maketrans("AB", "12")


def check_finess(text: str) -> str:
    """The FINESS number that `text` holds, spaces left out; Refused(field="finess") with a sentence.

    Luhn key over its nine characters, Corsica read as A→1, B→2 (standards.md §2: 33 of 33 real numbers).
    """
    number = re.sub(r"[\s.]", "", text).upper()
    if not FINESS.fullmatch(number):
        raise Refused(_("Un numéro FINESS a neuf chiffres (en Corse : 2A ou 2B, puis sept chiffres)."), field="finess")
    if not luhn.is_valid(number.translate(CORSICA)):
        raise Refused(_("Ce numéro FINESS n’existe pas : vérifiez chaque chiffre."), field="finess")
    return number


def check_rpps(text: str) -> str:
    """The RPPS number that `text` holds, spaces left out; Refused(field="rpps") unless it has eleven digits."""
    number = re.sub(r"[\s.]", "", text)
    if not RPPS.fullmatch(number):
        raise Refused(_("Un numéro RPPS a onze chiffres."), field="rpps")
    return number


def rpps_warning(number: str) -> str:
    """A sentence when the key looks wrong, else "". No official text makes the key a rule, so it never refuses."""
    return "" if luhn.is_valid(number) else _("Ce numéro RPPS semble comporter une erreur : vérifiez chaque chiffre.")
