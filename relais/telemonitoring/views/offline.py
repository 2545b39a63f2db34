"""The follow-up without network: what a telephone keeps beforehand, and what it sends afterwards (EC-03).

Pages that are kept on the telephone (`worker`, `shell`, `form`) hold no patient and no key: anybody may read them. What
is the patient's (`card`) comes with the pages of the space, and is encrypted on the telephone.
"""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from relais.core import sealing, shelf
from relais.core.access import patient, public
from relais.core.errors import Refused
from relais.patients import entry
from relais.patients.models import GrantDevice
from relais.questionnaires import queries as questionnaires
from relais.questionnaires.actions import Wrong
from relais.questionnaires.models import Voice
from relais.telemonitoring.actions import offline
from relais.telemonitoring.programme import FORMS
from relais.telemonitoring.queries import space
from relais.telemonitoring.queries.follow_up import open_alert
from relais.telemonitoring.views.space import OfflineFill, choices, follow_up_of

NAMES = frozenset(name for names in FORMS.values() for name in names)


@patient
@require_POST
def send(request: Any) -> JsonResponse:
    """Answers that a telephone kept. 4xx with one sentence in `error` when they cannot be taken."""
    follow_up = follow_up_of(request, "Réponses données sans réseau")
    try:
        judgement = offline.receive(actor=request.actor, follow_up=follow_up, sent=sealing.parsed(request.body))
    except (sealing.Damaged, Wrong) as refused:
        return JsonResponse({"error": refused.message}, status=422)
    except Refused as refused:
        return JsonResponse({"error": refused.message}, status=409)
    said = space.instruction(judgement, space.told(open_alert(follow_up)))
    return JsonResponse({"level": said.level, "late": judgement.late, "at": judgement.at.isoformat()})


@public
@require_safe
def state(request: Any) -> JsonResponse:
    """Whether this browser is still let in: 200 with what sending needs, 401, or 410 once the way in has ended for good."""
    if request.actor and request.actor.is_patient:
        return JsonResponse({"grant": str(request.actor.grant_id), "csrf": get_token(request)})
    tokens = entry.cookie_tokens(request.COOKIES.get(settings.PATIENT_COOKIE_NAME))
    device = (
        GrantDevice.objects.select_related("grant").filter(token_hash=entry.hash_token(tokens[0])).first()
        if tokens
        else None
    )
    if device and not device.grant.is_live():
        return JsonResponse({"grant": str(device.grant_id)}, status=410)
    return JsonResponse({}, status=401)


@public
@require_safe
def shell(request: Any) -> HttpResponse:
    """What opens without network in the place of every page of the space: the same for everybody."""
    return render(request, "telemonitoring/space/shell.html", _nobody(request))


@public
@require_safe
def form(request: Any, name: str, version: str, voice: str) -> HttpResponse:
    """The questions of one version of a daily form, without anybody's context. 404 for other forms."""
    if name not in NAMES or voice not in Voice.values:
        raise Http404
    fill = OfflineFill(questionnaires.version(name, version).form, voice=voice)
    return render(request, "telemonitoring/space/shell_form.html", {**_nobody(request), "fill": fill})


def _nobody(request: Any) -> dict[str, Any]:
    """The page is drawn as for a stranger, whoever asks: it is kept where anybody who has the telephone reads it."""
    request.actor = None
    return {"csrf_token": "", **choices()}


@public
@require_safe
def worker(request: Any) -> HttpResponse:
    """The service worker of the space, with the list of the files that its pages need."""
    text = shelf.worker(
        name="relais-suivi", page=shell(request).content.decode(), shell=reverse("follow_up_space:shell"),
        state=reverse("follow_up_space:state"),
    )  # fmt: skip
    return HttpResponse(text, content_type="text/javascript; charset=utf-8")
