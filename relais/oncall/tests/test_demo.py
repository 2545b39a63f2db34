"""The demo region's rotas and pools: complete but for one hole, the personas on duty, every nursing home answered, experts of
the specialty that is asked for."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from relais.accounts.models import User
from relais.directory.models import Department, Establishment, Need, Service
from relais.oncall import queries
from relais.oncall.hours import is_day
from relais.oncall.models import Cover, OnCallSlot, PoolMember, Replacement

pytestmark = pytest.mark.django_db


def test_every_nursing_home_is_answered_and_one_hole_waits_for_the_referent() -> None:
    now = timezone.now()
    call_command("demo_region", size="small", seed=1, verbosity=0)
    homes = list(Establishment.objects.filter(kind="ehpad"))
    assert Cover.objects.exclude(backup=None).count() == len(homes)
    ranks = {"primary", "backup", "other_service", "samu"} if is_day(now) else {"night", "backup", "samu"}
    for home in homes[:5]:
        assert {one.rank for one in queries.route(home, now)} <= ranks
        assert queries.route(home, now)[0].user
    with_rota = list(Service.objects.filter(need__in=[Need.GERIATRIC, Need.NIGHT, Need.SAMU]))
    holes = queries.holes(with_rota, now, now + timedelta(days=14))
    hospital = Service.objects.get(need=Need.NIGHT).establishment
    found = [service.establishment for service in with_rota for _hole in holes[service.pk]]
    assert found == [hospital]
    persona = User.objects.get(email="geriatre@exemple.test")
    home = Establishment.objects.get(name="EHPAD Les Mésanges")
    assert persona in [one.user for one in queries.route(home, now)]
    assert Replacement.objects.get().asked == persona
    expert = User.objects.get(email="expert@exemple.test")
    assert PoolMember.objects.get(user=expert).service.specialty == "Cardiologie"
    assert not OnCallSlot.objects.filter(phone="").exists()
    for need in (Need.HAD, Need.PALLIATIVE):
        for department in Department.values:
            offered = Service.objects.filter(need=need, departments__contains=[department])
            assert any(queries.doctors(one).exists() for one in offered), (need, department)
    for service in Service.objects.filter(need=Need.EXPERT):
        assert queries.doctors(service).filter(user__specialty=service.specialty).exists(), service
    top = ("Neurologie vasculaire (AVC)", "Neurochirurgie", "Dermatologie", "Infectiologie", "Radiologie")
    for specialty in top:
        assert Service.objects.get(specialty=specialty).departments == list(Department.values)
