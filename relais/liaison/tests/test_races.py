"""Two who write about one resident in the same second: neither waits for the other for ever (FG-05, FG-08)."""

import threading
from functools import partial
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone

from relais.accounts.testing import client_of, make_establishment
from relais.core.errors import Refused
from relais.core.testing.races import at_once
from relais.directory.models import Need
from relais.dossiers.models import Document
from relais.files import clamav
from relais.files.tests import make
from relais.liaison.actions import filing, leaving, owning
from relais.liaison.models import Decision, Departure, HospitalTransfer, Request
from relais.liaison.testing import make_home, make_request, make_transfer, taken
from relais.liaison.tests.test_turns import beside, waits_for_a_lock
from relais.oncall.testing import make_service
from relais.patients import actions as patients
from relais.patients.models import Patient

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_transfer_sheet_and_an_act_of_the_doctor_that_lets_a_service_in_commit_at_once():
    """Each points at the row that the other holds: the sheet at the request, the new care link at the resident."""
    scene = make_home()
    demand = taken(scene)
    mobile = make_service(Need.MOBILE, make_establishment("Hôpital du Frêne", kind="hospital"))
    gate = threading.Barrier(2)

    def together(act):
        def run():
            with transaction.atomic():
                act()
                gate.wait(timeout=20)  # both have written before either commits

        return run

    at_once(
        together(lambda: make_transfer(scene)),
        together(lambda: owning.transfer(actor=scene.doctor_actor, demand=demand, service=mobile)),
    )
    assert HospitalTransfer.objects.get().demand == demand
    assert Request.objects.get().state == "transferee"


def test_a_death_said_on_two_requests_at_once_holds_the_resident_first_and_both_are_kept():
    scene = make_home()
    said = leaving.Leaving(timezone.now(), "Arrêt cardiaque")
    both = [
        beside(lambda one=one: leaving.died(actor=scene.nurse_actor, demand=one, said=said, in_hospital=False))
        for one in (taken(scene), taken(scene))
    ]
    with transaction.atomic():
        Patient.objects.select_for_update(no_key=True).get(pk=scene.resident.pk)
        for one in both:
            one.start()
        assert waits_for_a_lock()
        held = Request.objects.select_for_update(nowait=True).order_by("pk")
        assert len(held) == 2, "whoever waits for the resident holds no request"
    for one in both:
        one.join()
    assert Departure.objects.filter(kind="died").count() == 2
    assert Patient.objects.get().deceased_on == timezone.localdate()


def test_whoever_takes_a_request_does_not_wait_for_a_file_of_it_that_is_being_scanned(monkeypatch):
    scene = make_home()
    demand = make_request(scene)
    take = partial(owning.take, actor=scene.doctor_actor, demand=demand)
    monkeypatch.setattr(clamav, "scan", lambda _stream: at_once(take))
    filing.add(actor=scene.nurse_actor, demand=demand, upload=make.pdf(), title="ECG")
    assert (Request.objects.get().responsible, demand.dossier.documents.count()) == (scene.doctor.user, 1)


def test_a_request_that_is_sent_while_the_death_is_being_noted_does_not_leave():
    scene = make_home()
    found = []

    def send():
        try:
            make_request(scene)
        except Refused as refused:
            found.append(refused.message)

    sending = beside(send)
    with transaction.atomic():
        patients.record_death(actor=scene.nurse_actor, patient=scene.resident, on=timezone.localdate())
        sending.start()
        assert waits_for_a_lock()
    sending.join()
    assert found == ["Ce résident est décédé : la demande n’est pas partie."]
    assert not Request.objects.filter(submitted_at__isnull=False).exists()


def test_whoever_withdraws_a_document_with_its_copies_holds_their_requests_in_one_order():
    """Of two who withdraw it at once from either side, each would hold what the other waits for."""
    scene = make_home()
    demand = taken(scene)
    document = filing.add(actor=scene.nurse_actor, demand=demand, upload=make.pdf(), title="Ordonnance")
    home = make_establishment("EHPAD du Frêne", kind="ehpad")
    moved = leaving.Leaving(timezone.now(), "Déménagement")
    made = leaving.go_to_home(actor=scene.nurse_actor, demand=demand, said=moved, home=home)
    low, high = sorted([(demand, document), (made, made.dossier.documents.get())], key=lambda one: one[0].pk)
    act = partial(filing.withdraw, actor=scene.doctor_actor, demand=high[0], document=high[1], why="Autre résident")
    withdrawing = beside(act)
    with transaction.atomic():
        Request.objects.select_for_update(no_key=True).get(pk=low[0].pk)
        withdrawing.start()
        assert waits_for_a_lock()
        assert Request.objects.select_for_update(nowait=True).get(pk=high[0].pk)
    withdrawing.join()
    assert not Document.objects.filter(withdrawn_at=None).exists()


def test_a_decision_that_waits_for_signs_being_taken_is_refused_once_it_may_read_them():
    scene = make_home()
    demand = taken(scene)
    doctor, nurse, url = client_of(scene.doctor), client_of(scene.nurse), f"/liaison/{demand.pk}/"
    said = {"code": "had", "care_level": "maximal", "justification": "Oui", "family": "non", "review": "4",
            "read": str(demand.response_id)}  # fmt: skip
    pages = []
    deciding = beside(lambda: pages.append(doctor.post(f"{url}decision/", said)))
    with transaction.atomic():
        assert nurse.post(f"{url}constantes/", {"q-fg.spo2": "86", "request_key": str(uuid4())}).status_code == 302
        deciding.start()
        assert waits_for_a_lock()
    deciding.join()
    assert pages[0].status_code == 422
    page = pages[0].content.decode()
    assert "SpO2\u00a086\u00a0%" in page, "the sentence says what is new"
    assert str(Request.objects.get().response_id) in page, "and the next try is on it"
    assert not Decision.objects.exists()
