"""The nursing home asks: the draft, kept as one types, and its sending."""

import json
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from relais.core.access import professional
from relais.core.doors import get_visible
from relais.core.errors import NotFound, Refused
from relais.core.reading import read_id, read_moment
from relais.directory.models import Establishment
from relais.directory.queries import search
from relais.dossiers import queries as dossiers
from relais.liaison import permissions as may
from relais.liaison import scores
from relais.liaison.actions import asking as actions
from relais.liaison.actions.owning import samu_of
from relais.liaison.forms import AskForForm
from relais.liaison.models import Request
from relais.liaison.queries import shelf
from relais.liaison.queries.missing import enough, form_of, is_vital, missing
from relais.liaison.queries.people import sent_words
from relais.liaison.views.request import request_of
from relais.liaison.workflow import OPEN, State
from relais.patients.models import Patient
from relais.questionnaires import logic
from relais.questionnaires.actions import Wrong
from relais.questionnaires.forms import Fill
from relais.questionnaires.queries import current, words

FOUND = 10  # nursing homes to choose from
TOO_MANY = "Plus de %(n)d EHPAD portent ce nom ou sont dans cette ville : donnez le nom et la ville."


@professional(*may.CLINICAL)
@require_POST
def start(request: Any, patient_id: UUID) -> HttpResponse:
    """Begin a request about a resident, or go on with the draft that is there."""
    patient = get_visible(Patient, request.actor, pk=patient_id)
    origin = dossiers.origin_for(request.actor, patient.pk, request.POST.get("depuis", ""))
    made = actions.start(actor=request.actor, patient=patient, origin_id=origin.pk if origin else None)
    return redirect("liaison:fill", made.pk)


@professional("practitioner")
@require_http_methods(["GET", "HEAD", "POST"])
def start_for(request: Any) -> HttpResponse:
    """The doctor who has a nursing home on the telephone begins its request."""
    if not may.can_ask(request.actor):
        raise NotFound
    form = AskForForm(request.POST or None)
    homes: list[Establishment] = []
    if request.method == "POST" and form.is_valid():
        homes = _homes(request.actor, form.cleaned_data["home_name"])
        chosen = read_id(request.POST.get("home", ""))
        home = next((one for one in homes if one.pk == chosen), homes[0] if len(homes) == 1 else None)
        names = {name: form.cleaned_data[name] for name in ("family_name", "given_name", "birth_date")}
        try:
            if not homes:
                raise Refused(_("Aucun EHPAD de ce nom dans vos départements."), field="home_name")
            if home is None and len(homes) > FOUND:
                raise Refused(_(TOO_MANY) % {"n": FOUND}, field="home_name")
            if home is None:
                raise Refused(
                    _("Plusieurs EHPAD portent ce nom ou sont dans cette ville : choisissez."), field="home_name"
                )
            made = actions.start_for(actor=request.actor, home=home, **names)
            return redirect("liaison:fill", made.pk)
        except Refused as refused:
            form.refuse(refused)
    context = {
        "form": form,
        "homes": homes[:FOUND],
        "chosen": request.POST.get("home", ""),
        "homes_write": settings.NURSING_HOMES_WRITE,
    }
    return render(request, "liaison/start_for.html", context, status=422 if request.method == "POST" else 200)


def _homes(actor: Any, typed: str) -> list[Establishment]:
    """The nursing homes that this name or town may mean, of those for which the actor may ask; one too many where they are
    more than one chooses from."""
    return list(search(actor, typed, kinds=may.HOMES, departments=may.departments_asked(actor))[: FOUND + 1])


@professional(*may.CLINICAL)
@require_http_methods(["GET", "HEAD", "POST"])
def fill(request: Any, dossier_id: UUID) -> HttpResponse:
    """FG-04: the questionnaire of the scheme, vital signs first."""
    found = request_of(request, dossier_id, "Saisie d’une demande")
    if not may.can_speak(request.actor, found):
        raise NotFound
    if found.state != State.DRAFT:
        if request.method == "POST":
            messages.info(request, _("Cette demande est déjà partie : une seule a été envoyée."))
        return redirect("liaison:request", dossier_id)
    questionnaire = current(actions.FORM)
    posted = request if request.method == "POST" else None
    form = Fill(questionnaire.form, answers=found.draft, request=posted)
    if posted:
        compared = _kept(request, found, form)
        if compared and (form.ready or is_vital(form.answers)):
            try:
                sent = actions.submit(
                    actor=request.actor, demand=found, questionnaire=questionnaire, answers=form.answers,
                    uploads=_uploads(form), times=form.times, request_key=form.request_key,
                )  # fmt: skip
            except Wrong as wrong:
                form.refuse(wrong)
            else:
                _say_sent(request, sent)
                return redirect("liaison:request", dossier_id)
    context = {
        "found": found,
        "patient": found.patient,
        "fill": form,
        "scores": scores.score(_readable(form)),
        "samu": samu_of(found.establishment.department),
        "tables_json": json.dumps(scores.tables(), ensure_ascii=False),
        **enough(),
        "version": questionnaire.version,
        "lines": shelf.lines(found.establishment, timezone.now()),
        "card": shelf.card(request.actor, found.establishment) if may.in_home(request.actor, found) else "",
    }
    return render(request, "liaison/fill.html", context, status=422 if posted else 200)


