"""What is said beside a question, once for server and browser, and how figures and days are written in it."""

from django.utils.translation import gettext as _


def sentences() -> dict[str, str]:
    """Every sentence by its key; {min}, {max}, {unit}, {count} and {label} are filled in by `say` (and in logic.js)."""
    return {
        "required": _("Répondez à cette question."),
        "rows": _("Ajoutez au moins une ligne."),
        "must_be_true": _("Ce point doit être confirmé pour continuer."),
        "boolean": _("Répondez par oui ou par non."),
        "integer": _("Saisissez un nombre entier, par exemple 18."),
        "decimal": _("Saisissez un nombre, par exemple 38,5."),
        "decimals_0": _("Saisissez un nombre sans virgule."),
        "decimals_1": _("Gardez un seul chiffre après la virgule."),
        "decimals": _("Gardez {count} chiffres au plus après la virgule."),
        "between": _("Valeur impossible, vérifiez : indiquez un nombre de {min} à {max}{unit}."),
        "at_least": _("Valeur impossible, vérifiez : indiquez au moins {min}{unit}."),
        "at_most": _("Valeur impossible, vérifiez : indiquez au plus {max}{unit}."),
        "date": _("Saisissez une date comme 21/11/2026."),
        "day_between": _("Vérifiez cette date : indiquez un jour du {min} au {max}."),
        "day_from": _("Vérifiez cette date : indiquez un jour à partir du {min}."),
        "day_until": _("Vérifiez cette date : indiquez un jour jusqu’au {max}."),
        "time": _("Saisissez une heure comme 14:30."),
        "text": _("Écrivez une réponse."),
        "short": _("Écrivez au moins {count} caractères."),
        "long": _("Écrivez {count} caractères au plus."),
        "choice": _("Choisissez une des réponses proposées."),
        "exclusive": _("« {label} » ne va avec aucune autre réponse."),
        "single": _("Une seule réponse est attendue."),
        "many": _("Gardez {count} réponses au plus."),
        "attachment": _("Ce fichier n’est pas arrivé. Ajoutez-le de nouveau."),
        "reference": _("Choisissez une des personnes trouvées."),
    }


def say(key: str, **values: str) -> str:
    """The sentence of that key with its values."""
    sentence = sentences()[key]
    for name, value in values.items():
        sentence = sentence.replace("{" + name + "}", value)
    return sentence


def figure(number: float) -> str:
    """A number as French writes it: 42,5."""
    text = repr(number)
    return (text[:-2] if text.endswith(".0") else text).replace(".", ",")


def day(iso: str) -> str:
    """2026-11-21 as 21/11/2026."""
    year, month, number = iso.split("-")
    return f"{number}/{month}/{year}"
