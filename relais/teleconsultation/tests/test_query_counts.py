"""A page takes as many queries with one row as with several, and never more than its ceiling."""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from relais.accounts.models import Membership
from relais.accounts.testing import actor_for, client_of, make_practitioner
from relais.core.actor import SYSTEM_ACTOR
from relais.core.paris import PARIS
from relais.dossiers import actions as dossiers
from relais.dossiers.models import Note, Step
from relais.files import actions as files
from relais.patients.models import Holder
from relais.patients.testing import make_grant, make_patient
from relais.rooms import actions as rooms
from relais.rooms.models import DeviceTest, Part, Room
from relais.teleconsultation import messages
from relais.teleconsultation.actions import agenda
from relais.teleconsultation.testing import Scene, make_tele

AGENDA, HISTORY = "/teleconsultation/agenda/", "/teleconsultation/historique/"
pytestmark = pytest.mark.django_db


def queries(browser: Client, url: str, read: Callable[[Any], int]) -> tuple[int, int]:
    """How many rows the page shows and how many queries it takes, once its reading has been traced."""
    browser.get(url)
    with CaptureQueriesContext(connection) as caught:
        answer = browser.get(url)
    assert answer.status_code == 200
    return read(answer.context), len(caught)


def alike(*, one: tuple[int, int], more: tuple[int, int], ceiling: int) -> None:
    """`one` and `more` are rows and queries, of the same page with one row and with at least three."""
    assert one[0] == 1
    assert more[0] >= 3
    assert one[1] == more[1]
    assert more[1] <= ceiling


def at(days: int, hour: int) -> datetime:
    """An hour of a day of next week, Monday being 0."""
    monday = timezone.localdate() + timedelta(days=7 - timezone.localdate().weekday())
    return datetime.combine(monday + timedelta(days=days), time(hour), tzinfo=PARIS)


def test_agenda() -> None:
    """With its appointments, hours and absences."""
    doctor = make_practitioner()
    actor = actor_for(doctor)

    def add(number: int) -> None:
        make_tele(practitioner=doctor, patient=make_patient(f"Patient{number}"), starts_at=at(number, 10))
        agenda.add_opening(
            actor=actor, practitioner_id=doctor.user_id, weekday=number, starts=time(9), ends=time(12), minutes=20
        )
        off = at(28 + number, 10).date()
        agenda.add_absence(actor=actor, practitioner_id=doctor.user_id, first=off, last=off, label="Congés")

    def shown(context: Any) -> int:
        return sum(1 for _day, entries in context["days"] for entry in entries if "tele" in entry)

    browser, url = client_of(doctor), f"{AGENDA}?semaine={at(0, 10).date()}"
    add(0)
    one = queries(browser, url, shown)
    for number in range(1, 4):
        add(number)
    alike(one=one, more=queries(browser, url, shown), ceiling=12)


def test_history() -> None:
    doctor = make_practitioner()

    def add(number: int, state: str) -> None:
        past = timezone.now() - timedelta(days=number + 1)
        colleague = make_practitioner(doctor.establishment)
        make_tele(practitioner=colleague, patient=make_patient(f"Patient{number}"), starts_at=past, state=state)

    def shown(context: Any) -> int:
        return len(context["page_of_rows"].rows)

    browser = client_of(doctor)
    add(0, "done")
    one = queries(browser, HISTORY, shown)
    for number, state in enumerate(("absent_patient", "cancelled", "closed"), 1):
        add(number, state)
    alike(one=one, more=queries(browser, HISTORY, shown), ceiling=8)


def test_dossier() -> None:
    """With its documents, notes, steps, events, messages, self-tests and guests, each by somebody else."""
    scene = make_tele(state="in_call")
    dossiers.record(scene.tele.dossier, "joined", actor_for(scene.practitioner))
    browser, url = client_of(scene.practitioner), f"/teleconsultation/{scene.tele.pk}/"

    def shown(context: Any) -> int:
        found = (context["documents"], context["notes"], context["steps"], context["side"].messages)
        assert len({len(rows) for rows in found}) == 1
        return len(context["notes"])

    fill(scene, make_practitioner(scene.tele.establishment))
    one = queries(browser, url, shown)
    for _number in range(3):
        fill(scene, make_practitioner(scene.tele.establishment))
    alike(one=one, more=queries(browser, url, shown), ceiling=20)  # one of them: is somebody at my door?


def fill(scene: Scene, author: Membership) -> None:
    """One more of everything that the dossier's page lists."""
    tele, actor = scene.tele, actor_for(author)
    file = files.store(actor=actor, upload=b"Une ligne de texte.\n", name="document.txt")
    dossiers.add_document(actor=actor, dossier=tele.dossier, file=file, kind="other", title="Document", shared=True)
    Note.objects.create(dossier=tele.dossier, text="Appel de la fille.", author=author.user)
    Step.objects.create(dossier=tele.dossier, kind="report", data={"text": "Rien à signaler."}, author=author.user)
    DeviceTest.objects.create(about=tele.pk, holder_id=scene.grant.pk, outcome="ok", details={})
    guest, _secrets = make_grant(scene.patient, about=tele.pk, holder=Holder.GUEST, holder_name="Mme Interprète")
    messages.tell(messages.READY, tele, guest)
    rooms.invite(
        actor=SYSTEM_ACTOR, room=Room.objects.get(about=tele.pk), holder_id=guest.pk, part=Part.GUEST, name="Mme Interprète",
        authenticated=False, admitted=True,
    )  # fmt: skip
