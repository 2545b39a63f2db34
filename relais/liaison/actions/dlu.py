"""The DLU of a resident: each save is a version of its own, none is ever changed (FG-05, domain.md §3.5)."""

from typing import Any
from uuid import UUID, uuid4

from django.utils import timezone
from django.utils.translation import gettext as _

from relais.accounts.models import User
from relais.audit import actions as audit
from relais.core import live
from relais.core.actor import Actor
from relais.core.doors import get_visible
from relais.core.errors import NotFound, Refused
from relais.core.transactions import whole
from relais.dossiers import actions as dossiers
from relais.liaison import permissions as may
from relais.liaison.actions.asking import READ_ONLY
from relais.liaison.actions.states import hold_resident
from relais.liaison.models import Dlu, Request
from relais.liaison.topics import home_topic
from relais.liaison.workflow import OPEN
from relais.patients.models import Patient
from relais.questionnaires import actions as questionnaires
from relais.questionnaires.actions import Times, Who
from relais.questionnaires.models import Questionnaire, Relation, Response

FORM = "filgeria-dlu"


class Overtaken(Refused):
    """Somebody saved another version while one wrote: `dlu` is what is in force now."""

    def __init__(self, dlu: Dlu) -> None:
        super().__init__(
            _("%(who)s a enregistré une version à %(hour)s, pendant que vous écriviez. Rien n’est perdu.")
            % {"who": dlu.by.full_name, "hour": f"{timezone.localtime(dlu.updated_at):%H:%M}"}
        )
        self.dlu = dlu


@whole
def save(
    *,
    actor: Actor,
    patient: Patient,
    questionnaire: Questionnaire,
    answers: dict[str, list[Any]],
    uploads: dict[str, list[Any]],
    times: Times,
    request_key: UUID,
    base: UUID | None,
) -> Dlu:
    """Keep a new version; `base` is the version that the page was filled from, None before the first.

    The same page sent twice makes one version. Raises Overtaken when another version came in between, Wrong with what is
    missing or impossible, Refused where the home may only read, or for a resident who died.
    """
    patient = held(actor, patient)
    if patient.deceased_on:
        raise Refused(_("Ce résident est décédé : son document de liaison ne change plus."))
    found = Dlu.objects.select_related("response", "by").filter(patient=patient).first()
    if found and Response.objects.filter(about=found.pk, request_key=request_key).exists():
        return found
    if found and found.response_id != base:
        raise Overtaken(found)
    pk = found.pk if found else uuid4()
    kept = questionnaires.answer(
        actor=actor, about=pk, questionnaire=questionnaire, answers=answers, uploads=uploads, times=times,
        request_key=request_key, who=Who(relation=Relation.PROFESSIONAL), replaces=found.response if found else None,
    ).response  # fmt: skip
    made, _new = Dlu.objects.update_or_create(
        pk=pk,
        defaults={
            "patient": patient, "response": kept, "establishment_id": actor.here, "by": User.objects.get(pk=actor.me),
            "updated_at": kept.received_at,
        },
    )  # fmt: skip
    audit.record(actor=actor, action="dlu.save", about=made.pk, patient_id=patient.pk)
    tell(patient)
    return made


def held(actor: Actor, patient: Patient) -> Patient:
    """The patient's row, held until the transaction ends, for a nursing home that writes about them."""
    patient = get_visible(Patient, actor, pk=patient.pk)
    if not may.can_keep_dlu(actor, patient):
        if may.lives_here(actor, patient):
            raise Refused(_(READ_ONLY))
        raise NotFound
    return hold_resident(patient.pk)


def tell(patient: Patient) -> None:
    """The pages of the resident's open requests and of their nursing homes look again."""
    rows = Request.objects.filter(patient=patient, state__in=OPEN).order_by("pk").values_list("pk", "establishment_id")
    topics = dict.fromkeys(topic for pk, home in rows for topic in (dossiers.topic(pk), home_topic(home)))
    if topics:
        live.ping(*topics)
