"""The exchange of notes of a request (FG-06; expectations B6)."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from relais.accounts.models import User
from relais.core.actor import Actor
from relais.core.errors import NotFound, Refused
from relais.core.transactions import whole
from relais.dossiers import actions as dossiers
from relais.liaison import messages
from relais.liaison import permissions as may
from relais.liaison.actions.states import OVER_NOW, lock, tell_pages
from relais.liaison.models import Note, Request, Seen
from relais.liaison.queries.people import across, people_of
from relais.liaison.workflow import OVER

NOTE_MAX = 5000  # characters


@whole
def write(
    *,
    actor: Actor,
    demand: Request,
    text: str,
    urgent: bool = False,
    mentions: Iterable[UUID] = (),
    kind: str = Note.Kind.NOTE,
) -> Note:
    """Add a note, perhaps urgent, perhaps for some of those who take part; each one mentioned gets a message.

    An urgent one also calls the doctor who has the request, or is asked, whoever it is being handed over to, and, where it
    does not come from there, whoever spoke for the nursing home. Raises Refused for a closed request, an empty note, or
    somebody who takes part no more.
    """
    locked = lock(actor, demand.pk)
    if not may.can_exchange(actor, locked):
        if may.in_home(actor, locked):
            raise Refused(_("Dans cette région, les EHPAD lisent les dossiers sans y écrire : appelez l’astreinte."))
        raise NotFound
    if locked.state in OVER:
        raise Refused(_(OVER_NOW))
    words = _checked(text)
    wanted = set(mentions)
    there = {one.user.pk: one.user for one in people_of(locked)} if wanted or urgent else {}
    if gone := wanted - set(there):
        name = User.objects.filter(pk__in=gone).order_by("pk").first()
        raise Refused(
            _("%(who)s ne participe plus à cette demande : choisissez quelqu’un d’autre, rien n’est perdu.")
            % {"who": name.full_name if name else _("Cette personne")},
            field="mentions",
        )
    author = User.objects.get(pk=actor.me)
    note = Note.objects.create(
        demand=locked, author=author, establishment_id=actor.here, function=function_of(author), kind=kind, text=words,
        urgent=urgent,
    )  # fmt: skip
    note.mentions.set([there[pk] for pk in sorted(wanted)])
    for pk in sorted(wanted - {author.pk}):
        messages.tell(messages.MENTION, locked, there[pk])
    if urgent:
        for pk in sorted((across(actor, locked) - wanted) & set(there)):
            messages.tell(messages.URGENT, locked, there[pk])
    dossiers.record(locked.dossier, "note_written", actor, note=str(note.pk), urgent=urgent)
    tell_pages(locked, urgent=urgent)
    return note


@whole
def summarise(*, actor: Actor, demand: Request, text: str) -> Note:
    """The first note of a request that goes on elsewhere, by whoever said so, a member of that home or not."""
    author = User.objects.get(pk=actor.me)
    note = Note.objects.create(
        demand=demand, author=author, establishment_id=actor.here, function=function_of(author), text=_checked(text)
    )
    dossiers.record(demand.dossier, "note_written", actor, note=str(note.pk))
    return note


def function_of(user: User) -> str:
    """*Médecin, Gériatrie*: what stands beside a name."""
    return ", ".join(part for part in (user.profession, user.specialty) if part) or _("Professionnel")


@whole
def amend(*, actor: Actor, note: Note, text: str) -> Note:
    """Correct one's own note; the earlier words stay readable. Nobody amends another's (B6)."""
    demand = lock(actor, note.demand_id)
    found = Note.objects.select_for_update(of=("self",)).get(pk=note.pk)
    if found.author_id != actor.user_id:
        raise Refused(_("Seul l’auteur d’une note la corrige."))
    if found.sequel_id:
        raise Refused(_("Ceci vient d’un autre dossier : ajoutez une note."))
    if demand.state in OVER:
        raise Refused(_(OVER_NOW))
    words, now = _checked(text), timezone.now()
    if words == found.text:
        return found
    found.before = [*found.before, {"at": (found.amended_at or found.created_at).isoformat(), "text": found.text}]
    found.text, found.amended_at = words, now
    found.save(update_fields=["text", "before", "amended_at"])
    dossiers.record(demand.dossier, "note_amended", actor, note=str(found.pk))
    tell_pages(demand)
    return found


def _checked(text: str) -> str:
    words = text.strip()
    if not words:
        raise Refused(_("Écrivez la note avant de l’ajouter."), field="text")
    if len(words) > NOTE_MAX:
        raise Refused(_("Cette note est trop longue : 5 000 caractères au plus."), field="text")
    return words


@whole
def mark_read(*, actor: Actor, demand: Request, until: datetime) -> None:
    """The actor has what was written up to this moment under their eyes: what came since the page was drawn is not read yet."""
    seen, is_new = Seen.objects.get_or_create(demand=demand, user_id=actor.me, defaults={"at": until})
    if not is_new and seen.at < until:
        seen.at = until
        seen.save(update_fields=["at"])
