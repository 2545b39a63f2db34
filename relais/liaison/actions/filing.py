"""Documents of a demand: test results, photographs, whatever the nursing home and the doctors share (FG-05)."""

from typing import Any

from django.utils.translation import gettext as _

from relais.core.actor import Actor
from relais.core.errors import NotFound, Refused
from relais.core.transactions import whole
from relais.dossiers import actions as dossiers
from relais.dossiers.models import Document, DocumentKind
from relais.files.actions import store
from relais.liaison import permissions as may
from relais.liaison.actions.states import lock, tell_pages
from relais.liaison.models import Request


@whole
def add(*, actor: Actor, demand: Request, upload: Any, title: str) -> Document:
    """File one document; its own name is its title when none is given."""
    locked = lock(actor, demand.pk)
    if not may.can_exchange(actor, locked):
        raise NotFound
    if upload is None:
        raise Refused(_("Choisissez un fichier."), field="file")
    file = store(actor=actor, upload=upload)
    kind = DocumentKind.PHOTO if file.content_type.startswith("image/") else DocumentKind.OTHER
    made = dossiers.add_document(
        actor=actor, dossier=locked.dossier, file=file, kind=kind, title=title.strip() or file.name
    )
    tell_pages(locked)
    return made
