"""What the caller has to do once a call is noted: for each orientation, what Relais did or what a person does now."""

from dataclasses import dataclass, replace
from datetime import timedelta

from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from relais.accounts.queries import find_professional
from relais.dossiers.queries import Link, Links
from relais.questionnaires.queries import words
from relais.telemonitoring.actions.alerts import REACHED
from relais.telemonitoring.actions.calls import BOOK, HOSPITAL, OXIMETER_GIVEN, RECALL
from relais.telemonitoring.models import Call, FollowUp
from relais.telemonitoring.queries.follow_up import Noted, general_practitioner
from relais.telemonitoring.workflow import State

SHOWN = timedelta(hours=24)  # after the call


@dataclass(frozen=True)
class Todo:
    """One orientation: its label, what is to be done, where; `done` when Relais did it or it needs nothing."""

    label: str
    words: str | Promise
    done: bool = False
    url: str = ""
    button: str | Promise = ""


@dataclass(frozen=True)
class AfterCall:
    call: Call
    todos: list[Todo]

    @property
    def waits(self) -> bool:
        """Whether something is left for a person."""
        return any(not one.done for one in self.todos)


DONE: dict[str, str | Promise] = {
    "conseils": _l("Rien de plus à faire : les conseils sont notés dans la fiche d’appel."),
    "fausse-alerte": _l("Rien de plus à faire : la fiche d’appel garde la raison."),
    RECALL: _l("Le rappel est au planning de la cellule : l’alerte reste ouverte jusque-là."),
    HOSPITAL: _l("Le suivi est en pause. Remettez la synthèse à l’établissement qui reçoit le patient."),
    OXIMETER_GIVEN: _l("L’oxymètre est ajouté au matériel : la saturation est demandée dès la prochaine réponse."),
}
TO_DO: dict[str, str | Promise] = {
    BOOK: _l("Convenez de l’heure avec le patient, puis réservez : patient, motif et coordonnées sont déjà remplis."),
    "visite-domicile": _l(
        "Appelez SOS Médecins (36 24) ou la garde (116 117) : donnez l’adresse, le téléphone et les constantes. "
        "Prévenez le patient de l’heure annoncée."
    ),
    "passage-ide": _l(
        "Appelez l’infirmier ou l’infirmière et dites quelles mesures sont attendues. Elles se saisissent à la place du patient."
    ),
    "had": _l(
        "Adressez la demande à l’hospitalisation à domicile avec la synthèse. Le suivi continue jusqu’à sa clôture."
    ),
    "samu15": _l(
        "Appelez le 15 et restez joignable. Si le patient part à l’hôpital, pressez « Patient hospitalisé » : "
        "le suivi se met en pause."
    ),
    "urgences": _l(
        "Prévenez les urgences et remettez la synthèse. Si le patient est gardé, pressez « Patient hospitalisé » : "
        "le suivi se met en pause."
    ),
    "soutien-psy": _l(
        "Donnez au patient le 3114 (idées suicidaires, jour et nuit) et le 0 800 130 000 (écoute). "
        "En danger immédiat, appelez le 15."
    ),
    "aide-sociale-dac": _l("Appelez le dispositif d’appui à la coordination (DAC) : dites de quoi le patient manque."),
    "modif-rythme": _l("Changez le rythme du suivi : rien ne change tant que ce n’est pas fait."),
    "modif-seuil": _l("Changez le seuil de saturation du patient : rien ne change tant que ce n’est pas fait."),
}
PAPERS = ("consultation-mt", "had", "urgences", HOSPITAL)


def after_call(follow_up: FollowUp, calls: list[Noted], links: Links, booking: str) -> AfterCall | None:
    """Of the last call that reached somebody, for a day; `booking`: where a teleconsultation is booked from here."""
    last = next((one.call for one in calls if one.call.outcome in REACHED), None)
    if last is None or last.response is None or follow_up.state == State.CLOSED:
        return None
    if timezone.now() - last.created_at > SHOWN:
        return None
    item = last.response.questionnaire.form.by_id["ap.orientation"]
    todos = [_todo(follow_up, code, words(item, code)) for code in last.response.answers.get("ap.orientation", [])]
    led = [_led(one, code, follow_up, last, links, booking) for one, code in todos]
    return AfterCall(last, sorted(led, key=lambda one: one.done))


def _todo(follow_up: FollowUp, code: str, label: str) -> tuple[Todo, str]:
    if code in DONE:
        return Todo(label, DONE[code], done=True), code
    if code == "consultation-mt":
        return Todo(label, _general_practitioner(follow_up)), code
    return Todo(label, TO_DO.get(code, _("Notez la suite dans le prochain appel."))), code


def _led(todo: Todo, code: str, follow_up: FollowUp, call: Call, links: Links, booking: str) -> Todo:
    """With the button that leads to where it is done."""
    pages: dict[str, tuple[str, str | Promise]] = {
        "passage-ide": (reverse("telemonitoring:answer", args=[follow_up.pk]), _l("Saisir les mesures")),
        "modif-rythme": (reverse("telemonitoring:adjust", args=[follow_up.pk]), _l("Changer le rythme")),
        "modif-seuil": (reverse("telemonitoring:adjust", args=[follow_up.pk]), _l("Changer le seuil")),
        BOOK: (booking, _l("Réserver la téléconsultation")),
        **dict.fromkeys(PAPERS, (reverse("telemonitoring:summary", args=[follow_up.pk]), _l("Synthèse (PDF)"))),
    }
    if code == BOOK and (booked := _booked_since(links, call)):
        return replace(
            todo, words=_("La téléconsultation est réservée."), done=True, url=booked.url, button=_("Ouvrir")
        )
    url, button = pages.get(code, ("", ""))
    return replace(todo, url=url, button=button)


def _booked_since(links: Links, call: Call) -> Link | None:
    booked = (one for one in links.sequels if one.dossier.kind == "teleconsultation")
    return next((one for one in booked if one.dossier.created_at >= call.created_at), None)


def _general_practitioner(follow_up: FollowUp) -> str:
    """The treating doctor of the inclusion, by name when Relais knows them."""
    rpps = general_practitioner(follow_up)
    known = find_professional(rpps=rpps) if rpps else None
    if known:
        return _("Appelez %(who)s, médecin traitant, et remettez la synthèse.") % {"who": known.full_name}
    if rpps:
        return _("Appelez le médecin traitant (RPPS %(rpps)s) et remettez la synthèse.") % {"rpps": rpps}
    return _("Demandez au patient qui est son médecin traitant, appelez-le et remettez la synthèse.")
