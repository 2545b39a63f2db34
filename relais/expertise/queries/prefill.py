"""What a draft begins with when it is opened from another dossier: what that one says already, its author corrects it."""

from typing import Any

from django.utils import timezone

from relais.dossiers.facts import Facts
from relais.expertise.models import Form
from relais.questionnaires.queries import current

TEXTS = {
    "tg.lieu": "place", "tg.question": "question", "tg.histoire": "history", "tg.antecedents": "background",
    "tg.traitements": "treatments", "tg.allergies": "allergies", "tg.examen": "examination", "tg.rappel": "phone",
    "tc.nts": "care_level", "tc.da": "directives", "tc.oxygene": "oxygen_supply",
}  # fmt: skip
SIGNS = {
    "tg.pa.sys": "systolic", "tg.pa.dia": "diastolic", "tg.fc": "pulse", "tg.fr": "breaths", "tg.spo2": "spo2",
    "tg.o2": "oxygen", "tg.temp": "temperature", "tg.eva": "pain",
}  # fmt: skip
AUTONOMY = {"1": "gir12", "2": "gir12", "3": "dependant", "4": "aide-partielle", "5": "aide-partielle", "6": "autonome"}
STATUS = {"confirme": "confirme", "suspect": "possible", "contact": "contact", "negatif": "negatif", "gueri": "gueri"}
LATEST_DAY = 60  # tc.j


def known(form: str, facts: Facts) -> dict[str, list[Any]]:
    """The answers of this form that are known."""
    found: dict[str, Any] = {link: getattr(facts, name) for link, name in TEXTS.items()}
    found |= {link: facts.signs.get(name) for link, name in SIGNS.items()}
    found["tg.autonomie"] = AUTONOMY.get(facts.gir)
    found["tc.statut"] = STATUS.get(facts.covid)
    if facts.onset and 0 <= (day := (timezone.localdate() - facts.onset).days) <= LATEST_DAY:
        found["tc.j"] = day
    if not facts.signs.get("oxygen"):
        found["tc.spo2aa"] = facts.signs.get("spo2")
    items = current(Form(form)).form.by_id
    said = {link: [value] for link, value in found.items() if value not in (None, "")}
    said |= {"tc.symptomes": list(facts.symptoms), "tc.facteurs": list(facts.factors)}
    return {link: values for link, values in said.items() if values and link in items}
