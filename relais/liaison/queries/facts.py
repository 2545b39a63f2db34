"""What a request says to the form of another dossier that is opened from it: nothing is asked twice."""

from datetime import date, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from relais.core.actor import Actor
from relais.core.times import stamp
from relais.dossiers.facts import Facts
from relais.dossiers.models import Dossier
from relais.liaison import permissions as may
from relais.liaison.models import Request
from relais.liaison.queries.sbar import in_words, label, said
from relais.liaison.scores import first
from relais.questionnaires.queries import words

SIGNS = {
    "systolic": "fg.pas", "diastolic": "fg.pad", "pulse": "fg.fc", "breaths": "fg.fr", "spo2": "fg.spo2",
    "oxygen": "fg.o2debit", "temperature": "fg.temp", "pain": "fg.douleur",
}  # fmt: skip
HISTORY = ("fg.signes", "fg.covid.test", "fg.covid.cluster", "fg.bio", "fg.imagerie")
BACKGROUND = ("fg.comorb", "fg.cognitif", "fg.avq", "fg.nutrition", "fg.souhait", "fg.nts", "fg.da", "fg.vaccin")
EXAMINATION = ("fg.conscience", "fg.signelutte", "fg.glyc", "fg.hydratation")
SYMPTOMS = (
    "toux",
    "anosmie",
    "fievre",
    "dyspnee",
    "confusion",
    "chute",
    "asthenie",
    "diarrhee",
)  # the same in tc.symptomes
FACTORS = {
    "coronaropathie": "rf.cardio", "ic": "rf.cardio", "avc": "rf.cardio", "bpco": "rf.respi", "demence": "rf.demence",
    "immunosuppresseur": "rf.immuno",
}  # fmt: skip
CARE = {
    "maximal": "maximal", "pas-de-rea": "limite-pas-rea", "pas-hospit-sauf-confort": "confort", "palliatif": "confort",
    "non-defini": "non-discute",
}  # fmt: skip


def of_request(actor: Actor, dossier: Dossier) -> Facts | None:
    """What the last answers of a request say; None of a draft."""
    demand = Request.objects.select_related("response__questionnaire", "establishment", "dossier").get(pk=dossier.pk)
    if demand.response is None:
        return None
    given = demand.response.answers
    signs = {name: first(given, link) for name, link in SIGNS.items()}
    status = first(given, "fg.covid.statut") or ""
    return Facts(
        source=_("de la demande de l’EHPAD"),
        at=demand.response.ended_at,
        place="ehpad",
        question=_question(demand),
        history=_history(demand),
        background=_lines(demand, BACKGROUND),
        treatments=_treatments(demand),
        allergies=said(demand, "fg.allergies"),
        examination=_examination(demand),
        gir=gir if (gir := first(given, "fg.gir") or "") in "123456" else "",
        phone=said(demand, "fg.tel") if may.in_home(actor, demand) else "",
        signs={name: value for name, value in signs.items() if value is not None},
        covid=status if status != "non-teste" else "",
        onset=_onset(demand),
        symptoms=tuple(code for code in SYMPTOMS if code in (*given.get("fg.signes", []), demand.motive)),
        factors=_factors(given),
        care_level=CARE.get(first(given, "fg.nts") or "", ""),
        directives=first(given, "fg.da") or "",
        oxygen_supply=(first(given, "fg.oxygene") or "").split("-")[0],
    )


def _lines(demand: Request, names: tuple[str, ...]) -> str:
    found = [(label(demand, name), said(demand, name)) for name in names]
    return "\n".join(f"{title}\u00a0: {words}" for title, words in found if words)


def _question(demand: Request) -> str:
    """What was ticked; *Autre* asks nothing."""
    if demand.response is None:
        return ""
    item = demand.response.questionnaire.form.by_id["fg.question"]
    return ", ".join(words(item, code) for code in _given(demand, "fg.question") if code != "autre")


def _history(demand: Request) -> str:
    begun = [said(demand, name) for name in ("fg.debut", "fg.debut.heure") if said(demand, name)]
    head = said(demand, "fg.motif") + (_(", depuis le %s") % " ".join(begun) if begun else "")
    return "\n".join(one for one in (f"{head}.", said(demand, "fg.question.txt"), _lines(demand, HISTORY)) if one)


def _treatments(demand: Request) -> str:
    risky = said(demand, "fg.ttt.risque") if "aucun" not in _given(demand, "fg.ttt.risque") else ""
    return "\n".join(one for one in (said(demand, "fg.ttt"), f"À risque\u00a0: {risky}" if risky else "") if one)


def _examination(demand: Request) -> str:
    if demand.response is None:
        return ""
    taken = _("Constantes du %(at)s, NEWS2 %(news)s.") % {
        "at": stamp(demand.response.ended_at), "news": in_words(demand.response.answers),
    }  # fmt: skip
    return "\n".join(one for one in (taken, _lines(demand, EXAMINATION)) if one)


def _onset(demand: Request) -> date | None:
    """The first day of COVID, counted back from the day on which its number was written."""
    days = next(iter(_given(demand, "fg.covid.j")), None)
    if days is None or demand.response is None:
        return None
    return timezone.localdate(demand.submitted_at or demand.response.ended_at) - timedelta(days=days)


def _factors(given: dict[str, Any]) -> tuple[str, ...]:
    named = (*given.get("fg.comorb", []), *given.get("fg.ttt.risque", []))
    return tuple(dict.fromkeys(FACTORS[code] for code in named if code in FACTORS))


def _given(demand: Request, name: str) -> list[Any]:
    return list(demand.response.answers.get(name, [])) if demand.response else []
