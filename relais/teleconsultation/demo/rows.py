"""The rows of a batch of appointments."""

from dataclasses import dataclass, field

from relais.audit.models import Entry
from relais.core.demo import Batch
from relais.dossiers.models import Document, Dossier, Event, Note, Participant, Step
from relais.files.models import StoredFile
from relais.notifications.models import Message
from relais.patients.models import CareLink, Grant
from relais.questionnaires.models import Response
from relais.rooms.models import DeviceTest, Invitation, Room
from relais.teleconsultation.models import ReportDraft, Teleconsultation

BATCH = 2000


@dataclass
class Rows(Batch):
    """What one batch inserts, in the order of the foreign keys."""

    dossiers: list[Dossier] = field(default_factory=list)
    teles: list[Teleconsultation] = field(default_factory=list)
    rooms: list[Room] = field(default_factory=list)
    invitations: list[Invitation] = field(default_factory=list)
    links: list[CareLink] = field(default_factory=list)
    participants: list[Participant] = field(default_factory=list)
    grants: list[Grant] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    tests: list[DeviceTest] = field(default_factory=list)
    responses: list[Response] = field(default_factory=list)
    files: list[StoredFile] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    documents: list[Document] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    drafts: list[ReportDraft] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
