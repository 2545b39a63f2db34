"""Search and identity pages through HTTP."""

from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from relais.accounts.models import Membership
from relais.accounts.testing import client_of, make_establishment, make_member
from relais.audit.models import Entry
from relais.core.actor import Actor
from relais.patients import sections
from relais.patients.models import CareLink, Grant, Patient
from relais.patients.testing import let_in, make_grant, make_patient

pytestmark = pytest.mark.django_db
SEARCH = "/patients/"
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def member() -> Membership:
    return make_member(role="secretary")


@pytest.fixture
def pro(member: Membership) -> Client:
    return client_of(member)


def make(member: Membership, family: str = "Durand", given: str = "Camille", **fields: Any) -> Patient:
    return make_patient(family, given, seen_by=member.establishment, **fields)


def text(response: Any) -> str:
    return " ".join(BeautifulSoup(response.content, "html.parser").get_text(" ").split())


# Search


@pytest.mark.req("TC-16")
def test_what_is_typed_is_found_and_stands_in_no_address(pro: Client, member: Membership) -> None:
    patient = make(member)
    response = pro.post(SEARCH, {"q": "durnad"})
    assert (response.status_code, response["Location"]) == (302, SEARCH)
    page = pro.get(SEARCH)
    assert "1 patient trouvé" in text(page)
    assert "né" in text(page)
    assert reverse("patients:detail", args=[patient.pk]) in page.content.decode()
    assert "durnad" in page.content.decode()


@pytest.mark.req("TC-16")
def test_the_fragment_is_the_list_of_the_page(pro: Client, member: Membership) -> None:
    make(member)
    fragment = pro.post(SEARCH, {"q": "dur"}, **HTMX)
    page = BeautifulSoup(pro.get(SEARCH).content, "html.parser")
    results = page.select_one("main [data-find-results]")
    assert results is not None
    alone = BeautifulSoup(fragment.content, "html.parser")
    assert results.decode_contents().split() == alone.decode_contents().split()


def test_a_search_leaves_one_trace_with_the_ids_and_none_for_the_same_again(pro: Client, member: Membership) -> None:
    one, two = make(member), make(member, given="Alix")
    make_patient("Durand", "Ailleurs")
    for _time in range(2):
        pro.post(SEARCH, {"q": "durand"}, **HTMX)
    found = Entry.objects.get(action="patient.search")
    assert set(found.ids) == {one.pk, two.pk}
    assert found.user_id == member.user_id
    assert "durand" not in str(found.__dict__).lower()


def test_a_stranger_sees_nobody(pro: Client, member: Membership) -> None:
    patient = make(member)
    stranger = client_of(make_member())
    assert "Aucun patient trouvé" in text(stranger.post(SEARCH, {"q": "durand"}, **HTMX))
    for name in ("detail", "correct"):
        address = reverse(f"patients:{name}", args=[patient.pk])
        missing = stranger.get(reverse(f"patients:{name}", args=[uuid4()]))
        assert (stranger.get(address).status_code, missing.status_code) == (404, 404)
        assert pro.get(address).status_code == 200


@pytest.mark.parametrize("path", ["/patients/", "/patients/nouveau/", "/patients/retrouver/"])
def test_a_patient_and_nobody_do_not_search(path: str) -> None:
    grant, _secrets = make_grant()
    for client in (Client(), let_in(Client(), grant)):
        assert client.get(path)["Location"].startswith("/connexion/")


def test_homonyms_are_marked(pro: Client, member: Membership) -> None:
    make(member)
    make(member, birth_date=date(1990, 1, 1))
    make(member, given="Alix")
    assert text(pro.post(SEARCH, {"q": "durand"}, **HTMX)).count("Homonyme proche") == 2


@pytest.mark.parametrize(
    ("pick", "kept"),
    [
        ("/teleconsultation/reserver/", True),
        ("//mal.exemple.test/", False),
        ("https://mal.exemple.test/", False),
        ("reserver", False),
    ],
)
def test_a_result_leads_where_it_was_asked_for_on_this_site(
    pro: Client, member: Membership, pick: str, kept: Any
) -> None:
    patient = make(member)
    page = pro.post(SEARCH, {"q": "durand", "pick": pick}, **HTMX).content.decode()
    assert (f'href="{pick}?patient={patient.pk}"' in page) is kept
    assert (reverse("patients:detail", args=[patient.pk]) in page) is not kept


@pytest.mark.parametrize("count", [1, 3])
def test_the_same_queries_for_one_and_three(
    pro: Client, member: Membership, count: int, django_assert_max_num_queries: Any
) -> None:
    for _number in range(count):
        make(member)
    pro.get(SEARCH)
    with django_assert_max_num_queries(11):
        pro.post(SEARCH, {"q": "durand"}, **HTMX)


# A new patient


def fields(**changes: Any) -> dict[str, Any]:
    return {"birth_family_name": "Durand", "birth_given_names": "Camille", "request_key": str(uuid4()), **changes}


