"""A service takes part in a dossier: whoever answers for it sees it, for as long as they do."""

import pytest
from django.utils import timezone

from relais.accounts.actions import remove_member
from relais.accounts.models import Role
from relais.accounts.testing import actor_for, make_establishment, make_member, make_practitioner
from relais.core.actor import SYSTEM_ACTOR
from relais.directory.testing import make_service
from relais.dossiers import actions
from relais.dossiers import permissions as may
from relais.dossiers.models import Dossier, Participant
from relais.oncall.testing import join
from relais.patients.models import CareLink, Patient
from relais.patients.testing import make_patient

pytestmark = pytest.mark.django_db


@pytest.fixture
def dossier():
    return actions.create(
        actor=SYSTEM_ACTOR, kind="teleconsultation", patient=make_patient(), establishment=make_establishment("EHPAD")
    )


@pytest.fixture
def service():
    return make_service(make_establishment("Hôpital"))


def sees(member, dossier) -> bool:
    """The two doors and the patient's open together, or none does."""
    actor = actor_for(member)
    seen = Dossier.objects.visible_to(actor).filter(pk=dossier.pk).exists()
    assert seen == may.can_see(actor, dossier)
    assert seen == Patient.objects.visible_to(actor).filter(pk=dossier.patient_id).exists()
    return seen


def test_whoever_answers_for_a_service_that_takes_part_sees_the_dossier_and_nobody_else_of_the_hospital(
    dossier, service
):
    doctor, other = make_practitioner(service.establishment), make_practitioner(service.establishment)
    join(service, doctor)
    assert not sees(doctor, dossier)
    actions.add_service(actor=SYSTEM_ACTOR, dossier=dossier, service=service, role="asked")
    actions.add_service(actor=SYSTEM_ACTOR, dossier=dossier, service=service, role="asked")
    assert Participant.objects.filter(service=service).count() == 1
    assert sees(doctor, dossier)
    assert not sees(other, dossier)
    late = make_practitioner(service.establishment)
    join(service, late)
    assert sees(late, dossier)


def test_an_expert_of_another_establishment_sees_it_from_there_and_from_nowhere_else(dossier, service):
    doctor = make_practitioner(make_establishment("Clinique"))
    elsewhere = make_member(make_establishment("Cabinet"), Role.PRACTITIONER, user=doctor.user)
    join(service, doctor)
    actions.add_service(actor=SYSTEM_ACTOR, dossier=dossier, service=service, role="asked")
    assert sees(doctor, dossier)
    assert not sees(elsewhere, dossier)


def test_who_leaves_the_pool_or_the_service_that_is_sent_away_sees_it_no_more(dossier, service):
    doctor, gone = make_practitioner(service.establishment), make_practitioner(service.establishment)
    join(service, doctor)
    place = join(service, gone)
    actions.add_service(actor=SYSTEM_ACTOR, dossier=dossier, service=service, role="asked")
    place.until = timezone.now()
    place.save()
    assert not sees(gone, dossier)
    assert sees(doctor, dossier)
    actions.end_service(actor=SYSTEM_ACTOR, dossier=dossier, service=service)
    actions.end_service(actor=SYSTEM_ACTOR, dossier=dossier, service=service)
    assert not sees(doctor, dossier)
    assert CareLink.objects.live().filter(service_id=service.pk).count() == 0
    verbs = list(dossier.events.values_list("verb", flat=True))
    assert verbs.count("service_ended") == 1


def test_a_secretary_of_a_pool_sees_nothing_by_it(dossier, service):
    secretary = make_member(service.establishment, Role.SECRETARY)
    join(service, secretary)
    actions.add_service(actor=SYSTEM_ACTOR, dossier=dossier, service=service, role="asked")
    assert not sees(secretary, dossier)


def test_who_left_the_establishment_in_whose_name_they_answered_is_at_work_no_more(service):
    doctor = make_practitioner(service.establishment)
    manager = make_member(service.establishment, Role.MANAGER)
    join(service, doctor)
    assert service.pool.at_work().count() == 1
    remove_member(actor=actor_for(manager), membership_id=doctor.pk)
    assert service.pool.at_work().count() == 0


def test_the_doors_of_a_service_are_read_by_their_indexes(dossier, service):
    doctor = make_practitioner(service.establishment)
    join(service, doctor)
    plan = CareLink.objects.live().held_by(actor_for(doctor)).explain()
    assert "hashed SubPlan" not in plan
