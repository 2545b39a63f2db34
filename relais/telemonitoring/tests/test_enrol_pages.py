"""Including a patient and ruling a cell, through HTTP (EC-02, EC-13, EC-15, EC-18)."""

import threading
import uuid
from datetime import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from relais.accounts.models import Role
from relais.accounts.testing import actor_for, client_of, make_establishment, make_member, make_practitioner
from relais.audit import actions as audit
from relais.core.errors import Refused
from relais.patients.models import CareLink
from relais.patients.testing import make_patient
from relais.telemonitoring.actions import cells
from relais.telemonitoring.actions.transfer import possible_targets
from relais.telemonitoring.models import Alert, Cell, CellMember, FollowUp
from relais.telemonitoring.testing import join, make_cell, make_follow_up, reply

pytestmark = pytest.mark.django_db
ENROL = "/suivi/inclure/"
# Every required question of the inclusion of a confirmed case, at home.
GIVEN = {
    "inc.statut": "confirme", "inc.test": "rtpcr", "inc.test.resultat": "positif", "inc.symptomes": "true",
    "inc.j0": "", "inc.oxymetre": "true", "inc.thermometre": "true", "inc.grossesse": "non", "inc.seul": "false",
    "inc.isolement": "oui", "inc.autonomie": "true", "inc.rythme": "standard", "inc.consigne": "true",
    "inc.info": "true", "inc.info.qui": "patient", "rf.diabete": "true",
}  # fmt: skip


@pytest.fixture(autouse=True)
def demo(settings):
    """Rules that nobody approved open a cell in a demonstration region alone."""
    settings.DEMO = True


def posted(patient, cell, today, **changes):
    answers = {**GIVEN, "inc.j0": today.isoformat(), **changes}
    return {
        **{f"q-{name}": value for name, value in answers.items()},
        "patient": str(patient.pk),
        "cellule": str(cell.pk),
        "email": "famille@exemple.test",
        "phone": "06 39 98 00 42",
        "holder": "self",
        "request_key": str(uuid.uuid4()),
    }


@pytest.fixture
def today():
    return timezone.localdate()


@pytest.fixture
def scene():
    return make_follow_up()


@pytest.mark.req("EC-02", "EC-15", "EC-18")
@pytest.mark.parametrize("status", ["confirme", "sortie"])
@pytest.mark.parametrize("role", [Role.PRACTITIONER, Role.CAREGIVER])
def test_a_professional_includes_a_patient_from_town_as_at_discharge(today, role, status):
    """A caregiver of the telephone platform does it for somebody else, as a doctor does."""
    cell, doctor = make_cell()
    member = doctor if role == Role.PRACTITIONER else make_member(cell.establishment, role)
    patient = make_patient(seen_by=cell.establishment)
    more = {"inc.sortie.date": today.isoformat(), "inc.sortie.o2": "false"} if status == "sortie" else {}
    data = posted(patient, cell, today, **{"inc.statut": status}, **more)
    browser = client_of(member)
    page = browser.get(f"{ENROL}?patient={patient.pk}")
    assert "Inclure et envoyer le lien" in page.content.decode()
    done = browser.post(ENROL, data)
    assert done.status_code == 302, (done.context["fill"].errors, done.context["form"].errors)
    found = FollowUp.objects.get()
    assert (found.status, found.cell) == (status, cell)
    assert set(found.factors) == {"rf.diabete", "rf.age65"}
    assert done["Location"] == f"/suivi/{found.pk}/"
    assert browser.post(ENROL, data)["Location"] == done["Location"]
    assert FollowUp.objects.count() == 1


@pytest.mark.req("EC-02")
def test_nobody_else_includes_and_nothing_typed_is_lost(today):
    cell, doctor = make_cell()
    patient = make_patient(seen_by=cell.establishment)
    data = posted(patient, cell, today)
    for role in (Role.SECRETARY, Role.MANAGER):
        assert client_of(make_member(cell.establishment, role)).post(ENROL, data).status_code == 404
    stranger = client_of(make_practitioner(make_establishment("Ailleurs")))
    assert stranger.post(ENROL, data).context["patient"] is None
    refused = client_of(doctor).post(ENROL, {**data, "email": "", "phone": "", "q-inc.rythme": ""})
    assert refused.status_code == 422
    page = refused.content.decode()
    assert "Indiquez une adresse e-mail ou un téléphone" in page
    assert 'value="confirme"' in page
    assert not FollowUp.objects.exists()