@pytest.mark.req("TC-17")
def test_a_new_patient_then_the_booking(pro: Client, member: Membership) -> None:
    response = pro.post("/patients/nouveau/", fields(phone="06 39 98 00 01", pick="/teleconsultation/reserver/?day=1"))
    patient = Patient.objects.get()
    assert response["Location"] == f"/teleconsultation/reserver/?day=1&patient={patient.pk}"
    assert CareLink.objects.get().establishment_id == member.establishment_id


@pytest.mark.req("TC-18")
def test_bad_input_keeps_what_was_typed_and_writes_nothing(pro: Client) -> None:
    typed = fields(
        email="camille@",
        phone="06 39",
        social_security_number="295109912611199",
        birth_date="31/02/1950",
        birth_place="75056",
    )
    response = pro.post("/patients/nouveau/", typed)
    page = BeautifulSoup(response.content, "html.parser")
    assert response.status_code == 422
    for name in ("email", "phone", "birth_date", "social_security_number", "birth_place", "request_key"):
        field = page.select_one(f"[name={name}]")
        assert field is not None
        assert field["value"] == typed[name]
    assert not Patient.objects.exists()


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("email", "camille@gmail.con", "Vouliez-vous dire camille@gmail.com"),
        ("phone", "06 39", "ne peut pas exister"),
        ("social_security_number", "2 95 10 99 126 111 99", "La clé"),
        ("ins", "295109912611193", "vont ensemble"),
        ("birth_family_name", "R2D2", "que des lettres"),
        ("birth_date", "21/11/2126", "futur"),
    ],
)
def test_each_error_is_a_sentence_beside_its_field(pro: Client, field: str, value: str, sentence: str) -> None:
    page = BeautifulSoup(pro.post("/patients/nouveau/", fields(**{field: value})).content, "html.parser")
    box = page.select_one(f"#id_{field}")
    assert box is not None
    group = box.find_parent(class_="field")
    assert group is not None
    assert sentence in group.get_text()


def test_duplicates_are_proposed_before_a_second_is_made(pro: Client, member: Membership) -> None:
    patient = make(member)
    typed = fields(birth_date="12/03/1958", pick="/teleconsultation/reserver/")
    response = pro.post("/patients/nouveau/", typed)
    assert "même nom et même date de naissance" in text(response)
    assert f"/teleconsultation/reserver/?patient={patient.pk}" in response.content.decode()
    assert Patient.objects.count() == 1
    assert Entry.objects.get(action="patient.duplicates").ids == [patient.pk]
    assert pro.post("/patients/nouveau/", {**typed, "sure": "on"}).status_code == 302
    assert Patient.objects.count() == 2


def test_a_double_click_makes_one_patient(pro: Client) -> None:
    typed = fields()
    first, second = (pro.post("/patients/nouveau/", {**typed, "sure": "on"}) for _click in range(2))
    assert first["Location"] == second["Location"]
    assert Patient.objects.count() == 1


def test_a_known_matricule_leads_to_finding_the_patient(pro: Client, member: Membership) -> None:
    ins = {"ins": "295109912611193", "ins_oid": "1.2.250.1.213.1.4.10"}
    patient = make_patient(birth_date=date(1995, 10, 3), **ins)
    page = pro.post("/patients/nouveau/", fields(birth_family_name="Autre", **ins))
    assert "déjà celui d’un patient connu" in text(page)
    assert "/patients/retrouver/" in page.content.decode()
    wrong = pro.post("/patients/retrouver/", {**ins, "birth_date": "04/10/1995"})
    assert wrong.status_code == 422
    found = pro.post("/patients/retrouver/", {**ins, "birth_date": "03/10/1995", "pick": "/teleconsultation/reserver/"})
    assert found["Location"] == f"/teleconsultation/reserver/?patient={patient.pk}"
    assert pro.get(reverse("patients:detail", args=[patient.pk])).status_code == 200


# The patient's page


def detail(patient: Patient) -> str:
    return reverse("patients:detail", args=[patient.pk])


def test_under_the_name_stand_birth_age_and_sex(pro: Client, member: Membership) -> None:
    known = make(member, birth_date=date(1958, 3, 12), sex="F")
    lead = pro.get(detail(known)).content.decode().split('class="page-lead">')[1].split("</p>")[0]
    assert lead.startswith('née le <span class="nowrap">12/03/1958</span> (')
    assert lead.endswith("), femme")
    unknown = make(member, birth_date=None, sex="")
    assert "date de naissance non renseignée, sexe non renseigné" in pro.get(detail(unknown)).content.decode()


def test_the_page_says_the_status_in_words_and_leaves_a_trace(pro: Client, member: Membership) -> None:
    patient = make(member, ins="258037512611119", ins_oid="1.2.250.1.213.1.4.10", identity_status="RECUP")
    page = text(pro.get(detail(patient)))
    assert "Récupérée" in page
    assert "258037512611119" not in page
    assert Entry.objects.get(action="patient.read").patient_id == patient.pk
    Patient.objects.update(identity_status="QUAL")
    assert "258037512611119" in text(pro.get(detail(patient)))


