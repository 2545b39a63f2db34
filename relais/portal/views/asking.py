"""Besoin d'aide ? For everybody, signed in or not (SU-04, TC-64)."""

import uuid
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from relais.accounts.models import User
from relais.core.access import patient, public, without_establishment
from relais.core.actor import Actor
from relais.core.errors import NotFound, Refused
from relais.core.workflow import possible
from relais.patients.models import Grant
from relais.portal import actions, queries
from relais.portal.forms import AskForm, FollowForm, PatientAskForm, WriteForm
from relais.portal.models import Ticket
from relais.portal.permissions import asked

FOLLOW_SALT, FOLLOW_SECONDS = "portal.follow", 3600


def visitor(ticket: Ticket | None = None) -> Actor:
    """Somebody who is not signed in; with a ticket once they showed its number and contact."""
    return Actor(kind="visitor", about=ticket.pk if ticket else None)


@public
@require_http_methods(["GET", "POST"])
def ask(request: Any) -> HttpResponse:
    """Numbers, what to try first and the form, for professionals and for those who are not signed in."""
    actor = request.actor or visitor()
    form = _form(request, AskForm, actor)
    if request.method == "POST" and form.is_valid() and (ticket := _send(request, actor, form)):
        if actor.user_id:
            messages.success(request, _("Votre demande est envoyée."))
            return redirect("portal:ticket", ticket_id=ticket.pk)
        return render(request, "portal/asked.html", {"ticket": ticket, "phone": queries.as_typed(ticket.phone)})
    context = {"form": form, "support": queries.support(), "mine": queries.own_tickets(actor) if actor.user_id else []}
    return render(request, "portal/help.html", context, status=422 if form.is_bound else 200)


@public
@require_http_methods(["GET", "POST"])
def patient_ask(request: Any) -> HttpResponse:
    """The same in the patient's words, with or without a key that still opens."""
    actor = request.actor or visitor()
    form = _form(request, PatientAskForm, actor)
    if request.method == "POST" and form.is_valid() and (ticket := _send(request, actor, form)):
        if actor.grant_id:
            messages.success(request, _("Votre demande est envoyée."))
            return redirect("portal:patient_ticket", ticket_id=ticket.pk)
        return render(request, "portal/patient_asked.html", {"ticket": ticket, "phone": queries.as_typed(ticket.phone)})
    context = {"form": form, "support": queries.support(), "mine": queries.own_tickets(actor) if actor.grant_id else []}
    return render(request, "portal/patient_help.html", context, status=422 if form.is_bound else 200)


def _form(request: Any, kind: type[AskForm], actor: Actor) -> AskForm:
    page = _page_before(request)
    initial: dict[str, Any] = {"key": uuid.uuid4(), "page": page, "service": queries.mailbox_for(actor, page)}
    if actor.user_id:
        user = User.objects.get(pk=actor.user_id)
        initial.update(email=user.email, phone=queries.as_typed(user.mobile))
    elif actor.grant_id and (grant := Grant.objects.filter(pk=actor.grant_id).first()):
        initial.update(email=grant.email, phone=queries.as_typed(grant.phone))
    named = actor.user_id is not None or actor.grant_id is not None
    return kind(request.POST if request.method == "POST" else None, initial=initial, named=named)


def _page_before(request: HttpRequest) -> str:
    """The path of the page from which one came to ask for help: by the browser, when it is one of ours."""
    before = urlsplit(request.headers.get("Referer", ""))
    return before.path if before.netloc == request.get_host() else ""


def _send(request: HttpRequest, actor: Actor, form: AskForm) -> Ticket | None:
    try:
        return actions.ask(
            actor=actor,
            browser=request.headers.get("User-Agent", ""),
            device_test=queries.last_test(actor),
            sender=queries.sender_mark(request.META.get("REMOTE_ADDR", "")),
            **form.request(),
        )
    except Refused as refused:
        form.refuse(refused)
        return None


@without_establishment
@require_GET
def tickets(request: Any) -> HttpResponse:
    """One's own requests."""
    return render(request, "portal/tickets.html", {"mine": queries.own_tickets(request.actor)})


