"""A request that was written without network: closed on the tablet under the name of its author, sent once by itself (issue 4 §2)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from relais.accounts.models import User
from relais.core import sealing
from relais.core.actor import Actor
from relais.core.doors import get_visible
from relais.core.errors import NotFound, Refused
from relais.core.reading import read_id
from relais.core.transactions import whole
from relais.liaison import permissions as may
from relais.liaison.actions import asking
from relais.liaison.models import Request
from relais.liaison.workflow import OPEN, State
from relais.patients.models import Patient
from relais.questionnaires import queries as questionnaires
from relais.questionnaires.actions import Times
from relais.questionnaires.models import Questionnaire, Response

PURPOSE = "relais-liaison-1"
TOO_OLD = timedelta(hours=12)  # vital signs say how one is now
LONG_AGO = timedelta(days=36500)


class NotTheirs(Refused):
    """Another professional wrote it, or for another establishment: it waits on the tablet for them."""


@dataclass(frozen=True)
class Received:
    """The request, and whether it had arrived before."""

    demand: Request
    again: bool


@whole
def receive(*, actor: Actor, sent: Any) -> Received:
    """Open what a tablet closed, and send it as `asking.submit` does: once, whatever comes how often.

    `sent`: a `sealing.Envelope` as JSON, whose `whose` is its author, with `device_at`, the tablet's clock as it sends; it holds
    {demand ("" when it was begun without network), patient, establishment, version, answers, started_at, ended_at}. Raises
    NotTheirs, Damaged when it cannot be read, Wrong for answers that cannot be, Refused with one sentence for the rest.
    """
    envelope = sealing.Envelope.read(sent, purpose=PURPOSE)
    if envelope.whose != actor.user_id:
        raise NotTheirs(
            _("Cette demande a été écrite par un autre professionnel : elle part quand il se connecte ici.")
        )
    content = sealing.unseal(envelope)
    if str(content.get("establishment")) != str(actor.establishment_id):
        raise NotTheirs(_("Cette demande a été écrite pour un autre établissement : choisissez-le pour qu’elle parte."))
    patient = _resident(actor, content)
    if found := _sent_before(actor, patient, envelope.request):
        return Received(found, again=True)
    times = _times(content, sent.get("device_at"))
    questionnaire = _questionnaire(content)
    answers = _answers(content, questionnaire)
    demand = _demand(actor, patient, read_id(str(content.get("demand"))), times.started_at)
    made = asking.submit(
        actor=actor, demand=demand, questionnaire=questionnaire, answers=answers, uploads={}, times=times,
        request_key=envelope.request,
    )  # fmt: skip
    if made.response is None or made.response.request_key != envelope.request:  # a colleague's came in between
        raise Refused(_gone_words(made))
    return Received(made, again=False)


def _sent_before(actor: Actor, patient: Patient, key: UUID) -> Request | None:
    """The request that this sending made; its answers may have been completed since, in others that replace them."""
    ours = Request.objects.filter(patient=patient, establishment=actor.here)
    kept = Response.objects.filter(request_key=key, user_id=actor.me, about__in=ours.values("pk"))
    return ours.filter(pk__in=kept.values("about")).first()


def _resident(actor: Actor, content: Mapping[str, Any]) -> Patient:
    """The resident, their row held: two sendings of one request come one after the other."""
    wanted = read_id(str(content.get("patient")))
    if wanted is None:
        raise sealing.Damaged
    try:
        patient = get_visible(Patient, actor, pk=wanted)
    except NotFound:
        raise Refused(
            _(
                "Ce résident n’est plus suivi par votre établissement : la demande n’est pas partie. "
                "S’il a besoin d’un avis, téléphonez."
            )
        ) from None
    Patient.objects.select_for_update(of=("self",), no_key=True).get(pk=patient.pk)
    return patient


def _times(content: Mapping[str, Any], device_at: Any) -> Times:
    now = timezone.now()
    began, ended, device = sealing.put_right(content, device_at, now - LONG_AGO, now)
    if ended < now - TOO_OLD:
        raise Refused(
            _(
                "Cette demande a été écrite il y a plus de 12 heures : elle n’est pas partie. Rouvrez la saisie, reprenez "
                "les constantes, puis envoyez-la."
            )
        )
    return Times(began, ended, device)


def _questionnaire(content: Mapping[str, Any]) -> Questionnaire:
    try:
        return questionnaires.version(asking.FORM, str(content.get("version")))
    except NotFound:
        raise Refused(_("Le formulaire a changé : rouvrez la saisie, vérifiez-la, puis envoyez-la.")) from None


def _answers(content: Mapping[str, Any], questionnaire: Questionnaire) -> dict[str, Any]:
    """What was answered, without files: a tablet keeps none."""
    given = content.get("answers")
    if not isinstance(given, dict):
        raise sealing.Damaged
    files = {name for name, item in questionnaire.form.by_id.items() if item.type == "attachment"}
    return {str(name): values for name, values in given.items() if name not in files}


def _demand(actor: Actor, patient: Patient, demand_id: UUID | None, began: datetime) -> Request:
    """The draft in which it was written; a new one when it was begun without network, or its draft was given up.

    Raises Refused when a request about this resident went out since the writing began. One that was open before is no
    reason: the resident may be worse, and the signs written now must be scored and reach the doctor.
    """
    ours = Request.objects.filter(patient=patient, establishment=actor.here).select_related("response")
    written_in = ours.filter(pk=demand_id).first() if demand_id else None
    drafted = written_in is not None and written_in.state == State.DRAFT
    since = ours.filter(submitted_at__gte=began).order_by("-submitted_at", "-pk")
    gone = None if drafted else since.filter(Q(state__in=OPEN) | Q(pk=demand_id, state=State.CLOSED)).first()
    if gone:
        raise Refused(_gone_words(gone))
    if written_in and drafted:
        if not may.can_write(actor, written_in):
            raise Refused(_(asking.READ_ONLY))
        return written_in
    return asking.start(actor=actor, patient=patient)


def _gone_words(demand: Request) -> str:
    at = date_format(timezone.localtime(demand.submitted_at), "d/m à H:i") if demand.submitted_at else ""
    author_id = demand.response.user_id if demand.response else None
    author = User.objects.filter(pk=author_id).first() if author_id else None
    return _(
        "Une demande pour ce résident est déjà partie le %(at)s, envoyée par %(who)s. La vôtre n’est pas partie : ouvrez la "
        "demande en cours et ajoutez en note ce qui manque."
    ) % {"at": at, "who": author.full_name if author else _("un collègue")}
