"""Who may do what in a tele-expertise, in sentences. `asked` is an Expertise."""

from typing import Any

from django.utils import timezone

from relais.accounts.models import Membership, User
from relais.core.actor import SYSTEM, Actor
from relais.oncall.models import PoolMember
from relais.rooms.models import Invitation

CLINICAL = ("practitioner", "caregiver")
ENDED = ("cloturee", "annulee")  # nothing changes any more


def can_read_clinical(actor: Actor) -> bool:
    """Practitioners and caregivers read requests and opinions; secretaries and managers never do."""
    return actor.is_professional and actor.has_role(*CLINICAL)


def can_ask(actor: Actor) -> bool:
    """A practitioner or a caregiver asks for an opinion in the name of the establishment chosen: treating doctor, mobile
    team, geriatric on-call, nurse of a nursing home (TE-06; health professionals, CSP R6316-1)."""
    return can_read_clinical(actor) and actor.establishment_id is not None


def can_follow(actor: Actor, asked: Any) -> bool:
    """On the side that asks, the practitioners and caregivers of its establishment: the one who asked goes home too."""
    return can_ask(actor) and actor.establishment_id == asked.establishment_id


def can_write(actor: Actor, asked: Any) -> bool:
    """A draft is written and sent by the one who began it."""
    return can_follow(actor, asked) and actor.user_id == asked.requester_id


def can_cancel(actor: Actor, asked: Any) -> bool:
    """The side that asks cancels until it is answered; a draft, only the one who began it."""
    return can_write(actor, asked) if asked.state == "brouillon" else can_follow(actor, asked)


def only_system(actor: Actor, asked: Any) -> bool:
    """What follows a death."""
    return actor.kind == SYSTEM


def in_pool(actor: Actor, asked: Any) -> bool:
    """Whoever answers for the service that is asked."""
    key = (actor.user_id, actor.establishment_id, asked.service_id)
    if key not in asked.pools:
        asked.pools[key] = PoolMember.objects.of(actor).filter(service_id=asked.service_id).exists()
    return bool(asked.pools[key])


def can_take(actor: Actor, asked: Any) -> bool:
    """A practitioner of the pool takes a request: who answers signs with an RPPS number."""
    return actor.has_role("practitioner") and in_pool(actor, asked)


def can_answer(actor: Actor, asked: Any) -> bool:
    """The expert who has it, as long as they answer for the service."""
    return actor.user_id is not None and actor.user_id == asked.expert_id and can_take(actor, asked)


def can_sign(actor: Actor) -> bool:
    """Only a professional whose RPPS number is known signs an opinion."""
    return User.objects.filter(pk=actor.me, rpps__isnull=False).exists()


def has_signed(actor: Actor, opinion: Any) -> bool:
    """The expert who signed an opinion, as long as they answer for the service in whose name they did."""
    if actor.user_id is None or actor.user_id != opinion.expert_id or not actor.has_role("practitioner"):
        return False
    return PoolMember.objects.of(actor).filter(service_id=opinion.service_id).exists()


def can_correct(actor: Actor, asked: Any, opinion: Any) -> bool:
    """The same, until the dossier is closed: after that, an addendum."""
    return asked.state not in ENDED and has_signed(actor, opinion)


def can_propose(actor: Actor, asked: Any) -> bool:
    """The expert who has it; once an admission is proposed, only after the service refused it."""
    return can_answer(actor, asked) and not (asked.state == "convertie-admission" and asked.expected_at)


def can_decline(actor: Actor, asked: Any) -> bool:
    """Practitioners and caregivers who answer for the service to which the admission is proposed, also after accepting."""
    if not can_read_clinical(actor) or not asked.expected_at:
        return False
    return PoolMember.objects.of(actor).filter(service_id=asked.expected_at).exists()


def can_accept(actor: Actor, asked: Any) -> bool:
    """The same, until they have accepted."""
    return not asked.is_admitted and can_decline(actor, asked)


def can_take_over(actor: Actor, asked: Any) -> bool:
    """Another practitioner of the pool, once it is overdue or its expert answers for the service no more."""
    if actor.user_id == asked.expert_id or not can_take(actor, asked):
        return False
    return asked.is_overdue(timezone.now()) or not asked.expert_is_there


def can_refuse(actor: Actor, asked: Any) -> bool:
    """Before it is taken a practitioner of the pool, then the expert who has it."""
    return can_answer(actor, asked) if asked.expert_id else can_take(actor, asked)


def can_redirect(actor: Actor, asked: Any) -> bool:
    """Those who may refuse, and the side that asks: it finds another service itself."""
    return can_follow(actor, asked) or can_refuse(actor, asked)


def can_ask_second(actor: Actor, asked: Any) -> bool:
    """The side that asks, or the expert who gave the first opinion, asks another service for a second one."""
    return can_follow(actor, asked) or can_answer(actor, asked)


def can_join(actor: Actor, asked: Any) -> bool:
    """Once it is converted, both sides enter the room: the pool, and those who follow the request."""
    return asked.state == "convertie-visio" and (can_follow(actor, asked) or can_take(actor, asked))


def can_stay(invitation: Invitation, asked: Any) -> bool:
    """In its room one stays as long as one works for the establishment that asks, or answers for the service asked now."""
    who = {"user_id": invitation.holder_id, "establishment_id": invitation.establishment_id}
    here = invitation.establishment_id == asked.establishment_id
    if here and Membership.objects.at_work(CLINICAL).filter(**who).exists():
        return True
    return PoolMember.objects.at_work().filter(**who, service_id=asked.service_id).exists()


def can_see_figures(actor: Actor) -> bool:
    """Managers read the figures of the services of their establishment; no patient stands in them (TE-03)."""
    return actor.is_professional and actor.establishment_id is not None and actor.has_role("manager")


def can_word(actor: Actor, service: Any) -> bool:
    """The practitioners of its pool write the recommended texts of a service."""
    return actor.has_role("practitioner") and PoolMember.objects.of(actor).filter(service=service).exists()
