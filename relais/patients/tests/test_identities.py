"""Making a patient, correcting traits, finding again by matricule: rules of the actions."""

from datetime import date, timedelta
from threading import Barrier, Thread
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from relais.accounts.testing import actor_for, make_member
from relais.audit.models import Entry
from relais.core.actor import SYSTEM_ACTOR, Actor
from relais.core.errors import NotFound, Refused
from relais.patients.actions import Traits, claim, correct_traits, create_patient, retrieve_ins
from relais.patients.models import CareLink, Patient
from relais.patients.testing import make_patient

pytestmark = pytest.mark.django_db
INS, OID = "295109912611193", "1.2.250.1.213.1.4.10"


@pytest.fixture
def actor() -> Actor:
    return actor_for(make_member())


def traits(**fields: object) -> Traits:
    return Traits(**{"birth_family_name": "Nguyễn", "birth_given_names": "Thị-Mai", **fields})  # type: ignore[arg-type]


@pytest.mark.req("TC-17")
def test_two_names_are_enough_to_begin(actor: Actor) -> None:
    patient = create_patient(actor=actor, traits=traits(phone="06 39 98 00 01", email="mai@Exemple.test"))
    assert (patient.birth_family_name, patient.phone, patient.email) == ("Nguyễn", "+33639980001", "mai@exemple.test")
    assert patient.identity_status == "PROV"
    assert Patient.objects.visible_to(actor).get() == patient
    assert list(Entry.objects.order_by("at").values_list("action", "patient_id")) == [
        ("care.grant", patient.pk),
        ("patient.create", patient.pk),
    ]


@pytest.mark.req("TC-18")
def test_the_other_fields_are_checked_beside_themselves(actor: Actor) -> None:
    wrong = {
        "birth_family_name": "R2D2",
        "birth_date": timezone.localdate() + timedelta(days=1),
        "email": "mai@",
        "phone": "06",
        "social_security_number": "295109912611199",
        "birth_place": "Paris",
    }
    for field, value in wrong.items():
        with pytest.raises(Refused) as refused:
            create_patient(actor=actor, traits=traits(**{field: value}))
        assert refused.value.field == field
    assert not Patient.objects.exists()


def test_a_seen_document_validates(actor: Actor) -> None:
    assert create_patient(actor=actor, traits=traits(), document_checked=True).identity_status == "VALI"


