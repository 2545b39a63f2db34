"""What the patient answers before the appointment (TC-25), and what the practitioner fills in beside the video (TE-09)."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from relais.core import live
from relais.core.actor import Actor
from relais.core.errors import NotFound, Refused
from relais.dossiers import actions as dossiers
from relais.questionnaires import actions as questionnaires
from relais.questionnaires.actions import Answered, Times, Who
from relais.questionnaires.models import Questionnaire, Reason, Relation, Response, Voice
from relais.teleconsultation import permissions as may
from relais.teleconsultation.actions.record import refuse_closed, refuse_not_held
from relais.teleconsultation.models import Teleconsultation
from relais.teleconsultation.queries import COVID, PREPARATION
from relais.teleconsultation.topics import dashboard_topic, space_topic
from relais.teleconsultation.workflow import AWAITED, State

WHO = "tp.saisie"  # the question that says who answers
IN_PLACE = {
    "parent": (Relation.PARENT, Reason.CHILD),
    "proche-aidant": (Relation.CARER, Reason.DEPENDENT),
    "professionnel": (Relation.PROFESSIONAL, ""),
}


@dataclass(frozen=True)
class Page:
    """What a page sends: the version that it showed, the answers, the files, its id, its times, and what it corrects."""

    questionnaire: Questionnaire
    answers: dict[str, Any]
    request_key: UUID
    times: Times
    uploads: dict[str, list[Any]] | None = None
    replaces: Response | None = None
    voice: str = Voice.PATIENT


def over(tele: Teleconsultation, sent: Response | None) -> str:
    """Why the patient may not send now, as a sentence; "" from the booking until the appointment's hour is over.

    What was `sent` may be corrected until a professional has joined.
    """
    if tele.state == State.CANCELLED:
        return _("Ce rendez-vous est annulé : il n’y a plus rien à préparer.")
    if tele.state not in AWAITED or timezone.now() > tele.ends_at:
        return _("L’heure de ce rendez-vous est passée : le questionnaire n’est plus attendu.")
    if sent and tele.started_at:
        return _(
            "Le professionnel a vos réponses : elles ne changent plus. Dites-lui de vive voix ce qui est différent."
        )
    return ""


@transaction.atomic
def prepare(*, actor: Actor, tele: Teleconsultation, page: Page) -> Answered:
    """The patient (or proxy) answers before the appointment: sent once, then corrected by what replaces it (TC-25).

    Raises NotFound for anybody else, Refused once it is over or when it was sent already, Wrong for answers that cannot
    be kept. The same page sent twice makes one.
    """
    locked = _lock(tele)
    if not may.can_prepare(actor, locked):
        raise NotFound
    if not _known(locked, page):
        sent = _last(locked, PREPARATION)
        if why := over(locked, sent):
            raise Refused(why)
        if sent and page.replaces is None:
            raise Refused(_("Ce questionnaire a déjà été envoyé. Pour changer une réponse, corrigez-le."))
    answered = _answer(actor, locked, page, _who(page))
    if answered.is_new:
        verb = "preparation_corrected" if page.replaces else "prepared"
        dossiers.record(locked.dossier, verb, actor, response=str(answered.response.pk))
        live.ping(dashboard_topic(locked.establishment_id), space_topic(locked))
    return answered


@transaction.atomic
def fill_covid(*, actor: Actor, tele: Teleconsultation, page: Page) -> Answered:
    """The practitioner fills in the COVID form of the consultation, or corrects it: a step of the record (TE-09).

    Raises NotFound for who may not write, Refused before the consultation, once the dossier is closed, and when somebody
    filled it in meanwhile; Wrong for answers that cannot be kept. The same page sent twice makes one.
    """
    locked = _lock(tele)
    if not may.can_write(actor, locked):
        raise NotFound
    if not _known(locked, page):
        refuse_closed(locked)
        refuse_not_held(locked)
        if page.replaces is None and _last(locked, COVID):
            raise Refused(_("Ce formulaire a été rempli entre-temps. Rechargez la page pour le lire et le corriger."))
    answered = _answer(actor, locked, page, Who(Relation.PROFESSIONAL))
    if answered.is_new:
        data = {"questionnaire": COVID, "response": str(answered.response.pk), "corrects": bool(page.replaces)}
        dossiers.add_step(actor=actor, dossier=locked.dossier, kind="form", data=data)
    return answered


def _lock(tele: Teleconsultation) -> Teleconsultation:
    return Teleconsultation.objects.select_for_update(of=("self",)).select_related("dossier").get(pk=tele.pk)


def _known(tele: Teleconsultation, page: Page) -> bool:
    """This very page was kept already."""
    return Response.objects.filter(about=tele.pk, request_key=page.request_key).exists()


def _last(tele: Teleconsultation, name: str) -> Response | None:
    found = Response.objects.filter(about=tele.pk, questionnaire__name=name, replaced_by=None)
    return found.order_by("-received_at", "-id").first()


def _answer(actor: Actor, tele: Teleconsultation, page: Page, who: Who) -> Answered:
    return questionnaires.answer(
        actor=actor, about=tele.pk, questionnaire=page.questionnaire, answers=page.answers, request_key=page.request_key,
        times=page.times, who=who, uploads=page.uploads, replaces=page.replaces,
    )  # fmt: skip


def _who(page: Page) -> Who:
    """Who answers, by their own word."""
    said = next(iter(page.answers.get(WHO, [])), "")
    relation, reason = IN_PLACE.get(said, (Relation.PATIENT, ""))
    return Who(relation, reason, page.voice)
