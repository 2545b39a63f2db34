"""What the page of one request shows, in a constant number of queries."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from relais.accounts.models import Membership, User
from relais.audit import actions as audit
from relais.core import workflow
from relais.core.actor import Actor
from relais.directory.models import Service
from relais.dossiers.models import Document, DocumentKind, Dossier, Event
from relais.dossiers.sequels import Standing
from relais.expertise import permissions as may
from relais.expertise.models import MOST_OPINIONS, Expertise, Opinion, Wording
from relais.expertise.workflow import TRANSITIONS
from relais.oncall.models import PoolMember
from relais.questionnaires import queries as questionnaires

MOST_OF_PATIENT = 50


def of_patient(actor: Actor, patient: Any) -> list[Expertise] | None:
    """The tele-expertises of a patient that the actor may open, newest first, with the trace; None without any."""
    if not may.can_read_clinical(actor):
        return None
    seen = Dossier.objects.visible_to(actor).filter(patient=patient, kind="expertise").values("pk")
    rows = Expertise.objects.filter(pk__in=seen).select_related("dossier", "service").defer("draft")
    found = list(rows.order_by("-dossier__created_at", "pk")[:MOST_OF_PATIENT])
    if found:
        audit.record_list(actor=actor, action="expertise.list", ids=[one.pk for one in found])
    return found or None


def standings(ids: Iterable[UUID]) -> dict[UUID, Standing]:
    """How those of these dossiers stand that were sent: what the dossier from which they were asked shows of them."""
    moved = Event.objects.filter(dossier=OuterRef("pk"), verb__in=TRANSITIONS).order_by("-at", "-id").values("at")[:1]
    sent = Expertise.objects.filter(pk__in=ids, sent_at__isnull=False).select_related("service__establishment")
    rows = sent.defer("draft").annotate(since=Coalesce(Subquery(moved), "sent_at"))
    return {
        one.pk: Standing(f"{one.service.name} ({one.service.establishment.name})", one.get_state_display(), one.since)
        for one in rows
        if one.service
    }


@dataclass(frozen=True)
class Said:
    """Something written in the thread: a note, a question or an answer about what is missing, an addendum."""

    at: datetime
    kind: str  # note, asked, given, admission, accepted, declined, addendum, corrected
    text: str
    author: User | None
    standing: str  # for whom they speak: a service, or an establishment
    unread: bool

    @property
    def quality(self) -> str:
        """Profession and specialty, beside the name (B2.3)."""
        if self.author is None:
            return ""
        return ", ".join(part for part in (self.author.profession, self.author.specialty) if part)


def thread(actor: Actor, asked: Expertise, seen: datetime | None) -> list[Said]:
    """All that was written, oldest first, each with the name, quality and side of its author."""
    written: list[tuple[datetime, str, str, User | None]] = [
        (note.created_at, "note", note.text, note.author) for note in asked.dossier.notes.select_related("author")
    ]
    for step in asked.dossier.steps.select_related("author"):
        if step.kind == "complement":
            written.append(
                (step.created_at, "asked" if step.data["asked"] else "given", step.data["text"], step.author)
            )
        elif step.kind == "admission_answer":
            kind = "accepted" if step.data["accepted"] else "declined"
            written.append((step.created_at, kind, step.data["text"], step.author))
        elif step.kind == "opinion" and step.data.get("why"):
            written.append((step.created_at, "corrected", step.data["why"], step.author))
        elif step.kind in ("admission", "addendum"):
            written.append((step.created_at, step.kind, step.data["text"], step.author))
    standings = _standings(asked, {author.pk for _at, _kind, _text, author in written if author})
    return [
        Said(
            at=at,
            kind=kind,
            text=text,
            author=author,
            standing=standings.get(author.pk, "") if author else "",
            unread=bool(author) and author.pk != actor.user_id and (seen is None or at > seen),  # type: ignore[union-attr]
        )
        for at, kind, text, author in sorted(written, key=lambda one: one[0])
    ]


def unread(actor: Actor, asked: Expertise, documents: list[Document], seen: datetime | None) -> list[Document]:
    """The documents that others added after the sending, since the actor looked."""
    since = max(moment for moment in (asked.sent_at, seen) if moment) if asked.sent_at or seen else None
    return [one for one in documents if since and one.author_id != actor.user_id and one.created_at > since]


def _standings(asked: Expertise, user_ids: set[Any]) -> dict[Any, str]:
    """For whom each of them speaks: the establishment that asks, else the service of the dossier whose pool they are in."""
    if not user_ids:
        return {}
    taking = asked.dossier.participants.exclude(service=None).values("service_id")
    pools = PoolMember.objects.filter(user_id__in=user_ids, service_id__in=taking).select_related("service")
    found = {one.user_id: one.service.name for one in pools.order_by("created_at", "id")}
    home = Membership.objects.filter(user_id__in=user_ids, establishment_id=asked.establishment_id)
    return found | dict.fromkeys(home.order_by().values_list("user_id", flat=True), asked.establishment.name)


@dataclass(frozen=True)
class Given:
    """An opinion with what it says, and the versions that it replaced, the last one first."""

    opinion: Opinion
    sections: list[questionnaires.Section]
    former: list["Given"] = field(default_factory=list)
    prescription: Document | None = None
    may_correct: bool = False

    @property
    def replaced(self) -> Opinion:
        """The version before."""
        return self.former[0].opinion


def opinions(actor: Actor, asked: Expertise, documents: Iterable[Document]) -> list[Given]:
    """The opinions in force, the first one first; `documents`: those of the dossier that the actor sees."""
    rows = asked.opinions.select_related("service__establishment", "expert", "response__questionnaire", "document")
    found: dict[int, Given] = {}
    for one in rows:  # by number, then by version
        before = found.get(one.number)
        former = [before, *before.former] if before else []
        found[one.number] = Given(one, questionnaires.shown(one.response), former)
    return [
        replace(
            one, may_correct=may.can_correct(actor, asked, one.opinion), prescription=prescription(one.opinion, documents)
        )
        for one in found.values()
    ]  # fmt: skip


def joined_by(dossier: Dossier, user_id: UUID) -> QuerySet[Document]:
    """What this professional has joined to a dossier, and nobody withdrew: reports are made, not joined."""
    return dossier.documents.filter(author=user_id, withdrawn_at=None).exclude(kind=DocumentKind.REPORT)


def prescription(opinion: Opinion, documents: Iterable[Document]) -> Document | None:
    """The prescription that comes with an opinion, among the documents of its dossier: what its expert joined as one, else
    what they joined last."""
    if opinion.response.answers.get("tr.prescription") != [True]:
        return None
    joined = [one for one in documents if one.author_id == opinion.expert_id and one.kind != DocumentKind.REPORT]
    return max(joined, key=lambda one: (one.kind == DocumentKind.PRESCRIPTION, one.created_at), default=None)


def had(actor: Actor, dossier_id: UUID) -> bool:
    """Whether the actor once took this request: what they typed about it is theirs, whoever has it now."""
    took = Event.objects.filter(dossier_id=dossier_id, user_id=actor.me, verb__in=["take", "take_over"])
    return took.exists()


def verbs(actor: Actor, asked: Expertise) -> set[str]:
    """What the buttons are drawn from: the table, and that no third opinion is asked."""
    found = set(workflow.possible(asked, actor))
    if "second_opinion" in found and asked.opinions.filter(version=1).count() >= MOST_OPINIONS:
        found.discard("second_opinion")
    return found


def wordings(service: Service) -> list[dict[str, str]]:
    """The recommended texts of a service, then those for everybody."""
    own = [
        {"title": one.title, "conclusion": one.conclusion, "conduct": one.conduct}
        for one in Wording.objects.filter(service=service)
    ]
    return own + common_wordings()


def common_wordings() -> list[dict[str, str]]:
    """Texts that any service may begin with."""
    return [
        {
            "title": _("Maintien sur place avec surveillance"),
            "conclusion": _("Pas d’argument pour un transfert à ce stade."),
            "conduct": _(
                "Surveillance clinique deux fois par jour (fréquence respiratoire, SpO2, température, conscience). "
                "Rappeler si SpO2 < 92\u00a0%, FR > 24/min, trouble de conscience ou inquiétude de l’équipe."
            ),
        },
        {
            "title": _("Hospitalisation souhaitable"),
            "conclusion": _("L’état décrit justifie une hospitalisation."),
            "conduct": _(
                "Prévenir le patient et ses proches. Joindre le DLU et les directives anticipées au transfert."
            ),
        },
        {
            "title": _("Adaptation du traitement"),
            "conclusion": _("Traitement à adapter."),
            "conduct": _("Modifier ainsi :\nContrôle biologique à :\nRéévaluer l’efficacité et la tolérance le :"),
        },
    ]


@dataclass(frozen=True)
class Admission:
    """An admission that was proposed, and what the service said to it."""

    service: Service
    said: str  # "" until it has answered, then accepted or declined
    text: str  # when and how the patient is expected; once answered, the words of the service

    @property
    def state(self) -> str:
        """The colour of its notice."""
        return {"accepted": "ok", "declined": "danger"}.get(self.said, "info")

    @property
    def title(self) -> str:
        return {"accepted": _("Admission acceptée"), "declined": _("Admission refusée")}.get(
            self.said, _("Admission proposée")
        )


def admission(asked: Expertise) -> Admission | None:
    """How far the last admission is that was proposed; None without any."""
    last = asked.last_admission
    if last is None:
        return None
    service = Service.objects.select_related("establishment").get(pk=UUID(last.data["service"]))
    said = "" if last.kind == "admission" else "accepted" if asked.is_admitted else "declined"
    return Admission(service, said, last.data["text"])
