"""A slot changes hands: asked by its doctor of another one, who agrees, or nothing changes; given by the referent."""

from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from relais.core import times, workflow
from relais.core.actor import Actor
from relais.core.errors import NotFound, Refused
from relais.core.transactions import whole
from relais.directory.models import Service
from relais.oncall import messages
from relais.oncall import permissions as may
from relais.oncall.actions.pool import changed, lock
from relais.oncall.actions.slots import phone_of, silent, take_back_requests
from relais.oncall.models import OnCallSlot, PoolMember, Replacement
from relais.oncall.workflow import LIVE, AskState, SlotState


@whole
def ask(*, actor: Actor, slot: OnCallSlot, asked_id: UUID, against: OnCallSlot | None = None) -> Replacement:
    """Ask a colleague of the pool to take one's slot; `against` is one of theirs that one would take instead.

    Nothing changes until they accept. Raises NotFound for another's slot, Refused for a slot that has begun, a second
    request while one is open, and a colleague who is on call at that time.
    """
    service = lock(slot.service)
    slot = OnCallSlot.objects.get(pk=slot.pk)
    if not may.is_mine(actor, slot):
        raise NotFound
    _check_ahead(slot)
    if asked_id == actor.user_id or _member(service, asked_id) is None:
        raise Refused(_("Choisissez un collègue parmi ceux qui répondent pour ce service."), field="asked")
    if against is not None:
        against = OnCallSlot.objects.filter(pk=against.pk, service=service, user_id=asked_id).first()
        if against is None:
            raise Refused(_("Choisissez en échange une astreinte de ce collègue."), field="against")
        _check_ahead(against)
    _check_free(service, asked_id, slot, but=against)
    if against:
        _check_free(service, actor.me, against, but=slot)
    _close_void(actor, slot)
    try:
        with transaction.atomic():
            made = Replacement.objects.create(slot=slot, asked_id=asked_id, against=against)
    except IntegrityError:
        raise Refused(_("Une demande attend déjà une réponse pour cette astreinte : annulez-la d’abord.")) from None
    changed(actor, service.pk, "replacement_asked", str(slot.pk))
    messages.tell_users(messages.ASKED, service, {asked_id}, {"day": times.full(slot.starts_at)})
    return made


@whole
def accept(*, actor: Actor, replacement: Replacement) -> OnCallSlot:
    """Take the slot over: it is theirs, confirmed, from now on; the old row is kept as replaced. With an exchange both change.

    Raises NotFound for who was not asked, Refused once the slot has begun, changed hands or was taken out, or when they are
    on call at that time.
    """
    row = _asked(actor, replacement)
    service, slot, against = row.slot.service, row.slot, row.against
    _check_ahead(slot)
    if against:
        _check_ahead(against)
    member, asker = _member(service, row.asked_id), _member(service, slot.user_id)
    if member is None or (against and asker is None):
        raise Refused(_("L’un de vous ne répond plus pour ce service : demandez au référent."))
    _check_free(service, row.asked_id, slot, but=against)
    done = workflow.apply(row, "accept", actor, silent, answered_at=timezone.now())
    given = [(slot, member, phone_of(member, service))]
    if against and asker:
        _check_free(service, asker.user_id, against, but=slot)
        given.append((against, asker, slot.phone))
    for old, _to, _phone in given:  # both before either is written anew: they may lie side by side
        workflow.apply(old, "replace", actor, silent)
    taken, *_back = [_anew(old, to, called) for old, to, called in given]
    changed(actor, service.pk, "replaced", f"{slot.pk} > {taken.pk}")
    _tell(done, service)
    return taken


