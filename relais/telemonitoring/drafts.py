"""The tables of the rule laboratory: drafts of rule sets, their replays, the signatures of physicians."""

from typing import TYPE_CHECKING

import pgtrigger
from django.db import models
from django.db.models import Q

from relais.accounts.models import User
from relais.core.models import Base
from relais.directory.models import Establishment

if TYPE_CHECKING:
    from relais.core.actor import Actor
    from relais.telemonitoring.models import RuleSet  # noqa: F401 (named in words: it imports this file)


class RuleDraftQuerySet(models.QuerySet["RuleDraft"]):
    def visible_to(self, actor: "Actor") -> "RuleDraftQuerySet":
        """Those of the establishments in whose cells the actor works."""
        if not actor.is_professional:
            return self.none()
        works = Q(
            establishment__cells__members__user_id=actor.user_id,
            establishment__cells__members__establishment_id=actor.establishment_id,
            establishment__cells__members__until=None,
        )
        return self.filter(works).distinct()


class RuleDraft(Base):
    """A copy of a rule set that the physicians of an establishment edit, replay and publish for its cells (D8)."""

    establishment = models.ForeignKey(Establishment, on_delete=models.PROTECT, related_name="+")
    base = models.ForeignKey("RuleSet", on_delete=models.PROTECT, related_name="+")
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    source = models.JSONField()
    sha256 = models.CharField(
        max_length=64
    )  # of the source as canonical JSON: replays and signatures are of one content
    changed_at = models.DateTimeField()
    published = models.OneToOneField("RuleSet", on_delete=models.PROTECT, null=True, related_name="draft")
    dropped_at = models.DateTimeField(null=True)

    objects = RuleDraftQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(published=None) | Q(dropped_at=None), name="rule_draft_published_or_dropped"
            )
        ]

    @property
    def is_open(self) -> bool:
        return self.published_id is None and self.dropped_at is None


class RuleReplay(Base):
    """The last 14 days judged again by a draft's content and by the set at work; `result`: replay.Comparison as JSON."""

    draft = models.ForeignKey(RuleDraft, on_delete=models.CASCADE, related_name="replays")
    sha256 = models.CharField(max_length=64)  # of the content that was replayed
    current = models.ForeignKey("RuleSet", on_delete=models.PROTECT, related_name="+")  # the set at work, compared with
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    done = models.PositiveSmallIntegerField(default=0)  # steps of replay.STEPS
    finished_at = models.DateTimeField(null=True)
    seconds = models.FloatField(null=True)
    result = models.JSONField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(finished_at=None, result=None) | Q(finished_at__isnull=False, result__isnull=False),
                name="rule_replay_finished_has_result",
            )
        ]


class RuleSignature(Base):
    """A physician signs one content of a draft under a version name; the second of two publishes it. Append-only."""

    draft = models.ForeignKey(RuleDraft, on_delete=models.CASCADE, related_name="signatures")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    sha256 = models.CharField(max_length=64)
    version = models.CharField(max_length=20)
    reason = models.CharField(max_length=300)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["draft", "user", "sha256", "version"], name="rule_signature_once")
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]