@pytest.mark.req("EC-14")
def test_a_patient_goes_to_the_cell_that_was_chosen_or_to_none(today):
    cell, doctor = make_cell()
    patient = make_patient(seen_by=cell.establishment)
    refused = client_of(doctor).post(ENROL, posted(patient, make_cell()[0], today))
    assert (refused.status_code, FollowUp.objects.count()) == (422, 0)
    assert "ne prend plus de patients ici" in refused.content.decode()


@pytest.mark.req("EC-02")
def test_who_is_followed_already_is_not_included_twice(today):
    scene = make_follow_up()
    scene.patient.care_links.update(establishment_id=scene.cell.establishment_id)
    browser = client_of(scene.member)
    page = browser.get(f"{ENROL}?patient={scene.patient.pk}").content.decode()
    assert "Ce patient est déjà suivi à domicile" in page
    assert f"/suivi/{scene.follow_up.pk}/" in page
    browser.post(ENROL, posted(scene.patient, scene.cell, today))
    assert FollowUp.objects.count() == 1


@pytest.mark.req("EC-13")
def test_a_manager_opens_a_cell_and_says_who_works_in_it():
    place = make_establishment("Centre COVID")
    manager = client_of(make_member(place, Role.MANAGER))
    nurse, far = make_member(place, Role.CAREGIVER), make_practitioner(make_establishment("Ailleurs"))
    form = {"name": "Cellule du centre", "kind": "centre", "opens": "08:00", "closes": "20:00", "minutes_per_call": "9"}
    assert manager.post("/suivi/cellules/nouvelle/", {**form, "closes": "07:00"}).status_code == 422
    done = manager.post("/suivi/cellules/nouvelle/", form)
    cell = Cell.objects.get()
    assert done["Location"] == f"/suivi/cellules/{cell.pk}/"
    assert manager.post("/suivi/cellules/nouvelle/", form).status_code == 422
    here = done["Location"]
    assert here in manager.get("/suivi/cellules/").content.decode()
    assert manager.get("/suivi/").status_code == 404
    assert manager.post(here, {"membership": str(nurse.pk)}).status_code == 302
    assert manager.post(here, {"rpps": far.user.rpps}).status_code == 302
    assert manager.post(here, {"rpps": "89900000000"}).status_code == 422
    assert manager.post(here, {"membership": str(far.pk)}).status_code == 422
    assert set(CellMember.objects.values_list("user_id", flat=True)) == {nurse.user_id, far.user_id}
    assert manager.post(here, {**form, "opens": "00:00", "closes": "00:00"}).status_code == 302
    member = cell.members.get(user=nurse.user)
    assert manager.post(f"{here}retirer/{member.pk}/").status_code == 302
    assert cell.members.filter(until=None).count() == 1


@pytest.mark.req("EC-13")
def test_only_the_establishment_of_the_cell_rules_it_and_nobody_leaves_with_an_alert():
    scene = make_follow_up()
    here = f"/suivi/cellules/{scene.cell.pk}/"
    elsewhere = make_practitioner(make_establishment("Ailleurs"))
    join(scene.cell, elsewhere)
    assert client_of(elsewhere).get(here).status_code == 404
    assert client_of(make_member(scene.cell.establishment, Role.SECRETARY)).get(here).status_code == 404
    reply(scene, dyspnee="4", dyspnee__evol="critique")
    Alert.objects.update(state="taken", taken_by=scene.member.user)
    mine = scene.cell.members.get(user=scene.member.user)
    refused = client_of(scene.member).post(f"{here}retirer/{mine.pk}/")
    assert refused.status_code == 409
    assert "a une alerte en main" in refused.content.decode()


