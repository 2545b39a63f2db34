"""Two editors of one report: who has it open, said every ten seconds, and who made it the report meanwhile (TC-46)."""

from django.utils import timezone
from django.utils.translation import gettext as _

from relais.core.actor import Actor
from relais.core.errors import NotFound, Refused
from relais.dossiers.models import Document, DocumentKind
from relais.rooms import actions as rooms
from relais.rooms.models import Place
from relais.teleconsultation import permissions as may
from relais.teleconsultation.models import Teleconsultation
from relais.teleconsultation.topics import report_about


def stay(*, actor: Actor, tele: Teleconsultation) -> None:
    """The actor's page of the report is open; absent after 30 seconds without it. Raises NotFound for who may not write."""
    if not may.can_write(actor, tele):
        raise NotFound
    rooms.be_present(actor=actor, about=report_about(tele), place=Place.SPACE)


def leave(*, actor: Actor, tele: Teleconsultation) -> None:
    """That page closes: absent in five seconds unless it comes back (a reload)."""
    if not may.can_write(actor, tele):
        raise NotFound
    rooms.leave(actor=actor, about=report_about(tele), place=Place.SPACE)


class ReportAdded(Refused):
    """The report was added after the page was opened: what the page holds is in no draft any more."""


def newest_report(tele: Teleconsultation) -> Document | None:
    """The last report added, withdrawn or not."""
    reports = tele.dossier.documents.filter(kind=DocumentKind.REPORT).select_related("author")
    return reports.order_by("-created_at", "-id").first()


def who_added(report: Document) -> str:
    """Who made it the report and when, as a sentence: with the day unless it is today."""
    at = timezone.localtime(report.created_at)
    told = {"name": report.author.full_name if report.author else _("Une autre personne"), "at": f"{at:%H:%M}"}
    if at.date() == timezone.localdate():
        return _("%(name)s a ajouté le compte-rendu à %(at)s.") % told
    return _("%(name)s a ajouté le compte-rendu le %(day)s à %(at)s.") % {**told, "day": f"{at:%d/%m/%Y}"}


def refuse_superseded(tele: Teleconsultation, known: str | None) -> None:
    """Raises ReportAdded when a report was added since the page was opened that knew `known`, the id of the last one
    ("" for none): its versions are those of a draft that is gone. None when there is no page."""
    newest = newest_report(tele) if known is not None else None
    if newest and str(newest.pk) != known:
        kept = _("Votre texte est gardé dans cette page : ajoutez-le pour en faire une nouvelle version.")
        raise ReportAdded(f"{who_added(newest)} {kept}")