def test_a_number_that_differs_from_the_traits_only_warns(pro: Client, member: Membership) -> None:
    patient = make(member, social_security_number="295109912611193", sex="M")
    page = text(pro.get(detail(patient)))
    assert "Le sexe saisi diffère" in page
    assert "L’année ou le mois de naissance diffère" in page


def test_correcting_tells_the_new_status(pro: Client, member: Membership) -> None:
    patient = make(member, ins="258037512611119", ins_oid="1.2.250.1.213.1.4.10", identity_status="QUAL")
    address = reverse("patients:correct", args=[patient.pk])
    form = BeautifulSoup(pro.get(address).content, "html.parser").select_one("main form")
    assert form is not None
    typed = {box["name"]: box.get("value", "") for box in form.select("input:not([type=checkbox])")} | {"sex": "F"}
    response = pro.post(address, {**typed, "birth_family_name": "Durant"}, follow=True)
    assert "Son statut est maintenant : provisoire" in text(response)
    assert (
        pro.post(address, {**typed, "birth_family_name": "Durant", "phone": "06 39 98 44 44"}, follow=True).status_code
        == 200
    )
    patient.refresh_from_db()
    assert (patient.identity_status, patient.phone) == ("PROV", "+33639984444")


def test_a_manager_sees_but_does_not_correct(member: Membership) -> None:
    patient = make(member)
    manager = client_of(make_member(member.establishment, role="manager"))
    page = manager.get(detail(patient))
    assert page.status_code == 200
    assert "Corriger" not in text(page)
    assert manager.get(reverse("patients:correct", args=[patient.pk])).status_code == 404
    assert manager.post(reverse("patients:correct", args=[patient.pk]), fields()).status_code == 404


def test_a_death_is_read_again_with_the_name_and_what_stops_before_it_is_recorded(
    pro: Client, member: Membership
) -> None:
    patient = make(member)
    address = reverse("patients:death", args=[patient.pk])
    assert address in pro.get(detail(patient)).content.decode()
    today = timezone.localdate()
    sure = pro.post(address, {"day": f"{today:%Y-%m-%d}"})
    assert f"Enregistrer le décès de {patient.full_name}" in text(sure)
    assert "les rendez-vous de téléconsultation à venir" in text(sure)
    patient.refresh_from_db()
    assert patient.deceased_on is None
    assert "Jour du décès" in text(pro.post(address, {"day": f"{today:%Y-%m-%d}", "change": "1"}))
    page = text(pro.post(address, {"day": f"{today:%Y-%m-%d}", "sure": "1"}, follow=True))
    patient.refresh_from_db()
    assert patient.deceased_on == today
    assert "Décès enregistré" in page
    assert "Enregistrer un décès" not in page
    assert pro.get(address).status_code == 302, "nor is it asked twice"


@pytest.mark.parametrize("day", ["", "2999-01-01", "9999-12-31", "1900-01-01"])
def test_a_day_on_which_nobody_can_have_died_is_refused_beside_its_field(
    pro: Client, member: Membership, day: str
) -> None:
    patient = make(member)
    refused = pro.post(reverse("patients:death", args=[patient.pk]), {"day": day, "sure": "1"})
    assert refused.status_code == 422
    assert BeautifulSoup(refused.content, "html.parser").select_one("[name=day][aria-invalid=true]")
    patient.refresh_from_db()
    assert patient.deceased_on is None


def test_a_death_is_recorded_by_nobody_who_does_not_care_for_the_patient(member: Membership) -> None:
    patient = make(member)
    for other in (make_member(member.establishment, role="manager"), make_member(make_establishment("Autre"))):
        answer = client_of(other).post(reverse("patients:death", args=[patient.pk]), {"day": "2026-01-01", "sure": "1"})
        assert answer.status_code == 404
    patient.refresh_from_db()
    assert patient.deceased_on is None


def test_higher_modules_add_their_sections_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sections, "_sections", {})
    for key, order, shown in (("late", 2, "documents"), ("early", 1, "dossiers"), ("none", 0, None)):
        sections.register(
            sections.Section(
                key=key, order=order, template=f"{key}.html", load=lambda actor, patient, shown=shown: shown
            )  # type: ignore[misc]
        )
    found = sections.loaded_for(Actor(kind="system"), make_patient())
    assert found == [("early.html", "dossiers"), ("late.html", "documents")]


def test_a_grant_never_opens_a_professionals_page(member: Membership) -> None:
    patient = make(member)
    grant, _secrets = make_grant(patient)
    assert Grant.objects.count() == 1
    assert let_in(Client(), grant).get(detail(patient))["Location"].startswith("/connexion/")
