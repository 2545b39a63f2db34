"""Loading questionnaires, and keeping answers."""

import datetime
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from relais.core.actor import Actor
from relais.core.errors import NotFound, Refused
from relais.core.transactions import whole
from relais.files.actions import store
from relais.files.models import StoredFile
from relais.questionnaires import logic
from relais.questionnaires.form import Form, Item, Unreadable, read
from relais.questionnaires.models import Questionnaire, Relation, Response, Voice

MANY = 500  # rows of one statement


@whole
def load(*, resources: Iterable[dict[str, Any]]) -> list[Questionnaire]:
    """Keep each FHIR Questionnaire as an immutable version; those that are there already stay. Returns the new ones.

    Raises Unreadable, with nothing loaded: a source that cannot be read, or that changed without a new version.
    """
    known = {(each.name, each.version): each.sha256 for each in Questionnaire.objects.only("name", "version", "sha256")}
    made = []
    for resource in resources:
        digest = sha256_of(resource)
        if digest in known.values():
            continue
        form = read(resource)
        if (form.name, form.version) in known:
            raise Unreadable(
                f"The questionnaire {form.name} {form.version} was loaded with another content: "
                "give the changed source a new version."
            )
        known[form.name, form.version] = digest
        made.append(
            Questionnaire(
                name=form.name,
                version=form.version,
                rank=rank_of(form.version),
                title=form.title,
                sha256=digest,
                source=resource,
            )
        )
    return Questionnaire.objects.bulk_create(made)


def load_installed() -> list[Questionnaire]:
    """Load `questionnaires/*.json` of every installed module. Raises Unreadable with the file's name."""
    return load(resources=[_read_file(path) for path in installed()])


def installed() -> list[Path]:
    """The sources of the installed modules."""
    return sorted(
        path for config in apps.get_app_configs() for path in (Path(config.path) / "questionnaires").glob("*.json")
    )


def _read_file(path: Path) -> dict[str, Any]:
    try:
        resource = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise Unreadable(f"{path.name} is not JSON: {error}.") from None
    if not isinstance(resource, dict):
        raise Unreadable(f"{path.name} is not a Questionnaire of FHIR.")
    return resource


