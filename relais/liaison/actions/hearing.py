"""What comes back into a request from the dossiers that were opened from it: nothing is said twice, nothing is missed."""

from relais.accounts.models import User
from relais.core.actor import Actor
from relais.core.transactions import whole
from relais.dossiers import actions as dossiers
from relais.dossiers.models import Document, Dossier
from relais.dossiers.sequels import News
from relais.liaison import messages
from relais.liaison.actions.notes import function_of
from relais.liaison.actions.owning import add_to_hand_over
from relais.liaison.actions.states import tell_pages
from relais.liaison.models import Note, Request
from relais.liaison.queries.sbar import shortened


@whole
def follow_sequel(actor: Actor, origin: Dossier, news: News) -> None:
    """An opinion that was asked from a request, and what came back, stands among its notes under the name of who said it,
    with what was signed: whoever reads the request reads it, also once it is over.

    Where the resident's request goes on in another home, there. Its doctor gets a message, unless they did it or opened that
    dossier, which tells them. The request's row is not held: whoever holds it may wait for the sequel's.
    """
    if actor.user_id is None or actor.establishment_id is None:
        return
    demand = _goes_on_in(origin)
    author = User.objects.get(pk=actor.user_id)
    copied = _copied(actor, news, demand) if news.document else None
    note = Note.objects.create(
        demand=demand, author=author, establishment_id=actor.here, function=function_of(author), text=news.text,
        sequel=news.sequel, document=copied,
    )  # fmt: skip
    dossiers.record(demand.dossier, "sequel_told", actor, note=str(note.pk), sequel=str(news.sequel.pk))
    add_to_hand_over(demand, shortened(news.text))
    if demand.is_open and demand.responsible and demand.responsible_id not in (author.pk, news.sequel.opened_by):
        messages.tell(messages.NEWS, demand, demand.responsible)
    tell_pages(demand)


def _copied(actor: Actor, news: News, demand: Request) -> Document | None:
    if news.document is None:
        return None
    title = f"{news.document.title} ({news.sequel.reference})"
    return dossiers.copy_document(actor=actor, document=news.document, target=demand.dossier, title=title)


@whole
def follow_withdrawn(actor: Actor, origin: Dossier, document: Document, why: str) -> None:
    """A document of the wrong person that came from a sequel goes with its copies, wherever the request went on."""
    if not Note.objects.filter(sequel=document.dossier_id, document__file__sha256=document.file.sha256).exists():
        return
    copies = Document.objects.filter(
        file__sha256=document.file.sha256, dossier__patient=origin.patient_id, dossier__kind="liaison", withdrawn_at=None
    )  # fmt: skip
    for copy in copies.select_related("dossier", "file").order_by("created_at", "pk"):
        dossiers.withdraw_copy(actor=actor, document=copy, why=why)
        tell_pages(Request.objects.get(pk=copy.dossier_id))


def _goes_on_in(origin: Dossier) -> Request:
    """The request, or the one that goes on in the home that its resident entered since."""
    rows = Request.objects.select_related("dossier", "patient", "responsible")
    demand = rows.get(pk=origin.pk)
    while gone := demand.departures.filter(sequel__isnull=False).order_by("-created_at", "-pk").first():
        demand = rows.get(pk=gone.sequel_id)
    return demand
