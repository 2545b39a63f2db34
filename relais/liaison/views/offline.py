"""Requests without network: what a tablet keeps beforehand, and what it sends afterwards (issue 4 §2).

The page that is kept on the tablet (`shell`) and its `worker` hold no patient and no key: anybody may read them. What a
nurse needs beside them (`queries.shelf.card`) comes with the pages of liaison, and is encrypted on the tablet.
"""

import json
from typing import Any

from django.http import HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from relais.audit import actions as audit
from relais.core import sealing, shelf
from relais.core.access import professional, public
from relais.core.errors import NotFound, Refused
from relais.liaison import permissions as may
from relais.liaison import scores
from relais.liaison.actions import asking, offline
from relais.liaison.queries.missing import enough
from relais.liaison.queries.people import sent_words
from relais.questionnaires.forms import Fill
from relais.questionnaires.queries import current


@professional(*may.CLINICAL)
@require_POST
def send(request: Any) -> JsonResponse:
    """A request that a tablet kept. 4xx with one sentence in `error` when it cannot be taken; 403: it is somebody else's."""
    try:
        received = offline.receive(actor=request.actor, sent=sealing.parsed(request.body))
    except offline.NotTheirs as refused:
        return JsonResponse({"error": refused.message}, status=403)
    except Refused as refused:
        return JsonResponse({"error": refused.message}, status=409)
    except NotFound:
        return JsonResponse({"error": asking.READ_ONLY}, status=409)
    demand = received.demand
    audit.record(
        actor=request.actor, action="dossier.read", about=demand.pk, patient_id=demand.patient_id,
        why="Demande écrite sans réseau",
    )  # fmt: skip
    return JsonResponse(
        {
            "url": reverse("liaison:request", args=[demand.pk]),
            "said": sent_words(demand),
            "again": received.again,
            "files": bool(demand.response and demand.response.answers.get("fg.pieces")),
        }
    )


@public
@require_safe
def state(request: Any) -> JsonResponse:
    """Who is signed in on this browser, for which establishment, with what sending needs; 401 when nobody is."""
    actor = request.actor
    if not (actor and actor.is_professional and actor.establishment_id):
        return JsonResponse({}, status=401)
    return JsonResponse(
        {"user": str(actor.user_id), "establishment": str(actor.establishment_id), "csrf": get_token(request)}
    )


@public
@require_safe
def shell(request: Any) -> HttpResponse:
    """What opens without network in the place of every page of liaison: the same for everybody."""
    request.actor = None  # drawn as for a stranger: it is kept where anybody who has the tablet reads it
    questionnaire = current(asking.FORM)
    context = {
        "csrf_token": "",
        "fill": Fill(questionnaire.form),
        "version": questionnaire.version,
        **enough(),
        "scores": scores.score({}),
        "tables_json": json.dumps(scores.tables(), ensure_ascii=False),
    }
    return render(request, "liaison/shell.html", context)


@public
@require_safe
def worker(request: Any) -> HttpResponse:
    """The service worker of liaison, with the list of the files that its pages need."""
    page = shell(request).content.decode()
    text = shelf.worker(name="relais-liaison", page=page, shell=reverse("liaison:shell"))
    return HttpResponse(text, content_type="text/javascript; charset=utf-8")
