"""Which on-call answers for a nursing home: said by the referent of the on-call, by one on-call at a time."""

import pytest
from django.utils import timezone

from relais.accounts.testing import actor_for, client_of, make_establishment, make_member
from relais.core.errors import NotFound, Refused
from relais.oncall import changes
from relais.oncall.actions import covers
from relais.oncall.models import Cover
from relais.oncall.testing import make_pool, make_service

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene():
    """Two on-calls of Paris, the referent of the first, a nursing home."""
    one, two = make_service(name="Secteur 1"), make_service(name="Secteur 2")
    return one, two, make_member(one.establishment, "manager"), make_establishment("EHPAD des Lilas", kind="ehpad")


def test_the_referent_finds_a_nursing_home_attaches_it_and_lets_it_go(scene, monkeypatch) -> None:
    one, two, referent, home = scene
    told: list[object] = []
    monkeypatch.setattr(changes, "_followers", [told.append])
    client, url = client_of(referent), f"/astreintes/{one.pk}/ehpad/"
    assert "EHPAD des Lilas" in client.get(f"{url}?q=lilas").content.decode()
    client.post(url, {"home": str(home.pk), "backup": str(two.pk)})
    row = Cover.objects.get()
    assert (row.establishment, row.primary, row.backup) == (home, one, two)
    page = client.get(url).content.decode()
    assert ("EHPAD des Lilas" in page, "Secteur 2" in page) == (True, True)
    client.post(url, {"home": str(home.pk)})
    assert Cover.objects.get().backup is None
    assert "Personne" in client.get(url).content.decode()
    client.post(f"{url}{home.pk}/retirer/")
    assert (Cover.objects.count(), told) == (0, [one.pk] * 3)


def test_nursing_homes_of_other_departments_hide_none_that_may_be_attached(scene) -> None:
    one, _two, referent, _home = scene
    for number in range(51):
        make_establishment(f"A {number:02d} des Lilas", kind="ehpad", department="77")
    page = client_of(referent).get(f"/astreintes/{one.pk}/ehpad/?q=lilas").content.decode()
    assert ("EHPAD des Lilas" in page, "d’autres portent ces mots" in page) == (True, False)
    for number in range(10):
        make_establishment(f"B {number:02d} des Lilas", kind="ehpad", department=one.departments[0])
    page = client_of(referent).get(f"/astreintes/{one.pk}/ehpad/?q=lilas").content.decode()
    assert ("B 09 des Lilas" in page, "Les 10 premiers" in page) == (True, True)


def test_what_cannot_be_attached_says_why(scene) -> None:
    one, two, referent, home = scene
    actor = actor_for(referent)
    far = make_establishment(kind="ehpad", department="77")
    for wrong, words in ((make_establishment(), "Seul un EHPAD"), (far, "département")):
        with pytest.raises(Refused, match=words):
            covers.attach(actor=actor, service=one, home=wrong)
    for wrong in (one, make_service("samu")):
        with pytest.raises(Refused, match="en second"):
            covers.attach(actor=actor, service=one, home=home, backup=wrong)
    Cover.objects.create(establishment=home, primary=two, backup=None)
    answer = client_of(referent).post(f"/astreintes/{one.pk}/ehpad/?q=lilas", {"home": str(home.pk), "backup": ""})
    page = answer.content.decode()
    assert (answer.status_code, "déjà rattaché à « Secteur 2 »" in page) == (422, True)
    assert 'id="c-home" name="home" aria-describedby="c-error" aria-invalid="true"' in page, "tied to its field"
    assert page.count("aria-invalid") == 1


def test_the_pool_reads_and_only_the_referent_attaches(scene) -> None:
    one, _two, referent, home = scene
    doctor = make_pool(one, "Albert")[0]
    assert client_of(doctor).get(f"/astreintes/{one.pk}/ehpad/").status_code == 200
    for member in (doctor, make_member(None, "manager")):
        for act in (covers.attach, covers.detach):
            with pytest.raises(NotFound):
                act(actor=actor_for(member), service=one, home=home)
    expert = make_service("expert", establishment=one.establishment)
    assert client_of(referent).get(f"/astreintes/{expert.pk}/ehpad/").status_code == 404


def test_the_list_takes_the_same_number_of_queries_for_any_number(
    scene, django_assert_num_queries, django_assert_max_num_queries
) -> None:
    one, two, referent, home = scene
    client, url = client_of(referent), f"/astreintes/{one.pk}/ehpad/"
    Cover.objects.create(establishment=home, primary=one, backup=two, created_at=timezone.now())
    client.get(url)
    with django_assert_max_num_queries(20) as before:
        client.get(url)
    for number in range(3):
        Cover.objects.create(establishment=make_establishment(f"EHPAD {number}", kind="ehpad"), primary=one, backup=two)
    with django_assert_num_queries(len(before)):
        client.get(url)