def test_the_same_form_sent_twice_makes_one(actor: Actor) -> None:
    key = uuid4()
    first = create_patient(actor=actor, traits=traits(), request_key=key)
    assert create_patient(actor=actor, traits=traits(), request_key=key) == first
    assert Patient.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_make_one() -> None:
    actor, key, made = actor_for(make_member()), uuid4(), []
    start = Barrier(4)

    def click() -> None:
        try:
            start.wait()
            made.append(create_patient(actor=actor, traits=traits(), request_key=key).pk)
        finally:
            connection.close()

    threads = [Thread(target=click) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 4
    assert len(set(made)) == 1 == Patient.objects.count()


@pytest.mark.parametrize("role", ["practitioner", "caregiver", "secretary", "manager"])
def test_every_member_makes_patients(role: str) -> None:
    assert create_patient(actor=actor_for(make_member(role=role)), traits=traits())


def test_patients_guests_and_those_without_establishment_do_not() -> None:
    for nobody in (
        Actor(kind="patient", grant_id=uuid4()),
        Actor(kind="guest"),
        Actor(kind="professional", user_id=uuid4(), roles=frozenset({"help_desk"})),
    ):
        with pytest.raises(NotFound):
            create_patient(actor=nobody, traits=traits())


def test_a_matricule_is_one_persons(actor: Actor) -> None:
    create_patient(actor=actor, traits=traits(), ins=INS, ins_oid=OID)
    with pytest.raises(Refused) as refused:
        create_patient(actor=actor, traits=traits(birth_family_name="Autre"), ins=INS, ins_oid=OID)
    assert refused.value.field == "ins"


def test_the_database_keeps_the_invariants() -> None:
    for fields in (
        {"ins": INS},
        {"identity_status": "QUAL"},
        {"identity_status": "VALI", "identity_marks": ["douteux"]},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            make_patient(**fields)


def qualified() -> Patient:
    return make_patient(ins=INS, ins_oid=OID, identity_status="QUAL", birth_date=date(1995, 10, 3))


def same(patient: Patient, **changes: object) -> Traits:
    return Traits(**{name: getattr(patient, name) for name in Traits.__dataclass_fields__} | changes)


def test_correcting_a_strict_trait_downgrades_and_hides_the_matricule() -> None:
    patient = qualified()
    assert patient.qualified_ins == INS
    after = correct_traits(actor=SYSTEM_ACTOR, patient=patient, traits=same(patient, birth_family_name="Durant"))
    assert (after.identity_status, after.ins, after.qualified_ins) == ("PROV", INS, "")
    assert after.search_name.startswith("durant")
    assert Entry.objects.get().why == "birth_family_name, identity_status"


def test_correcting_a_contact_leaves_the_status() -> None:
    patient = qualified()
    after = correct_traits(actor=SYSTEM_ACTOR, patient=patient, traits=same(patient, phone="06 39 98 77 77"))
    assert (after.identity_status, after.phone) == ("QUAL", "+33639987777")
    assert "0639" not in Entry.objects.get().why


def test_changing_nothing_leaves_no_trace() -> None:
    patient = qualified()
    correct_traits(actor=SYSTEM_ACTOR, patient=patient, traits=same(patient))
    assert not Entry.objects.exists()


def test_a_doubtful_identity_is_no_longer_checked() -> None:
    patient = qualified()
    after = correct_traits(actor=SYSTEM_ACTOR, patient=patient, traits=same(patient), marks=["douteux", "inconnu"])
    assert (after.identity_status, after.identity_marks) == ("RECUP", ["douteux"])
    with pytest.raises(Refused):
        retrieve_ins(actor=SYSTEM_ACTOR, patient=after, ins=INS, ins_oid=OID)


def test_correcting_is_for_those_who_see_the_patient_but_not_for_managers(actor: Actor) -> None:
    patient = create_patient(actor=actor, traits=traits())
    manager = Actor(
        kind="professional", user_id=uuid4(), establishment_id=actor.establishment_id, roles=frozenset({"manager"})
    )
    for stranger in (actor_for(make_member()), manager, Actor(kind="patient", patient_id=patient.pk)):
        with pytest.raises(NotFound):
            correct_traits(actor=stranger, patient=patient, traits=same(patient, birth_family_name="Autre"))
    assert correct_traits(actor=actor, patient=patient, traits=same(patient, sex="F")).sex == "F"


def test_what_insi_answers_completes_the_status() -> None:
    patient = make_patient()
    assert retrieve_ins(actor=SYSTEM_ACTOR, patient=patient, ins=INS, ins_oid=OID).identity_status == "RECUP"
    other = make_patient(identity_status="VALI")
    with pytest.raises(Refused):
        retrieve_ins(actor=SYSTEM_ACTOR, patient=other, ins=INS, ins_oid=OID)
    with pytest.raises(NotFound):
        retrieve_ins(actor=actor_for(make_member()), patient=other, ins=INS, ins_oid=OID)


def test_a_patient_from_elsewhere_is_found_by_matricule_and_birth_date_for_a_day(actor: Actor) -> None:
    patient = qualified()
    with pytest.raises(Refused) as wrong_day:
        claim(actor=actor, ins=INS, ins_oid=OID, birth_date=date(1995, 10, 4))
    with pytest.raises(Refused) as nobody:
        claim(actor=actor, ins="253072B07300470", ins_oid=OID, birth_date=date(1995, 10, 3))
    assert wrong_day.value.message == nobody.value.message
    assert not Patient.objects.visible_to(actor).exists()
    assert claim(actor=actor, ins=INS, ins_oid=OID, birth_date=date(1995, 10, 3)) == patient
    assert Patient.objects.visible_to(actor).get() == patient
    until = CareLink.objects.get().until
    assert until is not None
    assert timedelta(hours=23) < until - timezone.now() <= timedelta(days=1)
    assert Entry.objects.filter(action="patient.claim", patient_id=patient.pk).count() == 1
