"""Documents of a demand: test results, photographs, whatever the nursing home and the doctors share (FG-05)."""

from typing import Any

from django.utils.translation import gettext as _

from relais.core.actor import Actor
from relais.core.errors import NotFound, Refused
from relais.core.transactions import whole
from relais.dossiers import actions as dossiers
from relais.dossiers.models import Document, DocumentKind
from relais.dossiers.permissions import can_withdraw
from relais.files.actions import store
from relais.liaison import messages
from relais.liaison import permissions as may
from relais.liaison.actions.states import hold_all, lock, tell_pages
from relais.liaison.models import Request
from relais.liaison.queries.unread import arrived, has_unread
from relais.liaison.workflow import State


@whole
def add(*, actor: Actor, demand: Request, upload: Any, title: str) -> Document:
    """File one document; its own name is its title when none is given. The other side sees it marked unread; while a complement
    is awaited from the home its doctor is told of it, once until they have looked.

    The request is held once the file is read: a scan may last a minute, and whoever takes it over does not wait.
    """
    if not may.can_exchange(actor, demand):
        raise NotFound
    if upload is None:
        raise Refused(_("Choisissez un fichier."), field="file")
    file = store(actor=actor, upload=upload)
    locked = lock(actor, demand.pk)
    if not may.can_exchange(actor, locked):
        raise NotFound
    doctor = locked.responsible if locked.state == State.COMPLEMENT and may.in_home(actor, locked) else None
    if (
        doctor
        and doctor.pk != actor.user_id
        and not has_unread(locked.pk, doctor.pk, arrived().filter(dossier=locked.pk))
    ):
        messages.tell(messages.DOCUMENT, locked, doctor)
    kind = DocumentKind.PHOTO if file.content_type.startswith("image/") else DocumentKind.OTHER
    made = dossiers.add_document(
        actor=actor, dossier=locked.dossier, file=file, kind=kind, title=title.strip() or file.name
    )
    tell_pages(locked)
    return made


@whole
def withdraw(*, actor: Actor, demand: Request, document: Document, why: str) -> None:
    """*Retirer (erreur)*: a document of another resident, by a practitioner of either side, even once the request is over.

    Its copies go with it, in the requests about this resident that the actor reads: one that goes on elsewhere has them.
    Raises NotFound for who may not, Refused without a reason.
    """
    copies = Document.objects.filter(
        file__sha256=document.file.sha256, dossier__patient=demand.patient_id, dossier__kind="liaison", withdrawn_at=None
    )  # fmt: skip
    hold_all([demand.pk, *copies.values_list("dossier_id", flat=True)])
    locked = lock(actor, demand.pk)
    if document.dossier_id != locked.pk or not may.can_exchange(actor, locked):
        raise NotFound
    dossiers.withdraw_document(actor=actor, document=document, why=why)
    for copy in copies.select_related("dossier", "file").order_by("created_at", "pk"):
        if can_withdraw(actor, copy):
            dossiers.withdraw_document(actor=actor, document=copy, why=why)
            tell_pages(Request.objects.get(pk=copy.dossier_id))
    tell_pages(locked)
