"""What the service says to whom an admission is proposed: that it takes the patient, or that it does not."""

from uuid import UUID

from django.utils.translation import gettext as _

from relais.core import live
from relais.core.actor import Actor
from relais.core.transactions import whole
from relais.directory.models import Service
from relais.dossiers import actions as dossiers
from relais.dossiers import sequels
from relais.expertise import messages
from relais.expertise import permissions as may
from relais.expertise.actions.answering import words_of
from relais.expertise.actions.drafting import named
from relais.expertise.actions.states import lock, move
from relais.expertise.models import Expertise
from relais.expertise.topics import service_topic


@whole
def answer(*, actor: Actor, asked: Expertise, accepts: bool, text: str) -> Expertise:
    """Accept, or refuse with a reason, also after accepting: a bed is lost. Both sides are told, and the expert may propose
    another service. One that refuses sees the dossier no more, unless it gave an opinion there. Accepting twice is once."""
    words = words_of(text, "" if accepts else _("Écrivez pourquoi : l’expert et le requérant le lisent."))
    locked = lock(asked)
    if accepts and locked.is_admitted and may.can_decline(actor, locked):
        return locked
    moved = move(actor=actor, asked=locked, verb="accept_admission" if accepts else "decline_admission")
    ward = Service.objects.select_related("establishment").get(pk=UUID(moved.expected_at))
    dossiers.add_step(
        actor=actor, dossier=moved.dossier, kind="admission_answer",
        data={"service": str(ward.pk), "text": words, "accepted": accepts},
    )  # fmt: skip
    concerned = {*messages.asking(moved), moved.expert_id} - {actor.user_id}
    messages.tell(moved, messages.ACCEPTED if accepts else messages.DECLINED, *concerned)
    if not accepts and moved.service_id != ward.pk and not moved.opinions.filter(service=ward).exists():
        dossiers.end_service(actor=actor, dossier=moved.dossier, service=ward)
    told = _("Admission acceptée par %s.") if accepts else _("Admission refusée par %s.")
    sequels.tell(actor=actor, sequel=moved.dossier, text=f"{told % named(ward)} {words}".strip())
    live.ping(service_topic(ward.pk))
    return moved
