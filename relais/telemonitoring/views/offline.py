"""The follow-up without network: what a telephone keeps beforehand, and what it sends afterwards (EC-03).

Pages that are kept on the telephone (`shell`, `form`, `worker`) hold no patient and no key: anybody may read them. What
is the patient's (`card`) is encrypted there by the telephone itself.
"""

import json
from typing import Any

from django.http import JsonResponse
from django.views.decorators.http import require_POST

from relais.core.access import patient
from relais.core.errors import Refused
from relais.questionnaires.actions import Wrong
from relais.telemonitoring import sealing
from relais.telemonitoring.actions import offline
from relais.telemonitoring.queries import space
from relais.telemonitoring.views.space import follow_up_of

MOST = 200_000  # bytes of a sending: a whole form with free texts has some 10,000


@patient
@require_POST
def send(request: Any) -> JsonResponse:
    """Answers that a telephone kept. 4xx with one sentence in `error` when they cannot be taken."""
    follow_up = follow_up_of(request, "Réponses données sans réseau")
    try:
        if len(request.body) > MOST:
            raise sealing.Damaged
        judgement = offline.receive(actor=request.actor, follow_up=follow_up, sent=_json(request.body))
    except (sealing.Damaged, Wrong) as refused:
        return JsonResponse({"error": refused.message}, status=422)
    except Refused as refused:
        return JsonResponse({"error": refused.message}, status=409)
    said = space.instruction(judgement, space.alert_of(follow_up))
    return JsonResponse({"level": said.level, "late": judgement.late, "at": judgement.at.isoformat()})


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        raise sealing.Damaged from None
