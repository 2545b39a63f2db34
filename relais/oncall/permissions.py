"""Who may do what with a rota, in sentences. `service`, `slot`, `replacement` are rows."""

from typing import Any

from django.db.models import Q

from relais.core.actor import Actor

MANAGER, CLINICAL = "manager", ("practitioner", "caregiver")


def may_be_on_call(actor: Actor) -> bool:
    """Who may stand in a rota or keep one sees the entry of the rotas; secretaries read the directory."""
    return actor.is_professional and actor.establishment_id is not None and actor.has_role(MANAGER, *CLINICAL)


def can_manage(actor: Actor, service: Any) -> bool:
    """The managers of the establishment that holds the service are its referents: they keep its pool and its rota."""
    return actor.is_professional and actor.has_role(MANAGER) and actor.establishment_id == service.establishment_id


def answers(actor: Actor, service: Any) -> bool:
    """Who is in its pool, in the name of the establishment chosen, answers for a service."""
    return service.pool.of(actor).exists()


def can_read(actor: Actor, service: Any) -> bool:
    """The whole rota is read by who answers for the service and by its referents; the others see who is on duty now."""
    return can_manage(actor, service) or (service.active and answers(actor, service))


def is_mine(actor: Actor, slot: Any) -> bool:
    """A slot is confirmed by its doctor alone."""
    return actor.is_professional and actor.user_id == slot.user_id


def can_say_absent(actor: Actor, slot: Any) -> bool:
    """The doctor or the referent says that the doctor is absent."""
    return is_mine(actor, slot) or can_manage(actor, slot.service)


def can_move(actor: Actor, slot: Any) -> bool:
    """Hours, and who has them, are the referent's."""
    return can_manage(actor, slot.service)


def by_agreement(actor: Actor, slot: Any) -> bool:
    """A slot changes hands when the one who was asked to take it, or to give it in exchange, has accepted."""
    if not actor.is_professional:
        return False
    accepted = Q(state="accepted", asked=actor.user_id) & (Q(slot=slot) | Q(against=slot))
    return bool(slot.replacements.model.objects.filter(accepted).exists())


def is_asked(actor: Actor, replacement: Any) -> bool:
    """Only the one who was asked accepts or refuses."""
    return actor.is_professional and actor.user_id == replacement.asked_id


def can_cancel(actor: Actor, replacement: Any) -> bool:
    """The one who asks takes the request back; the referent may too."""
    return actor.is_professional and (
        actor.user_id == replacement.slot.user_id or can_manage(actor, replacement.slot.service)
    )


def can_attach(actor: Actor, service: Any) -> bool:
    """The referent of an on-call says for which nursing homes it answers first."""
    return can_manage(actor, service)
