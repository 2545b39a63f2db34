"""What the page of one request shows."""

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from relais.core import workflow
from relais.core.actor import Actor
from relais.directory.models import Need, Service
from relais.dossiers.models import Participant
from relais.liaison import delays, scores
from relais.liaison import permissions as may
from relais.liaison.models import TO_HOSPITAL, HandOver, Note, Request
from relais.liaison.queries.measures import measured, measures
from relais.liaison.queries.missing import missing
from relais.liaison.queries.people import in_rooms, lines_now, people_of
from relais.liaison.queries.sbar import said, signs
from relais.liaison.queries.unread import unread
from relais.liaison.workflow import OPEN, WAITING, State
from relais.questionnaires.queries import shown
from relais.rooms.models import MESH_MAX
from relais.rooms.queries import most_people

REACHED = (Need.GERIATRIC, Need.NIGHT, Need.SAMU, Need.MOBILE, Need.PALLIATIVE, Need.HAD)
KEY_FACTS = (
    "fg.question.txt",
    "fg.question",
    "fg.motif",
    "fg.nts",
    "fg.souhait",
    "fg.comorb",
    "fg.ttt.risque",
    "fg.allergies",
    "fg.covid.statut",
    "fg.visio",
)
# Of these, what changes nothing is left to the whole questionnaire.
TELLING = {"fg.covid.statut": ("confirme", "suspect", "contact"), "fg.visio": (True,)}
# What is expected, of whom: (state, words for the doctor, words for the nursing home).
EXPECTED = {
    State.SUBMITTED: (_("Prendre en charge"), _("Le médecin d’astreinte doit répondre")),
    State.TAKEN: (_("Rendre l’avis"), _("Le médecin d’astreinte rend son avis")),
    State.COMPLEMENT: (_("L’EHPAD doit donner le complément"), _("Donner le complément demandé")),
    State.ADVISED: (_("Clôturer, ou réévaluer"), _("Suivre les consignes, clôturer quand c’est terminé")),
    State.REVIEW: (_("Réévaluer à l’heure dite"), _("Reprendre les constantes pour la réévaluation")),
    State.ORIENTATION: (_("Orienter, puis clôturer"), _("Organiser la suite décidée (voir l’avis)")),
    State.TO_SAMU: (_("Le SAMU doit prendre la demande"), _("Le SAMU doit répondre : appelez le 15")),
    State.TRANSFERRED: (_("Le service demandé doit la prendre"), _("Le service demandé doit répondre")),
}


@dataclass(frozen=True)
class Written:
    """A note with whether the reader has seen it and may correct it."""

    note: Note
    unread: bool
    mine: bool
    calls_me: bool


def expected(demand: Request, *, home: bool) -> str:
    """What is expected now, seen from the nursing home or from the doctor's side; "" once it is over."""
    if home and demand.state == State.REVIEW and measured(demand):
        return str(_("Le médecin d’astreinte réévalue"))
    if home and demand.state == State.ORIENTATION and _last_code(demand) in TO_HOSPITAL:
        return str(_("Préparer le départ du résident"))
    words = EXPECTED.get(State(demand.state))
    return str(words[home]) if words else ""


def _last_code(demand: Request) -> str:
    made = sorted(demand.decisions.all(), key=lambda one: (one.created_at, one.pk))
    return made[-1].code if made else ""


def notes_of(actor: Actor, demand: Request) -> list[Written]:
    """The exchange, oldest first."""
    seen = demand.seen.filter(user_id=actor.me).first()
    rows = demand.notes.select_related("author", "establishment", "sequel", "document__file").prefetch_related(
        "mentions"
    )
    return [
        Written(
            note=one,
            unread=one.author_id != actor.user_id and (seen is None or one.created_at > seen.at),
            mine=one.author_id == actor.user_id and one.sequel_id is None,
            calls_me=any(user.pk == actor.user_id for user in one.mentions.all()),
        )
        for one in rows.order_by("created_at", "pk")
    ]


def verbs(actor: Actor, demand: Request) -> set[str]:
    """What the buttons of the page are drawn from: the table, and the verbs that move no state."""
    found = set(workflow.possible(demand, actor))
    if demand.state not in OPEN:
        return found
    if may.can_exchange(actor, demand):
        found |= {"note", "room"}
    if demand.state not in WAITING and demand.responsible_id != actor.user_id and may.can_take(actor, demand):
        found.add("take_over")
    return found


