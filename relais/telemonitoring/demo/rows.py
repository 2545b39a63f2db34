"""The rows of a batch of follow-ups."""

from dataclasses import dataclass, field

from relais.core.demo import Batch
from relais.dossiers.models import Dossier, Event
from relais.patients.models import CareLink, Grant
from relais.questionnaires.models import Response
from relais.telemonitoring.models import Alert, Call, FollowUp, Judgement, Missed, Pause

BATCH = 400  # follow-ups


@dataclass
class Rows(Batch):
    """What one batch inserts, in the order of the foreign keys."""

    dossiers: list[Dossier] = field(default_factory=list)
    links: list[CareLink] = field(default_factory=list)
    grants: list[Grant] = field(default_factory=list)
    follow_ups: list[FollowUp] = field(default_factory=list)
    pauses: list[Pause] = field(default_factory=list)
    responses: list[Response] = field(default_factory=list)
    judgements: list[Judgement] = field(default_factory=list)
    missed: list[Missed] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
