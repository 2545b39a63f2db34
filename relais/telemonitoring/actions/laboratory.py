"""The rule laboratory: a copy of a rule set is edited, replayed over 14 days and published with one signature or two (D8).

Who may: see permissions.can_lead. A published set goes to work in the cells of the establishment that published it.
"""

import re
import time
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from procrastinate.contrib.django import app

from relais.accounts.models import User
from relais.audit import actions as audit
from relais.core import live
from relais.core.actor import Actor
from relais.core.errors import NotFound, Refused
from relais.questionnaires.actions import sha256_of
from relais.telemonitoring import judging, replay
from relais.telemonitoring import permissions as may
from relais.telemonitoring.actions import rules
from relais.telemonitoring.delays import DELAYS
from relais.telemonitoring.models import Cell, RuleDraft, RuleReplay, RuleSet, RuleSignature
from relais.telemonitoring.topics import cell_topic, draft_topic

REPLAY = "relais.telemonitoring.tasks.replay"
FRESH = timedelta(hours=24)  # a replay older than this says nothing of the patients of now
LOST = timedelta(minutes=5)  # a replay that is not done by then lost its worker: another may be asked for
VERSION = re.compile(r"\d{1,3}\.\d{1,3}\.\d{1,3}(-[a-z0-9]{1,8})?")
LONGEST_WORDS, LONGEST_REASON = 200, 300
EDITED = ("expression", "level", "words", "delay", "active")  # what the laboratory changes of a rule


def current_of(establishment_id: UUID) -> RuleSet:
    """The newest set at work in the cells of an establishment. Raises NotFound when it holds no cell."""
    found = (
        RuleSet.objects.filter(cells__establishment_id=establishment_id)
        .order_by("-published_at", "-created_at", "-pk")
        .first()
    )
    if found is None:
        raise NotFound
    return found


@transaction.atomic
def copy(*, actor: Actor, rule_set: RuleSet) -> RuleDraft:
    """Begin a draft from a published version, for the cells of the actor's establishment; from an older one to go back."""
    if not may.can_lead(actor, Cell.objects.all()):
        raise NotFound
    draft = RuleDraft.objects.create(
        establishment_id=actor.here,
        base=rule_set,
        author_id=actor.me,
        source=rule_set.source,
        sha256=sha256_of(rule_set.source),
        changed_at=timezone.now(),
    )
    audit.record(actor=actor, action="rules.copy", about=draft.pk, why=rule_set.version)
    return draft


@transaction.atomic
def change_rule(*, actor: Actor, draft: RuleDraft, rule_id: str, sha256: str, **changes: Any) -> RuleDraft:
    """Change one rule of a draft: `changes` of EDITED, all of them. Signatures given before are void: the content differs.

    Raises NotFound for who may not and for an unknown rule, Refused with the field for what cannot be computed (the
    sentence names the place), an unknown level, no words, or a draft that changed since the page was drawn (`sha256`).
    """
    locked = _edited(actor, draft)
    if sha256 != locked.sha256:
        raise Refused(_("Ce brouillon a changé entre-temps : rechargez la page, puis reprenez votre modification."))
    before = next((one for one in locked.source["rules"] if one["id"] == rule_id), None)
    if before is None:
        raise NotFound
    rule = {**before, **{name: changes[name] for name in EDITED}}
    rule["expression"], rule["words"] = rule["expression"].strip(), rule["words"].strip()
    _check(rule)
    for name, usual in (("active", True), ("delay", 0)):
        if rule[name] == usual:
            del rule[name]  # as it is written in the sets that came with Relais
    listed = [rule if one["id"] == rule_id else one for one in locked.source["rules"]]
    locked.source = {**locked.source, "rules": listed}
    locked.sha256, locked.changed_at = sha256_of(locked.source), timezone.now()
    locked.save(update_fields=["source", "sha256", "changed_at"])
    audit.record(actor=actor, action="rules.change", about=locked.pk, why=rule_id)
    live.ping(draft_topic(locked.pk))
    return locked


def _check(rule: dict[str, Any]) -> None:
    levels = [one for one in judging.RANKS if one != judging.GREEN and (one or rule["effect"])]
    if rule["level"] not in levels:
        raise Refused(_("Choisissez le niveau de la règle."), field="level")
    if not rule["words"] or len(rule["words"]) > LONGEST_WORDS:
        raise Refused(_("Écrivez ce que le professionnel lira : 200 caractères au plus."), field="words")
    longest = DELAYS[rule["level"]].call if rule["level"] else 0
    if not 0 <= rule["delay"] <= longest:
        raise Refused(
            _("Ce niveau fait appeler en %d minutes : un délai propre à la règle est plus court.") % longest,
            field="delay",
        )
    one = judging.Rule(**{**rule, "active": True})
    try:
        _compiled = judging.RuleSet((one,), rules.answers_of(one.population)).compiled
    except Refused as refused:
        raise Refused(refused.message.removeprefix(f"{one.id} : "), field="expression") from None