@without_establishment
@require_http_methods(["GET", "POST"])
def ticket(request: Any, ticket_id: UUID) -> HttpResponse:
    """A request and its answers: for the professional who asked, and for the agents."""
    found = actions.read(actor=request.actor, ticket_id=ticket_id)
    form = _write(request, request.actor, found)
    if form is None:
        return redirect("portal:ticket", ticket_id=ticket_id)
    return render(request, "portal/ticket.html", _conversation(request.actor, found, form), status=_status(form))


@patient
@require_http_methods(["GET", "POST"])
def patient_ticket(request: Any, ticket_id: UUID) -> HttpResponse:
    """A patient's own request and its answers."""
    found = actions.read(actor=request.actor, ticket_id=ticket_id)
    form = _write(request, request.actor, found)
    if form is None:
        return redirect("portal:patient_ticket", ticket_id=ticket_id)
    context = _conversation(request.actor, found, form)
    return render(request, "portal/patient_ticket.html", context, status=_status(form))


def _status(form: WriteForm) -> int:
    return 422 if form.is_bound else 200


def _write(request: HttpRequest, actor: Actor, found: Ticket) -> WriteForm | None:
    """The form to draw, or None once its message is written."""
    form = WriteForm(request.POST if request.method == "POST" else None, initial={"key": uuid.uuid4()})
    if request.method != "POST" or not form.is_valid():
        return form
    try:
        actions.write(actor=actor, ticket=found, **form.cleaned_data)
    except Refused as refused:
        form.refuse(refused)
        return form
    messages.success(request, _("Votre message est envoyé."))
    return None


def _conversation(actor: Actor, found: Ticket, form: WriteForm) -> dict[str, Any]:
    return {
        "conversation": queries.conversation(found),
        "form": form,
        "verbs": possible(found, actor),
        "serving": not asked(actor, found),
        "topic": actions.topic(found),
    }


def _close(request: Any, ticket_id: UUID) -> None:
    actions.close(actor=request.actor, ticket=actions.read(actor=request.actor, ticket_id=ticket_id))
    messages.success(request, _("La demande est marquée comme résolue."))


@without_establishment
@require_POST
def close(request: Any, ticket_id: UUID) -> HttpResponse:
    _close(request, ticket_id)
    return redirect("portal:ticket", ticket_id=ticket_id)


@without_establishment
@require_POST
def reopen(request: Any, ticket_id: UUID) -> HttpResponse:
    actions.reopen(actor=request.actor, ticket=actions.read(actor=request.actor, ticket_id=ticket_id))
    messages.success(request, _("La demande est rouverte."))
    return redirect("portal:ticket", ticket_id=ticket_id)


@patient
@require_POST
def patient_close(request: Any, ticket_id: UUID) -> HttpResponse:
    _close(request, ticket_id)
    return redirect("portal:patient_ticket", ticket_id=ticket_id)


@public
@require_http_methods(["GET", "POST"])
def follow(request: Any) -> HttpResponse:
    """A request by its number and the contact it was made with: for those who have no account, or lost their link."""
    if request.method == "POST" and "token" in request.POST:
        return _follow_on(request)
    form = FollowForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            return _followed(request, actions.find(**form.cleaned_data))
        except Refused as refused:
            form.refuse(refused)
    return render(request, "portal/follow.html", {"form": form}, status=422 if form.is_bound else 200)


def _followed(request: HttpRequest, found: Ticket, form: WriteForm | None = None) -> HttpResponse:
    actor = visitor(found)
    context = _conversation(actor, found, form or WriteForm(initial={"key": uuid.uuid4()}))
    token = signing.dumps(str(found.pk), salt=FOLLOW_SALT)
    return render(
        request, "portal/followed.html", {**context, "token": token}, status=422 if form and form.is_bound else 200
    )


def _follow_on(request: HttpRequest) -> HttpResponse:
    """What one does in a request that one may follow: add to it, or say that it is resolved."""
    try:
        ticket_id = signing.loads(request.POST["token"], salt=FOLLOW_SALT, max_age=FOLLOW_SECONDS)
    except signing.BadSignature:
        messages.error(request, _("Le délai est dépassé. Saisissez à nouveau le numéro de la demande."))
        return redirect("portal:follow")
    found = Ticket.objects.filter(pk=ticket_id).first()
    if found is None:
        raise NotFound
    if "close" in request.POST:
        return _followed(request, actions.close(actor=visitor(found), ticket=found))
    form = _write(request, visitor(found), found)
    found.refresh_from_db()
    return _followed(request, found, form)