@whole
def give(*, actor: Actor, slot: OnCallSlot, user_id: UUID) -> OnCallSlot:
    """The referent gives a slot to another doctor of the pool, who is to confirm it; both are told, the old row is kept.

    What was asked of the former doctor is taken back. Raises NotFound for who does not manage the rota, Refused for a slot
    that has begun or changed hands, and a doctor who does not answer for the service or is on call at that time.
    """
    service = lock(slot.service)
    row = OnCallSlot.objects.filter(pk=slot.pk).first()
    if row is None or not may.can_manage(actor, service):
        raise NotFound
    if row.starts_at <= timezone.now():
        raise Refused(_("Cette astreinte a commencé : déclarez l’absence du médecin, puis ajoutez un autre créneau."))
    _check_ahead(row)
    member = _member(service, user_id)
    if member is None or user_id == row.user_id:
        raise Refused(_("Choisissez un autre médecin parmi ceux qui répondent pour ce service."), field="user")
    _check_free(service, user_id, row, but=None, field="user")
    take_back_requests(actor, row)
    workflow.apply(row, "give", actor, silent)
    taken = _anew(row, member, phone_of(member, service), SlotState.PLANNED)
    messages.tell_rota(service, {row.user_id, user_id} - {actor.user_id})
    changed(actor, service.pk, "given", f"{row.pk} > {taken.pk}")
    return taken


@whole
def refuse(*, actor: Actor, replacement: Replacement) -> Replacement:
    """Say no: the slot stays with the one who asked, who is told."""
    row = _asked(actor, replacement)
    done: Replacement = workflow.apply(row, "refuse", actor, silent, answered_at=timezone.now())
    changed(actor, row.slot.service_id, "replacement_refused", str(row.slot_id))
    _tell(done, row.slot.service)
    return done


@whole
def cancel(*, actor: Actor, replacement: Replacement) -> Replacement:
    """Take a request back. Raises NotFound for who neither asked nor is a referent."""
    lock(replacement.slot.service)
    done: Replacement = workflow.apply(replacement, "cancel", actor, silent)
    changed(actor, replacement.slot.service_id, "replacement_cancelled", str(replacement.slot_id))
    return done


def _asked(actor: Actor, replacement: Replacement) -> Replacement:
    """The request as it is now, its rota locked. NotFound for who was not asked."""
    lock(replacement.slot.service)
    row = Replacement.objects.select_related("slot__service", "against").filter(pk=replacement.pk).first()
    if row is None or not may.is_asked(actor, row):  # or the slot was taken out a second ago
        raise NotFound
    return row


def _check_ahead(slot: OnCallSlot) -> None:
    if slot.starts_at <= timezone.now():
        raise Refused(_("Cette astreinte a commencé : elle ne s’échange plus. Déclarez l’absence si besoin."))
    if slot.state not in LIVE:
        raise Refused(_("Cette astreinte a déjà été reprise par quelqu’un d’autre."))


def _member(service: Service, user_id: UUID) -> PoolMember | None:
    found = PoolMember.objects.filter(service=service, user_id=user_id).on_call().select_related("user")
    return found.first()


def _check_free(
    service: Service, user_id: UUID, slot: OnCallSlot, *, but: OnCallSlot | None, field: str = "asked"
) -> None:
    """Nobody is on call twice at once for a service; the slot that they give away does not count."""
    there = OnCallSlot.objects.filter(service=service, user_id=user_id).between(slot.starts_at, slot.ends_at)
    if there.exclude(pk__in=[but.pk] if but else []).exists():
        raise Refused(_("Ce collègue est déjà d’astreinte à ce moment-là."), field=field)


def _close_void(actor: Actor, slot: OnCallSlot) -> None:
    """A request whose other slot has begun meanwhile is over: it does not stand in the way of a new one."""
    for one in slot.replacements.filter(state=AskState.ASKED).select_related("slot", "against"):
        if not one.is_open:
            workflow.apply(one, "cancel", actor, silent)


def _anew(slot: OnCallSlot, member: PoolMember, phone: str, state: str = SlotState.CONFIRMED) -> OnCallSlot:
    """The slot of somebody else from now on, with the same back-up unless they are it."""
    keeps = slot.backup_id != member.user_id
    return OnCallSlot.objects.create(
        service=slot.service,
        user=member.user,
        establishment_id=member.establishment_id,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        phone=phone,
        backup_id=slot.backup_id if keeps else None,
        backup_phone=slot.backup_phone if keeps else "",
        state=state,
    )


def _tell(replacement: Replacement, service: Service) -> None:
    day = {"day": times.full(replacement.slot.starts_at)}
    messages.tell_users(messages.ANSWERED, service, {replacement.slot.user_id}, day)
    if replacement.state == AskState.ACCEPTED:
        messages.tell_referents(messages.REPLACED, service, day)
