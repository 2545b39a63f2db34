"""Every write of the help desk."""

from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from relais.audit.actions import record as trace
from relais.core import live
from relais.core.actor import Actor
from relais.core.errors import NotFound, Refused
from relais.core.workflow import apply
from relais.portal import messages
from relais.portal.models import Answer, Ticket
from relais.portal.permissions import asked, can_serve
from relais.portal.queries import asked_lately, support

MOST_AN_HOUR = {"visitor": 5}  # known people: KNOWN_MOST
KNOWN_MOST = 20
NUMBERS = (int, float, bool)
DESK = "portal:desk"  # live topic of the agents' list


def topic(ticket: Ticket) -> str:
    return f"ticket:{ticket.pk}"


def ask(
    *,
    actor: Actor,
    key: UUID,
    service: str,
    subject: str,
    text: str,
    name: str = "",
    email: str = "",
    phone: str = "",
    page: str = "",
    browser: str = "",
    device_test: dict[str, Any] | None = None,
    sender: str = "",
) -> Ticket:
    """A request for help with its number; the same `key` again is the same request (SU-03, TC-64).

    `device_test` is the last self-test of the person: only its figures, times and outcomes are kept. `sender` is
    the pseudonym of the network address. A confirmation leaves by e-mail (by SMS when a known person gave a mobile
    number alone), and the mailbox of the service is told. Raises Refused past the cap.
    """
    if not email and not phone:
        raise Refused(_("Indiquez une adresse e-mail ou un numéro de téléphone pour vous répondre."), field="email")
    known = Ticket.objects.filter(key=key).first()
    if known:
        return known
    if asked_lately(actor, sender) >= MOST_AN_HOUR.get(actor.kind, KNOWN_MOST):
        raise Refused(
            _("Vous avez déjà envoyé plusieurs demandes dans l’heure. Appelez le %(number)s : nous vous répondrons.")
            % {"number": support().day.shown}
        )
    try:
        with transaction.atomic():
            ticket = _create(
                actor,
                key=key,
                service=service,
                subject=subject,
                text=text,
                name=name,
                email=email,
                phone=phone,
                page=page[:300],
                browser=browser[:300],
                device_test=_figures(device_test or {}),
                sender=sender,
            )
            trace(actor=actor, action="ticket.ask", about=ticket.pk)
            messages.confirm(ticket, known=actor.kind != "visitor")
            messages.tell_desk(ticket)
            live.ping(DESK)
            return ticket
    except IntegrityError:
        # The other half of a double click was faster.
        if twin := Ticket.objects.filter(key=key).first():
            return twin
        raise


def _create(actor: Actor, **fields: Any) -> Ticket:
    return Ticket.objects.create(
        actor_kind=actor.kind,
        user_id=actor.user_id,
        grant_id=actor.grant_id,
        establishment_id=actor.establishment_id,
        roles=",".join(sorted(actor.roles)),
        **fields,
    )


def _figures(found: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Figures and outcomes alone, flattened: never a name, a label of a device or free text."""
    kept: dict[str, Any] = {}
    for label, value in found.items():
        if isinstance(value, dict):
            kept.update(_figures(value, f"{prefix}{label}."))
        elif isinstance(value, NUMBERS) or value in ("ok", "ko", "none") or label == "at":
            kept[f"{prefix}{label}"] = value
    return kept


def write(*, actor: Actor, ticket: Ticket, text: str, key: UUID) -> Answer:
    """Add to the conversation: from an agent it answers, from the person who asked it waits again.

    The same `key` again is the same message. An answer sends the person a message that says so, without its text.
    """
    from_agent = can_serve(actor) and not asked(actor, ticket)
    with transaction.atomic():
        Ticket.objects.select_for_update(of=("self",)).get(pk=ticket.pk)  # the second of two clicks waits here
        if known := Answer.objects.filter(key=key, ticket=ticket).first():
            return known
        moved = apply(ticket, "answer" if from_agent else "reply", actor, _record, moved_at=timezone.now())
        answer = Answer.objects.create(ticket=moved, key=key, author_id=actor.user_id, from_agent=from_agent, text=text)
        if from_agent:
            messages.tell_answer(moved, answer)
    return answer


def close(*, actor: Actor, ticket: Ticket) -> Ticket:
    """The request is resolved."""
    return apply(ticket, "close", actor, _record, moved_at=timezone.now())


def reopen(*, actor: Actor, ticket: Ticket) -> Ticket:
    """The request was not resolved after all: it waits again."""
    return apply(ticket, "reopen", actor, _record, moved_at=timezone.now())


def _record(ticket: Ticket, verb: str, actor: Actor, source: str) -> None:
    trace(actor=actor, action=f"ticket.{verb}", about=ticket.pk)
    live.ping(DESK, topic(ticket))


def read(*, actor: Actor, ticket_id: UUID) -> Ticket:
    """The request, if this actor may see it; an agent's reading leaves a trace. Raises NotFound."""
    ticket = Ticket.objects.visible_to(actor).filter(pk=ticket_id).first()
    if ticket is None:
        raise NotFound
    if not asked(actor, ticket):
        trace(actor=actor, action="ticket.read", about=ticket.pk)
    return ticket


def find(*, number: str, contact: str) -> Ticket:
    """The request of whoever shows its number and the e-mail address or telephone number it was made with.

    Raises Refused alike for a wrong number and a wrong contact.
    """
    digits = _digits(contact)
    ticket = Ticket.objects.filter(number=number.strip().upper().replace(" ", "")).first()
    if ticket and (
        (ticket.email and ticket.email.lower() == contact.strip().lower())
        or (len(digits) >= 9 and _digits(ticket.phone) == digits)
    ):
        return ticket
    raise Refused(_("Aucune demande ne correspond à ce numéro et à cette adresse. Vérifiez les deux."))


def _digits(phone: str) -> str:
    """The last nine digits: 06…, +336… and 00336… are one number."""
    return "".join(sign for sign in phone if sign.isdigit())[-9:]
