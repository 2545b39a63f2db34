"""How to reach somebody: telephone and e-mail checked as they are typed (TC-18: valid). No network is asked."""

import phonenumbers
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _
from phonenumbers import PhoneNumberType

from relais.core.errors import Refused

REGIONS = ("FR", "GP", "MQ", "GF", "RE", "YT", "PM", "NC", "PF")  # typed without prefix: the mainland, then overseas
MOBILE = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)
PAID = (PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST)
# Numbers that the regulator keeps for fiction (ARCEP decision 2018-0881).
FICTION = ("+3319900", "+3326191", "+3335301", "+3346571", "+3353649", "+3363998")
FICTION_MOBILE = "+3363998"
IMPOSSIBLE_ENDS = {
    "con": "com",
    "cmo": "com",
    "ocm": "com",
    "comm": "com",
    "frr": "fr",
    "rf": "fr",
    "fre": "fr",
    "ney": "net",
}
LONGEST = 254  # characters of an address: what a message can be sent to, and what the database keeps
RESERVED_ENDS = ("test", "example", "invalid", "localhost", "local")


def fiction_allowed() -> bool:
    """Invented people have invented numbers and addresses: only on demonstration data and in tests."""
    return settings.DEMO or settings.TESTING


def clean_phone(text: str, *, field: str = "phone") -> str:
    """A telephone number as E.164 (`+33639980001`), or "" for nothing typed; French by default.

    Raises Refused beside `field` for what is no number, is charged for, or is kept for fiction on real data.
    """
    typed = text.strip()
    if not typed:
        return ""
    number = _parse(typed)
    if number is None:
        raise Refused(
            _("Ce numéro ne peut pas exister. Saisissez par exemple 06 12 34 56 78, ou +32… pour l’étranger."),
            field=field,
        )
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if phonenumbers.number_type(number) in PAID:
        raise Refused(_("Ce numéro est surtaxé : saisissez un numéro personnel."), field=field)
    if e164.startswith(FICTION) and not fiction_allowed():
        raise Refused(_("Ce numéro est réservé à la fiction : vérifiez-le."), field=field)
    return e164


def _parse(typed: str) -> phonenumbers.PhoneNumber | None:
    for region in REGIONS:
        try:
            number = phonenumbers.parse(typed, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return number
        if phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164).startswith(FICTION_MOBILE):
            return number if phonenumbers.is_possible_number(number) else None
    return None


def is_mobile(e164: str) -> bool:
    """Whether an SMS can reach this number."""
    if not e164:
        return False
    if e164.startswith(FICTION_MOBILE):
        return True
    try:
        return phonenumbers.number_type(phonenumbers.parse(e164)) in MOBILE
    except phonenumbers.NumberParseException:
        return False


def clean_mobile(text: str, *, field: str = "phone") -> str:
    """A number that SMS reach, as E.164, or "" for nothing typed; Refused for a landline."""
    e164 = clean_phone(text, field=field)
    if e164 and not is_mobile(e164):
        raise Refused(_("Ce numéro est un fixe : les SMS n’y arrivent pas. Saisissez un mobile."), field=field)
    return e164


def shown(e164: str) -> str:
    """A number as people read it: `06 39 98 00 01`, foreign ones with their prefix."""
    if not e164:
        return ""
    try:
        number = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return e164
    french = number.country_code == 33
    form = phonenumbers.PhoneNumberFormat.NATIONAL if french else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(number, form)


def clean_email(text: str, *, field: str = "email") -> str:
    """An e-mail address that can exist, its domain in small letters, or "" for nothing typed.

    Raises Refused beside `field` for a wrong syntax, too many characters or an ending that no domain has.
    """
    typed = text.strip()
    if not typed:
        return ""
    if len(typed) > LONGEST:
        raise Refused(_("Cette adresse e-mail est trop longue : 254 caractères au plus."), field=field)
    try:
        validate_email(typed)
    except ValidationError:
        raise Refused(
            _("Cette adresse e-mail est incomplète. Saisissez par exemple nom@domaine.fr."), field=field
        ) from None
    local, _at, domain = typed.rpartition("@")
    domain = domain.lower()
    name, _dot, end = domain.rpartition(".")
    if meant := IMPOSSIBLE_ENDS.get(end):
        raise Refused(
            _("Le domaine « .%(end)s » n’existe pas. Vouliez-vous dire %(meant)s ?")
            % {"end": end, "meant": f"{local}@{name}.{meant}"},
            field=field,
        )
    if (end in RESERVED_ENDS or domain.startswith("example.")) and not fiction_allowed():
        raise Refused(_("Cette adresse ne peut recevoir aucun message : vérifiez-la."), field=field)
    return f"{local}@{domain}"