def sha256_of(resource: dict[str, Any]) -> str:
    """Digest of a source, whatever its spaces and the order of its keys."""
    text = json.dumps(resource, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def rank_of(version: str) -> int:
    """1.2.3 as 1_0002_0003."""
    major, minor, patch = map(int, version.split("."))
    return (major * 10_000 + minor) * 10_000 + patch


class Wrong(Refused):
    """Answers that cannot be kept: `errors` holds the sentence for each key (see logic)."""

    def __init__(self, errors: dict[str, str]) -> None:
        count = len(errors)
        super().__init__(
            ngettext("Une réponse est à corriger.", "%(count)d réponses sont à corriger.", count) % {"count": count}
        )
        self.errors = errors


@dataclass(frozen=True)
class Answered:
    """A response, and whether it is new: the same request sent again gives the same response."""

    response: Response
    is_new: bool


@dataclass(frozen=True)
class Who:
    """Who answers, seen from the patient: voice of the questions, relation, and the reason when in their place (EC-10)."""

    relation: str = Relation.PATIENT
    reason: str = ""
    voice: str = Voice.PATIENT


@dataclass(frozen=True)
class Times:
    """When the first question was shown, when the last was answered, and the device's clock as it sent (None: online)."""

    started_at: datetime.datetime
    ended_at: datetime.datetime | None = None
    device_at: datetime.datetime | None = None


@whole
def answer(
    *,
    actor: Actor,
    about: UUID,
    questionnaire: Questionnaire,
    answers: dict[str, Any],
    request_key: UUID,
    times: Times,
    who: Who = Who(),
    context: dict[str, Any] | None = None,
    uploads: dict[str, list[Any]] | None = None,
    replaces: Response | None = None,
    unfinished: bool = False,
) -> Answered:
    """Check and keep answers about something; `request_key` makes one of the same request sent several times.

    The workflow that calls has checked that `actor` may answer for `about`, and writes its own event: a questionnaire
    knows no patient. `context` answers the read-only questions ({linkId: [values]}, age or oximeter at home); what the
    page says of them is not listened to. `uploads` are files by linkId, stored here and added to the answers. `replaces` corrects an earlier response, which stays. Times later than now
    become now; days are judged from the day in Paris on which the last question was answered. `unfinished` keeps answers of
    which some that are required are still to come.

    Raises Wrong (a Refused with `errors` by key), Refused when the response was corrected already, NotFound when
    `replaces` is about something else.
    """
    before = Response.objects.filter(about=about, request_key=request_key).first()
    if before:
        return Answered(before, is_new=False)
    _check_replaced(replaces, about, questionnaire)
    now = timezone.now()
    ended = min(times.ended_at or now, now)
    started = min(times.started_at, ended)
    form = questionnaire.form
    given = _with_files(actor, _with_context(form, answers, context or {}), uploads or {})
    checked = logic.check(form, given, timezone.localdate(ended), draft=unfinished)
    errors = checked.errors | _wrong_files(actor, form, checked.answers, replaces)
    _raise_errors(form, errors)
    response = Response(
        questionnaire=questionnaire,
        about=about,
        answers=checked.answers,
        started_at=started,
        ended_at=ended,
        device_at=times.device_at,
        received_at=now,
        request_key=request_key,
        replaces=replaces,
        **_who(actor, who),
    )
    try:
        with transaction.atomic():
            response.save(force_insert=True)
    except IntegrityError:  # the same request, or another correction, came in between
        same = Response.objects.filter(about=about, request_key=request_key).first()
        if not same:
            _check_replaced(replaces, about, questionnaire)
            raise
        return Answered(same, is_new=False)
    return Answered(response, is_new=True)


@dataclass(frozen=True)
class Given:
    """One answer set of `answer_many`: about what, what `logic.check` said of the answers today with the site's own
    among them, and the key of the request."""

    about: UUID
    checked: logic.Checked
    request_key: UUID


@whole
def answer_many(
    *, actor: Actor, questionnaire: Questionnaire, given: Sequence[Given], times: Times, who: Who = Who()
) -> list[Response]:
    """As `answer` for things that have no answers yet, in a few statements and in the order given; no files.

    Raises Wrong for the first one that cannot be kept: nothing is kept then.
    """
    now = timezone.now()
    ended = min(times.ended_at or now, now)
    for one in given:
        _raise_errors(questionnaire.form, one.checked.errors)
    rows = [
        Response(
            questionnaire=questionnaire,
            about=one.about,
            answers=one.checked.answers,
            started_at=min(times.started_at, ended),
            ended_at=ended,
            device_at=times.device_at,
            received_at=now,
            request_key=one.request_key,
            **_who(actor, who),
        )
        for one in given
    ]
    return Response.objects.bulk_create(rows, batch_size=MANY)


def _who(actor: Actor, who: Who) -> dict[str, Any]:
    return {
        "voice": who.voice,
        "relation": who.relation,
        "reason": who.reason,
        "actor_kind": actor.kind,
        "user_id": actor.user_id,
        "grant_id": actor.grant_id,
        "establishment_id": actor.establishment_id,
    }


def _check_replaced(replaces: Response | None, about: UUID, questionnaire: Questionnaire) -> None:
    if replaces is None:
        return
    if replaces.about != about or replaces.questionnaire.name != questionnaire.name:
        raise NotFound
    if Response.objects.filter(replaces=replaces).exists():
        raise Refused(_("Ces réponses ont déjà été corrigées. Rechargez la page pour voir la correction."))


def _with_context(form: Form, answers: dict[str, Any], context: dict[str, Any]) -> dict[str, Any]:
    """What was answered, the site's own answers put over what came for read-only questions."""
    read_only = {item.link_id for item in form.context}
    given = {link_id: value for link_id, value in answers.items() if link_id not in read_only}
    return given | {link_id: value for link_id, value in context.items() if link_id in read_only}


def _with_files(actor: Actor, answers: dict[str, Any], uploads: dict[str, list[Any]]) -> dict[str, Any]:
    """The answers with the ids of files stored just now. Raises Wrong with what is wrong with each."""
    stored: dict[str, Any] = {}
    errors = {}
    for link_id, files in uploads.items():
        try:
            pks = [str(store(actor=actor, upload=file).pk) for file in files]
        except Refused as refused:
            errors[link_id] = refused.message
        else:
            stored[link_id] = [*answers.get(link_id, []), *pks]
    if errors:
        raise Wrong(errors)
    return answers | stored


def _raise_errors(form: Form, errors: dict[str, str]) -> None:
    ours = [item.link_id for item in form.context if item.link_id in errors]
    if ours:
        raise ValueError(f"The context of {form.name} {form.version} does not fit: {', '.join(ours)}.")
    if errors:
        raise Wrong(errors)


def _wrong_files(actor: Actor, form: Form, answers: dict[str, Any], replaces: Response | None) -> dict[str, str]:
    """What is wrong with attached files: each was stored by this actor (or stands in what is corrected), as asked for."""
    given = _attached(form, answers)
    if not given:
        return {}
    kept = {pk for *_place, pks in _attached(form, replaces.answers) for pk in pks} if replaces else set()
    files = StoredFile.objects.in_bulk([UUID(pk) for *_place, pks in given for pk in pks])
    errors = {}
    for key, item, pks in given:
        for pk in pks:
            file = files.get(UUID(pk))
            if file and not (pk in kept or file.created_by == actor.holder_id):
                file = None
            if error := _wrong_file(item, file):
                errors[key] = error
    return errors


def _attached(form: Form, answers: dict[str, Any]) -> list[tuple[str, Item, list[str]]]:
    return [each for each in logic.placed(form.items, answers) if each[1].type == "attachment"]


def _wrong_file(item: Item, file: StoredFile | None) -> str:
    if file is None or file.sealed_at:
        return _("Ce fichier n’est pas arrivé. Ajoutez-le de nouveau.")
    family = file.content_type.split("/")[0] + "/*"
    if item.mime_types and not {file.content_type, family} & set(item.mime_types):
        return _("Ce fichier n’est pas du type attendu. Choisissez-en un autre.")
    if item.max_size and file.size > item.max_size:
        return _("Ce fichier dépasse %(size)d Mo. Choisissez-en un plus petit.") % {"size": item.megabytes}
    return ""