def _edited(actor: Actor, draft: RuleDraft) -> RuleDraft:
    """The draft, locked. Raises NotFound for who may not edit it, Refused once it is published or dropped."""
    locked = RuleDraft.objects.select_for_update(of=("self",)).select_related("establishment").get(pk=draft.pk)
    if not may.can_edit(actor, locked, Cell.objects.all()):
        raise NotFound
    _open(locked)
    return locked


def _open(draft: RuleDraft) -> None:
    if draft.published_id:
        raise Refused(_("Ce brouillon est déjà publié. Repartez de la version publiée pour la modifier."))
    if draft.dropped_at:
        raise Refused(_("Ce brouillon a été abandonné."))


@transaction.atomic
def drop(*, actor: Actor, draft: RuleDraft) -> None:
    """Give a draft up: nothing was at work."""
    locked = _edited(actor, draft)
    locked.dropped_at = timezone.now()
    locked.save(update_fields=["dropped_at"])
    audit.record(actor=actor, action="rules.drop", about=locked.pk)


@transaction.atomic
def ask_replay(*, actor: Actor, draft: RuleDraft) -> RuleReplay:
    """Replay the last 14 days in the background; while one of the same content runs, that one."""
    locked = _edited(actor, draft)
    current = current_of(locked.establishment_id)
    found = last_replay(locked, current)
    if found and not found.finished_at:
        return found
    made = RuleReplay.objects.create(draft=locked, sha256=locked.sha256, current=current, asked_by_id=actor.me)
    app.configure_task(REPLAY).defer(replay_id=str(made.pk))
    audit.record(actor=actor, action="rules.replay", about=locked.pk)
    live.ping(draft_topic(locked.pk))
    return made


def run_replay(replay_id: UUID) -> None:
    """Do what was asked, telling each step; nothing when it is done or gone, or when the draft has another content by now."""
    asked = RuleReplay.objects.select_related("draft", "current").filter(pk=replay_id).first()
    if asked is None or asked.finished_at or asked.draft.sha256 != asked.sha256:
        return
    begun = time.monotonic()

    def tell(done: int) -> None:
        with transaction.atomic():
            RuleReplay.objects.filter(pk=replay_id).update(done=done)
            live.ping(draft_topic(asked.draft_id))

    found = replay.run(before=asked.current.source, after=asked.draft.source, until=asked.created_at, on_step=tell)
    with transaction.atomic():
        RuleReplay.objects.filter(pk=replay_id, finished_at=None).update(
            result=found.as_json(), finished_at=timezone.now(), seconds=round(time.monotonic() - begun, 2)
        )
        live.ping(draft_topic(asked.draft_id))


def last_replay(draft: RuleDraft, current: RuleSet) -> RuleReplay | None:
    """The newest replay of this very content against the set at work, done or running; one that runs no more is none."""
    alive = Q(finished_at__isnull=False) | Q(created_at__gt=timezone.now() - LOST)
    found: RuleReplay | None = (
        draft.replays.filter(alive, sha256=draft.sha256, current=current).order_by("-created_at").first()
    )
    return found


def pending(draft: RuleDraft) -> RuleSignature | None:
    """The signature of this very content that waits for a second physician."""
    if not draft.is_open:
        return None
    found: RuleSignature | None = (
        draft.signatures.filter(sha256=draft.sha256).select_related("user").order_by("-created_at").first()
    )
    return found


def why_two(draft: RuleDraft, result: dict[str, Any]) -> list[str]:
    """Why a second physician must sign: the replay loses reds, or a red rule is gone, lower or another one than in a set
    at work in any cell of the establishment (a cell opened later may work with a newer one)."""
    reasons = []
    lost = replay.reds_lost(result["levels"])
    if lost:
        reasons.append(_("Des alertes rouges disparaissent ou baissent de niveau : %d sur 14 jours.") % lost)
    at_work = RuleSet.objects.filter(cells__establishment_id=draft.establishment_id).order_by("-published_at", "-pk")
    for source in dict(at_work.values_list("pk", "source")).values():
        reasons += _reds_changed(draft.source, source)
    return list(dict.fromkeys(reasons))


def _reds_changed(source: dict[str, Any], before: dict[str, Any]) -> list[str]:
    """Of the red rules of a set at work, those that are gone, at another level or another rule in this source."""
    reasons = []
    now = {one["id"]: one for one in source["rules"]}
    for rule in before["rules"]:
        if not rule["level"].startswith("rouge") or not rule.get("active", True):
            continue
        after = now.get(rule["id"], {"active": False})
        if not after.get("active", True):
            reasons.append(_("La règle rouge %s n’est plus appliquée.") % rule["id"])
        elif after["level"] != rule["level"]:
            reasons.append(_("La règle rouge %s change de niveau.") % rule["id"])
        elif any(
            after.get(name) != rule.get(name) for name in ("expression", "stage", "population", "effect", "delay")
        ):
            reasons.append(_("La règle rouge %s change de condition ou de délai.") % rule["id"])
    return reasons


