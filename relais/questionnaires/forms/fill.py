"""One page on which a questionnaire is answered, from its first showing to its acceptance."""

import datetime
import json
from functools import cached_property
from typing import Any
from uuid import UUID, uuid4

from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from relais.core.errors import Refused
from relais.core.reading import read_id
from relais.files import spool
from relais.questionnaires import logic
from relais.questionnaires.actions import Times, Wrong
from relais.questionnaires.form import Form, Item
from relais.questionnaires.forms.nodes import Drawing, Node
from relais.questionnaires.forms.posted import PREFIX, read_posted
from relais.questionnaires.logic import Answers


class Fill:
    """A form with what was typed. The template is questionnaires/fill.html, inside the page's own <form>.

    A view draws `Fill(form, context=…)` on GET; on POST it makes `Fill(form, request=request, context=…)`, and when
    `ready` calls `actions.answer(answers=fill.answers, uploads=fill.uploads, request_key=fill.request_key,
    times=fill.times, …)`, giving a Wrong back to `refuse`. Whatever happens, the page that comes back holds all that was
    typed. `answers` (without a request) fills the page before anybody typed: a correction, or what is known already.
    """

    def __init__(
        self,
        form: Form,
        *,
        voice: str = "patient",
        context: dict[str, list[Any]] | None = None,
        answers: Answers | None = None,
        request: HttpRequest | None = None,
        upload_url: str = "",
    ) -> None:
        self.form = form
        self.voice = voice
        self.context = context or {}
        self.upload_url = upload_url  # /upload/ or /upload/p/; without it files come with the page
        self.errors: dict[str, str] = {}
        self._request = request
        self._today = timezone.localdate()
        self.answers: Answers = read_posted(form.items, request.POST) if request else dict(answers or {})

    @cached_property
    def asked(self) -> frozenset[str]:
        """Keys of the items asked, given what was typed."""
        return frozenset(logic.enabled(self.form, self.answers | self.context))

    @property
    def ready(self) -> bool:
        """The page was sent to be accepted: no row was asked for, and nothing is asked now that the page did not show."""
        return self._request is not None and not self._row_wanted and not self.unseen

    @cached_property
    def unseen(self) -> set[str]:
        """Keys that what was typed brings up and the page did not show: without scripts, it shows them now."""
        if self._request is None or "shown" not in self._request.POST:
            return set()
        return self._visible - set(self._request.POST["shown"].split())

    @property
    def _row_wanted(self) -> str:
        return self._request.POST.get("add_row", "") if self._request else ""

    @property
    def _visible(self) -> set[str]:
        """Keys of the questions on the page, one by one; rows are seen with their group."""
        return {key for key in self.asked if "/" not in key and self._is_drawn(self.form.by_id[key])}

    def _is_drawn(self, item: Item) -> bool:
        return not item.hidden and (item.is_question or item.is_rows)

    @property
    def shown(self) -> str:
        """What this page shows, for the next `unseen`."""
        return " ".join(sorted(self._visible))

    @cached_property
    def request_key(self) -> UUID:
        """One id for this page, however often it is sent."""
        given = read_id(self._request.POST.get("request_key", "")) if self._request else None
        return given or uuid4()

    @cached_property
    def times(self) -> Times:
        """When the page was first shown (by its own word, not listened to beyond a day), and now."""
        now = timezone.now()
        return Times(self._started(now) or now, now)

    def _started(self, now: datetime.datetime) -> datetime.datetime | None:
        try:
            given = parse_datetime(self._request.POST.get("started_at", "")) if self._request else None
        except ValueError:
            return None
        if given is None or given.tzinfo is None:
            return None
        return given if now - datetime.timedelta(days=1) <= given <= now else None

    @property
    def started_at(self) -> str:
        return self.times.started_at.isoformat()

    @property
    def uploads(self) -> dict[str, list[Any]]:
        """The files that came with the page, by linkId. Raises Wrong when one has expired."""
        found: dict[str, list[Any]] = {}
        errors: dict[str, str] = {}
        if self._request is None:
            return found
        for key in self._file_keys:
            try:
                found[key] = spool.received(self._request, PREFIX + key)
            except Refused as refused:
                errors[key] = refused.message
        if errors:
            raise Wrong(errors)
        return {key: files for key, files in found.items() if files}

    @property
    def _file_keys(self) -> list[str]:
        """Every attachment asked (none stands in a row)."""
        return sorted(key for key in self.asked if "/" not in key and self.form.by_id[key].type == "attachment")

    def refuse(self, wrong: Wrong) -> None:
        """Show what a refused answer said, beside each question and on top."""
        self.errors = wrong.errors

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """What the template draws."""
        ahead = {key: spool.kept(self._request, PREFIX + key) for key in self._file_keys} if self._request else {}
        drawing = Drawing(self.voice, self.asked, self.errors, self._today, ahead, {self._row_wanted: 1})
        return drawing.draw(self.form.in_order(self.voice), self.answers | self.context)

    @property
    def summary(self) -> list[tuple[str, str, str]]:
        """(id of the input, label, error) of each error, in the order of the page."""
        return [(node.focus_id, node.label, node.error) for node in _walk(self.nodes) if node.error]

    @property
    def json(self) -> str:
        """For form.js: the form with its sentences, the context, and today."""
        given = {"form": self.form.as_json() | {"sentences": logic.sentences()}, "context": self.context}
        return json.dumps(given | {"today": self._today.isoformat()}, ensure_ascii=False, separators=(",", ":"))


def _walk(nodes: tuple[Node, ...]) -> list[Node]:
    return [
        each for node in nodes for each in (node, *_walk(node.nodes), *[n for row in node.rows for n in _walk(row)])
    ]
