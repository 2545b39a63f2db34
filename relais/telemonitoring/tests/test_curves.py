"""The curves of a follow-up: its measures by day, over the zones of the cell's own rules."""

import json
from datetime import datetime, time, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from relais.accounts.testing import client_of
from relais.core.paris import PARIS
from relais.patients.testing import let_in, make_patient
from relais.telemonitoring.models import FollowUp, RuleSet
from relais.telemonitoring.queries import curves
from relais.telemonitoring.testing import make_follow_up, reply

pytestmark = pytest.mark.django_db


def at(day, hour):
    return datetime.combine(timezone.localdate() + timedelta(days=day), time(hour), tzinfo=PARIS)


def zones(scene):
    found = curves.zones_of(FollowUp.objects.get(pk=scene.follow_up.pk))
    return {label: [tuple(one) for one in each] for label, each in found.items()}


@pytest.mark.req("EC-05")
def test_zones_are_what_the_rules_say_of_each_value_alone():
    found = zones(make_follow_up(day=3))
    assert found["SpO2"] == [("rouge", 60, 92), ("orange", 93, 94)]
    assert found["FR"] == [("orange", 6, 9), ("orange", 21, 24), ("rouge", 25, 100)]
    assert found["T"] == [("rouge", 34, 34.9), ("orange", 35, 35.4), ("orange", 39, 39.9), ("rouge", 40, 42.5)]
    assert found["Dyspnée"] == [("orange", 2, 2), ("rouge", 3, 4)]


def test_zones_are_those_of_this_patient_and_of_this_day():
    """Usual saturation 92, at risk, in the second week; a baby has those of its age."""
    fragile = zones(make_follow_up(day=8, risk="eleve", facts={"baseline": 92}))
    assert fragile["SpO2"] == [("rouge", 60, 88), ("orange", 89, 90)]
    assert fragile["FR"][-1] == ("rouge", 23, 100)
    assert ("orange", 38, 39.9) in fragile["T"]
    baby = zones(make_follow_up(patient=make_patient(birth_date=timezone.localdate() - timedelta(days=60))))
    assert baby["T"] == [("rouge", 34, 35.9), ("rouge", 38, 42.5)]
    assert "FC" not in baby


def test_other_rules_move_the_zones():
    scene = make_follow_up()
    first = RuleSet.objects.get(name="ecovid", version="1.0.0")
    source = json.loads(json.dumps(first.source).replace("ad.fc >= 120", "ad.fc >= 115"))
    other = RuleSet.objects.create(name="ecovid", version="1.0.1", source=source, published_at=timezone.now())
    assert zones(scene)["FC"][-1] == ("rouge", 120, 220)
    scene.cell.rules = other
    scene.cell.save()
    assert zones(scene)["FC"][-1] == ("rouge", 115, 220)


@pytest.mark.req("EC-05")
def test_the_page_draws_each_measure_and_has_the_same_values_as_a_table():
    scene = make_follow_up(day=3, equipment=["oxymetre"])
    reply(scene, at=at(-2, 12), temp=37.2, spo2=96)
    reply(scene, at=at(-1, 18), temp=39.4, fievre__resist=False)
    page = client_of(scene.member).get(f"/suivi/{scene.follow_up.pk}/")
    text = page.content.decode()
    drawn = {one.measure.label: json.loads(one.json) for one in page.context["curves"].curves}
    assert set(drawn) == {"T", "SpO2", "Dyspnée"}
    assert drawn["T"]["points"] == [[1.5, 37.2], [2.75, 39.4]]
    assert drawn["SpO2"]["points"] == [[1.5, 96]]
    assert drawn["SpO2"]["days"] == [1, 4]
    assert "Température : 2 mesures de 37,2 à 39,4, la dernière 39,4\N{NO-BREAK SPACE}°C à J2" in text
    assert "Orange : 93 à 94" in text
    assert "Rouge : 92 et moins" in text
    rows = [(day, values) for day, _at, values in page.context["curves"].rows]
    assert rows == [
        (2, ["39,4", "", "0"]),
        (1, ["37,2", "96", "0"]),
    ]


def test_without_a_measure_there_is_no_picture():
    scene = make_follow_up()
    assert "data-curve" not in client_of(scene.member).get(f"/suivi/{scene.follow_up.pk}/").content.decode()


def test_the_patient_sees_their_own_curve():
    scene = make_follow_up()
    reply(scene, temp=38.2)
    other = make_follow_up(cell=scene.cell, member=scene.member, patient=make_patient("Autre"))
    reply(other, temp=41.1, fievre__resist=False)
    text = let_in(Client(), scene.grant).get("/p/suivi/").content.decode()
    assert text.count("data-curve=") == 2
    assert "38,2" in text
    assert "Appeler le 15 : 34,9 et moins ou 40 et plus" in text
    assert "41,1" not in text