@pytest.mark.req("EC-13", "EC-14")
def test_a_patient_is_entrusted_to_nobody_who_has_left(today):
    """Neither the last member of one's own cell, nor those of a cell that takes others' patients."""
    cell, doctor = make_cell()
    regional, far = make_cell(make_practitioner(make_establishment("Région")), accepts_others=True)
    patient = make_patient(seen_by=cell.establishment)
    browser = client_of(make_practitioner(cell.establishment))
    assert set(browser.get(f"{ENROL}?patient={patient.pk}").context["cells"]) == {cell, regional}
    for one in (doctor, far):
        one.ended_at = timezone.now()
        one.save()
    page = browser.get(f"{ENROL}?patient={patient.pk}")
    assert [(one, one.people) for one in page.context["cells"]] == [(cell, 0)]
    refused = browser.post(ENROL, posted(patient, cell, today))
    assert "Personne ne travaille dans cette cellule" in refused.content.decode()
    assert not FollowUp.objects.exists()
    assert list(possible_targets(cell)) == []
    assert "N’y travaille plus" in browser.get(f"/suivi/cellules/{cell.pk}/").content.decode()


@pytest.mark.django_db(transaction=True)
def test_two_clicks_open_one_cell(monkeypatch):
    actor = actor_for(make_member(make_establishment("Centre COVID"), Role.MANAGER))
    settings = cells.Settings(name="Nord", kind="centre", opens=time(8), closes=time(20), minutes_per_call=9)
    record, second, said = audit.record, [], []

    def click_again():
        try:
            cells.create(actor=actor, settings=settings)
        except Refused as refused:
            said.append(refused.message)
        finally:
            connection.close()

    def before_the_end(**trace):
        if not second:
            second.append(threading.Thread(target=click_again))
            second[0].start()
            second[0].join(0.3)
        record(**trace)

    monkeypatch.setattr(audit, "record", before_the_end)
    cells.create(actor=actor, settings=settings)
    second[0].join(60)
    assert (Cell.objects.count(), said) == (1, ["Une cellule de votre établissement porte déjà ce nom."])


@pytest.mark.req("EC-14")
def test_the_last_member_of_a_cell_that_follows_patients_stays(scene):
    here = f"/suivi/cellules/{scene.cell.pk}/"
    browser = client_of(make_member(scene.cell.establishment, Role.MANAGER))
    mine = scene.cell.members.get()
    refused = browser.post(f"{here}retirer/{mine.pk}/")
    assert "la dernière de la cellule" in refused.content.decode()
    left = make_practitioner(scene.cell.establishment)
    join(scene.cell, left)
    left.ended_at = timezone.now()
    left.save()
    assert browser.post(f"{here}retirer/{mine.pk}/").status_code == 409, "who has left watches over nobody"
    join(scene.cell, make_practitioner(scene.cell.establishment))
    assert browser.post(f"{here}retirer/{mine.pk}/").status_code == 302
    other, _doctor = make_cell()
    alone = client_of(make_member(other.establishment, Role.MANAGER))
    assert alone.post(f"/suivi/cellules/{other.pk}/retirer/{other.members.get().pk}/").status_code == 302


@pytest.mark.req("EC-13", "EC-14")
def test_a_member_from_elsewhere_sees_the_patients_as_long_as_they_work_there(scene):
    """Removed and added again, or there in the name of two establishments: as many statements for three as for one."""
    manager = actor_for(make_member(scene.cell.establishment, Role.MANAGER))
    guest = make_practitioner(make_establishment("Ailleurs"))
    again = make_practitioner(make_establishment("Encore ailleurs"), user=guest.user)

    def seen():
        return CareLink.objects.live().filter(user_id=guest.user_id).count()

    def counted(act, **more):
        with CaptureQueriesContext(connection) as found:
            act(actor=manager, cell=scene.cell, **more)
        return len(found), seen()

    def come_and_go():
        member = cells.add_member(actor=manager, cell=scene.cell, membership=again)
        added = counted(cells.add_member, membership=guest)
        cells.remove_member(actor=manager, cell=scene.cell, member=member)
        assert seen() == added[1], "they still work there in the name of the other one"
        return added, counted(cells.remove_member, member=scene.cell.members.get(user=guest.user, until=None))

    (add, one), (remove, none) = come_and_go()
    assert (one, none) == (1, 0)
    for _number in range(2):
        make_follow_up(cell=scene.cell, member=scene.member, patient=make_patient())
    assert come_and_go() == ((add, 3), (remove, 0))