def _kept(request: Any, found: Request, form: Fill) -> bool:
    """Keep what was typed; False where another page typed too: each question that differs says what stands there. What is
    vital waits for no comparison."""
    page = None if is_vital(form.answers) else _page(request, form)
    try:
        actions.keep_draft(actor=request.actor, demand=found, answers=form.answers, page=page)
    except actions.TypedElsewhere:
        found.refresh_from_db(fields=["draft", "drafted_at"])
        form.refuse(Wrong(_differing(form, found.draft)))
        return False
    return True


def _differing(form: Fill, kept: dict[str, list[Any]]) -> dict[str, str]:
    """Beside each question, what another page kept there."""
    readable = logic.check(form.form, kept, timezone.localdate(), draft=True).answers
    said = _("Une autre page a enregistré « %(value)s ». Vérifiez, puis envoyez de nouveau.")
    return {
        name: said % {"value": ", ".join(words(form.form.by_id[name], one) for one in readable.get(name, []))}
        for name in actions.erased(kept, form.answers)
        if name in form.form.by_id
    }


def _page(request: Any, form: Fill) -> actions.DraftPage | None:
    """The page that types; None for one that does not say with what it was drawn."""
    said = request.POST.get("drafted")
    return None if said is None else actions.DraftPage(form.request_key, read_moment(said))


def _uploads(form: Fill) -> dict[str, list[Any]]:
    """The files of the page; those that expired hold a vital request back no more."""
    try:
        return form.uploads
    except Wrong:
        if not is_vital(form.answers):
            raise
        return {}


@professional(*may.CLINICAL)
@require_http_methods(["GET", "HEAD", "POST"])
def complete(request: Any, dossier_id: UUID) -> HttpResponse:
    """What a vital request was sent without: only that is asked."""
    found = request_of(request, dossier_id, "Complément d’une demande vitale")
    if not may.can_complete(request.actor, found) or found.response is None:
        raise NotFound
    if found.state not in OPEN or not missing(found):
        return redirect("liaison:request", dossier_id)
    form = Fill(form_of(found), request=request if request.method == "POST" else None)
    error = ""
    if request.method == "POST":
        try:
            kept = actions.complete(
                actor=request.actor, demand=found, answers=form.answers, times=form.times, request_key=form.request_key
            )
        except Wrong as wrong:
            form.refuse(wrong)
        except Refused as refused:
            error = refused.message
        else:
            left = len(missing(kept))
            said = _("C’est complété : le médecin peut le lire.") if not left else _say_left(left)
            messages.success(request, said)
            return redirect("liaison:request", dossier_id)
    context = {"found": found, "patient": found.patient, "fill": form, "error": error}
    return render(request, "liaison/complete.html", context, status=422 if request.method == "POST" else 200)


def _say_left(count: int) -> str:
    return ngettext(
        "C’est enregistré. Il reste %(n)d réponse à compléter.",
        "C’est enregistré. Il reste %(n)d réponses à compléter.",
        count,
    ) % {"n": count}


def _readable(form: Fill) -> dict[str, Any]:
    """What was typed so far as values: what cannot be read is left out."""
    return logic.check(form.form, form.answers, timezone.localdate(), draft=True).answers


def _say_sent(request: Any, sent: Request) -> None:
    if sent.responsible_id == request.actor.user_id:
        messages.success(request, _("Demande enregistrée : elle est à vous. L’EHPAD peut la lire."))
    else:
        (messages.success if sent.responsible else messages.warning)(request, sent_words(sent))
    if left := len(missing(sent)):
        messages.info(
            request,
            ngettext(
                "Appelez le 15. Il reste %(n)d réponse à compléter ensuite.",
                "Appelez le 15. Il reste %(n)d réponses à compléter ensuite.",
                left,
            )
            % {"n": left},
        )


@professional(*may.CLINICAL)
@require_POST
def keep(request: Any, dossier_id: UUID) -> HttpResponse:
    """What is typed so far, sent by the page by itself: says when it was kept."""
    found = request_of(request, dossier_id, "Brouillon d’une demande")
    form = Fill(current(actions.FORM).form, request=request)
    try:
        kept = actions.keep_draft(actor=request.actor, demand=found, answers=form.answers, page=_page(request, form))
    except actions.TypedElsewhere:
        return JsonResponse({"other": True})
    if kept.state != State.DRAFT:
        return JsonResponse({"sent": True})
    return JsonResponse({"kept": _("Enregistré à %s") % timezone.localtime().strftime("%H:%M:%S")})
