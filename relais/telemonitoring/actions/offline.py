"""Answers given without network: what a telephone needs beforehand, and what arrives afterwards."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.core import signing
from django.utils import timezone
from django.utils.translation import gettext as _

from relais.core import sealing
from relais.core.actor import Actor
from relais.core.errors import NotFound, Refused
from relais.core.paris import PARIS
from relais.questionnaires import queries as questionnaires
from relais.questionnaires.actions import Times, Who
from relais.questionnaires.models import Questionnaire, Relation, Voice
from relais.telemonitoring.actions import answers
from relais.telemonitoring.models import FollowUp, Judgement
from relais.telemonitoring.programme import form_for

SALT = "relais.telemonitoring.context"
PURPOSE = "relais-suivi-1"


def receive(*, actor: Actor, follow_up: FollowUp, sent: Any) -> Judgement:
    """Open what a telephone closed, and keep it as `answers.answer` does: once, whatever comes how often.

    `sent`: an `Envelope` as JSON, with `device_at`, the telephone's clock as it sent. Raises Refused with one sentence
    (Damaged when it cannot be read, Wrong for answers that cannot be), NotFound for who may not answer here.
    """
    envelope = sealing.Envelope.read(sent, purpose=PURPOSE, whose="grant")
    if envelope.whose != actor.grant_id:
        raise Refused(
            _(
                "Ces réponses ont été données dans l’espace d’une autre personne. Elles restent sur ce téléphone : "
                "rouvrez le lien de cette personne pour les envoyer."
            )
        )
    content = sealing.unseal(envelope)
    context, known_at = _context(follow_up, content)
    times = _times(follow_up, content, sent.get("device_at"), known_at)
    questionnaire = _questionnaire(follow_up, content, times)
    who = _who(content)
    given = content.get("answers")
    if not isinstance(given, dict):
        raise sealing.Damaged
    given = {str(name): values for name, values in given.items()}
    if answers.WHO in questionnaire.form.by_id:
        given[answers.WHO] = [answers.said_by(who)]
    return answers.answer(
        actor=actor, follow_up=follow_up, questionnaire=questionnaire, answers=given, times=times,
        request_key=envelope.request, who=who, context=context,
    )  # fmt: skip


def context_token(follow_up: FollowUp, on: date) -> str:
    """What the site says of the patient on a day, signed: it comes back with the answers that were given knowing it."""
    said = {"about": str(follow_up.pk), "context": answers.context_of(follow_up, on)}
    return signing.dumps(said, salt=SALT, compress=True)


def _context(follow_up: FollowUp, content: Mapping[str, Any]) -> tuple[dict[str, list[Any]] | None, datetime | None]:
    """What the site had said of the patient, and when: the answers came later. None when it is not this site's word."""
    token = str(content.get("token"))
    try:
        said = signing.loads(token, salt=SALT)
    except signing.BadSignature:
        return None, None
    if said["about"] != str(follow_up.pk):
        return None, None
    signed = signing.b62_decode(token.rsplit(":", 2)[1])
    return said["context"], datetime.fromtimestamp(signed, UTC)


def _times(follow_up: FollowUp, content: Mapping[str, Any], device_at: Any, known_at: datetime | None) -> Times:
    """The telephone's times put right; never before the follow-up or what the questions were put with (its clock may
    have been put right meanwhile).
    """
    first = datetime.combine(follow_up.starts_on, time(), tzinfo=PARIS)
    began, ended, device = sealing.put_right(content, device_at, max(first, known_at or first), timezone.now())
    return Times(began, ended, device)


def _questionnaire(follow_up: FollowUp, content: Mapping[str, Any], times: Times) -> Questionnaire:
    """A form of the day of the answers or of the day before; a contact may have become a case meanwhile."""
    day, born = timezone.localdate(times.ended_at), follow_up.dossier.patient.birth_date
    days = (day, day - timedelta(days=1))
    names = {form_for(contact=contact, born=born, on=on) for contact in (True, False) for on in days}
    try:
        if content.get("form") in names:
            return questionnaires.version(str(content["form"]), str(content.get("version")))
    except NotFound:
        pass
    raise Refused(_("Ces réponses ne vont pas avec ce suivi. Répondez de nouveau, s’il vous plaît."))


def _who(content: Mapping[str, Any]) -> Who:
    relation, reason = content.get("relation"), content.get("reason")
    if relation == Relation.PATIENT:
        return Who()
    if relation not in answers.PROXIES or reason not in answers.REASONS:
        raise sealing.Damaged
    voice = Voice.PATIENT if str(content.get("form")).startswith("ecovid-suivi-enfant") else Voice.PROXY
    return Who(relation=relation, reason=reason, voice=voice)