@transaction.atomic
def publish(*, actor: Actor, draft: RuleDraft, sha256: str, version: str, reason: str) -> RuleSet | None:
    """Sign a draft; published at once when one signature is enough, else None: a second physician signs (`countersign`).

    Raises NotFound for who may not, Refused for a version name that is badly written or taken, no reason, a content
    that changed since the page was drawn, and a replay that is missing, old, or of another set at work.
    """
    locked = _edited(actor, draft)
    _numbered(actor)
    version, reason = version.strip(), reason.strip()
    if not VERSION.fullmatch(version):
        raise Refused(_("Donnez un nom de version comme 1.1.0."), field="version")
    if not reason or len(reason) > LONGEST_REASON:
        raise Refused(_("Écrivez le motif de cette version : 300 caractères au plus."), field="reason")
    current, found = _ready(locked, sha256, version)
    if locked.signatures.filter(user_id=actor.me, sha256=sha256, version=version).exists():
        raise Refused(_("Vous avez déjà signé cette version : un autre médecin doit la signer."))
    signature = RuleSignature.objects.create(
        draft=locked, user_id=actor.me, sha256=sha256, version=version, reason=reason
    )
    audit.record(actor=actor, action="rules.sign", about=locked.pk, why=version)
    if why_two(locked, found.result or {}):
        live.ping(draft_topic(locked.pk))
        return None
    return _put_to_work(actor, locked, current, signature, [actor.me])


@transaction.atomic
def countersign(*, actor: Actor, draft: RuleDraft, sha256: str) -> RuleSet:
    """Sign as the second physician, of another account, what the first one signed: it is published.

    Raises NotFound for who may not, Refused when nothing waits, by the first signer, and as `publish` does.
    """
    locked = RuleDraft.objects.select_for_update(of=("self",)).select_related("establishment").get(pk=draft.pk)
    if not may.can_sign(actor, locked, Cell.objects.all()):
        raise NotFound
    _open(locked)
    first = pending(locked)
    if first is None:
        raise Refused(
            _("Le brouillon a changé depuis la première signature : il faut le rejouer et le signer de nouveau.")
        )
    if first.user_id == actor.me:
        raise Refused(_("La seconde signature doit venir d’un autre médecin que la première."))
    _numbered(actor)
    current, _found = _ready(locked, sha256, first.version)
    RuleSignature.objects.create(
        draft=locked, user_id=actor.me, sha256=sha256, version=first.version, reason=first.reason
    )
    audit.record(actor=actor, action="rules.sign", about=locked.pk, why=first.version)
    return _put_to_work(actor, locked, current, first, [first.user_id, actor.me])


def _numbered(actor: Actor) -> None:
    """Two signatures are of two physicians: an RPPS number has one account, an account without one may be a second one."""
    if not User.objects.filter(pk=actor.me, rpps__isnull=False).exists():
        raise Refused(_("Votre numéro RPPS manque : il identifie le médecin qui signe. Complétez votre profil."))


def _ready(draft: RuleDraft, sha256: str, version: str) -> tuple[RuleSet, RuleReplay]:
    """The set at work and the replay against it, with the establishment's cells locked until the end: of two drafts
    published at once the second one was compared with what no longer is.
    """
    if sha256 != draft.sha256:
        raise Refused(_("Ce brouillon a changé entre-temps : relisez-le et rejouez-le avant de signer."))
    list(Cell.objects.select_for_update(of=("self",)).filter(establishment_id=draft.establishment_id).order_by("pk"))
    if RuleSet.objects.filter(name=draft.source["name"], version=version).exists():
        raise Refused(_("La version %s existe déjà : donnez un autre nom.") % version, field="version")
    current = current_of(draft.establishment_id)
    found = last_replay(draft, current)
    if found is None or found.result is None or found.created_at < timezone.now() - FRESH:
        raise Refused(
            _("Rejouez d’abord les 14 derniers jours : la dernière comparaison manque, ou n’est plus à jour.")
        )
    return current, found


def _put_to_work(
    actor: Actor, draft: RuleDraft, current: RuleSet, signature: RuleSignature, signers: list[UUID]
) -> RuleSet:
    names = {one.pk: one.full_name for one in User.objects.filter(pk__in=signers)}
    now = timezone.now()
    made = RuleSet.objects.create(
        name=draft.source["name"],
        version=signature.version,
        source={**draft.source, "version": signature.version},
        published_at=now,
        approved_by=", ".join(names[one] for one in signers)[:200],
        approved_on=timezone.localdate(now),
        establishment_id=draft.establishment_id,
        before=current,
        reason=signature.reason,
    )
    draft.published = made
    draft.save(update_fields=["published"])
    cells = Cell.objects.filter(establishment_id=draft.establishment_id)
    cells.update(rules=made)
    audit.record(actor=actor, action="rules.publish", about=made.pk, why=signature.reason)
    live.ping(draft_topic(draft.pk))
    for pk in cells.order_by("pk").values_list("pk", flat=True):
        live.ping(cell_topic(pk))
    return made