def page(actor: Actor, demand: Request) -> dict[str, Any]:
    """Everything but documents and timeline, which `dossiers` gives."""
    home = may.in_home(actor, demand)
    may_do = verbs(actor, demand)
    in_room = [one.invitation.name for one in in_rooms([demand.pk]).get(demand.pk, [])]
    answers: dict[str, Any] = demand.response.answers if demand.response else {}
    open_hand_over = HandOver.objects.filter(demand=demand, accepted_at=None, dropped_at=None)
    hand_over = open_hand_over.select_related("leaving", "taking", "service").first()
    written, taking_part = notes_of(actor, demand), _taking_part(demand)
    return {
        "home": home,
        "verbs": may_do,
        "expected": expected(demand, home=home),
        "scores": _scores(demand, answers),
        "signs": signs(demand),
        "measures": measures(demand),
        "facts": _facts(demand),
        "missing": missing(demand) if demand.state in OPEN else [],
        "departures": list(demand.departures.select_related("by").order_by("created_at", "pk")),
        "may_tell_departure": demand.state in OPEN and may.can_tell_departure(actor, demand),
        "alarm_again_at": delays.next_alarm(demand.urgency, demand.unowned_since, timezone.now())
        if demand.unowned_since and demand.urgency
        else None,
        "to_measure": demand.review_at is not None and demand.review_at <= timezone.now() and not measured(demand),
        "may_withdraw": actor.has_role("practitioner") and may.can_exchange(actor, demand),
        "may_complete": may.can_complete(actor, demand),
        "sections": shown(demand.response) if demand.response else [],
        "notes": written,
        "unread": sum(one.unread for one in written),
        "news": unread(actor, [demand.pk], home=home)[demand.pk],
        "people": people_of(demand) if "note" in may_do else [],
        "decisions": list(demand.decisions.select_related("by", "service").order_by("-created_at", "-pk")),
        "services": services_for(demand) if "transfer" in may_do else [],
        "taking_part": taking_part,
        "samu_sees": any(one.service.need == Need.SAMU for one in taking_part if one.service),
        "hand_over": hand_over,
        "may_accept": hand_over is not None and hand_over.leaving_id != actor.user_id and may.can_take(actor, demand),
        "may_rewrite": hand_over is not None and hand_over.leaving_id == actor.user_id,
        "in_room": in_room,
        "may_be_many": "room" in may_do and not in_room and most_people() > MESH_MAX,
        "line": lines_now([demand], timezone.now())[demand.pk] if home else None,
        "back_number": next(iter(answers.get("fg.tel", [])), demand.establishment.phone),
        "expertise_url": f"{reverse('expertise:start')}?{_origin(demand)}",
        "follow_up_url": f"{reverse('telemonitoring:enrol')}?{_origin(demand)}",
    }


def _scores(demand: Request, answers: dict[str, Any]) -> scores.Scores:
    """With why one calls the 15, where it is for earlier signs that incomplete ones do not lift."""
    found = scores.score(answers)
    if demand.red and not found.red:
        found = replace(found, red=(str(_("constantes d’avant ; les dernières, incomplètes, ne rassurent pas")),))
    return found


def _origin(demand: Request) -> str:
    return urlencode({"patient": demand.patient_id, "depuis": demand.pk})


def _facts(demand: Request) -> list[tuple[str, str]]:
    """(question, answer in words) of what a doctor reads first."""
    if demand.response is None:
        return []
    items = demand.response.questionnaire.form.by_id
    named = [name for name in KEY_FACTS if name in items and (name not in TELLING or telling(demand, name))]
    return [(items[name].text, said(demand, name)) for name in named if said(demand, name)]


def telling(demand: Request, name: str) -> str:
    """The answer to one of TELLING in words, where it changes something for the doctor; "" elsewhere."""
    given = demand.response.answers.get(name, []) if demand.response else []
    return said(demand, name) if any(value in TELLING[name] for value in given) else ""


def services_for(demand: Request) -> list[Service]:
    """The services to which a request about a resident of this department may be passed."""
    found = Service.objects.filter(
        departments__contains=[demand.establishment.department], need__in=REACHED, active=True,
        establishment__active=True,
    )  # fmt: skip
    return list(
        found.exclude(pk__in=[demand.service_id]).select_related("establishment").order_by("need", "name", "pk")
    )


def _taking_part(demand: Request) -> list[Participant]:
    rows = Participant.objects.filter(dossier=demand.pk, until=None).exclude(service=None)
    return list(rows.select_related("service__establishment").order_by("created_at", "pk"))
