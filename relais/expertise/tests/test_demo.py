"""The demo region's requests: the shares of domain.md §9.4, every state, pages that open for the expert and the requester."""

import random
from collections import Counter
from datetime import timedelta
from io import StringIO
from itertools import islice
from math import sqrt
from statistics import median

import pytest
from django.core.management import call_command
from django.utils import timezone

from relais.accounts.demo import PERSONAS
from relais.accounts.models import Role, User
from relais.accounts.testing import client_of
from relais.core.demo import Region
from relais.directory import demo as directory
from relais.directory.models import Kind, Need, Way
from relais.expertise.demo import ASKED, COUNT, PERSONA, _plans
from relais.expertise.demo.story import Rows, Story
from relais.expertise.models import Expertise, Form, Opinion, Urgency
from relais.expertise.workflow import State
from relais.patients.models import Patient
from relais.questionnaires import logic
from relais.questionnaires.models import Questionnaire

DRAWN = 3_000


@pytest.fixture(scope="module")
def drawn() -> Rows:
    """Requests as the whole region has them, but those of the personas: in memory alone."""
    rng, region = random.Random(3), Region(size="region", now=timezone.now())
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(directory, "insert", lambda _rows: None)
        directory.build(region, rng)
        homes = [one for one in region.establishments if one.kind == Kind.EHPAD][:50]
        region.members = {one.pk: {Role.PRACTITIONER: [User()]} for one in homes}
        region.personas = {"doctor": User(), "expert": User()}
        region.patients = [Patient() for _one in range(100)]
        patched.setitem(COUNT, "region", DRAWN + PERSONA["region"] + 1)
        pools = [(one, [User(), User()]) for one in region.services if Way.EXPERTISE in one.ways]
        pools.sort(key=lambda pool: pool[0].specialty != "Cardiologie")  # the expert persona's comes first
        plans = list(islice(_plans(region, rng, pools), PERSONA["region"] + 1, None))
    rows, forms = Rows(), {name: Questionnaire() for name in (*Form.values, "tle-reponse")}
    for plan in plans:
        Story(plan, rng, rows, forms, region.now).tell()
    assert len(rows.asked) == DRAWN
    return rows


def test_the_requests_of_the_region_have_the_shares_of_the_scheme(drawn: Rows) -> None:
    """Urgency 3/22/40/35 %, 12 % by the COVID form, 6 % refused, each within four standard deviations of a fair drawing;
    answered in 3.2 h at the median."""
    found = Counter([word for one in drawn.asked for word in (one.urgency, one.form, one.state)])
    shares = {**dict(zip(Urgency.values, (3, 22, 40, 35), strict=True)), Form.COVID: 12, State.REFUSED: 6}
    for word, percent in shares.items():
        share = percent / 100
        assert abs(found[word] / DRAWN - share) < 4 * sqrt(share * (1 - share) / DRAWN), word
    hour = timedelta(hours=1)
    hours = [(one.answered_at - one.sent_at) / hour for one in drawn.asked if one.answered_at and one.sent_at]
    assert len(hours) > DRAWN * 0.8
    assert abs(median(hours) - 3.2) < 0.2


def test_stroke_neurosurgery_dermatology_geriatrics_infectious_disease_and_radiology_are_asked_most(
    drawn: Rows,
) -> None:
    """In this order (domain.md §9.4), whatever the number of pools of each; every other pool is asked as well."""
    pools = Counter(one.service for one in drawn.asked if one.service)
    found: Counter[str] = Counter()
    for service, count in pools.items():
        found[service.specialty or service.need] += count
    top = [
        "Neurologie vasculaire (AVC)",
        "Neurochirurgie",
        "Dermatologie",
        Need.GERIATRIC,
        "Infectiologie",
        "Radiologie",
    ]
    assert [name for name, _count in found.most_common(6)] == top
    for name, percent in ASKED.items():
        share = percent / 100
        assert abs(found[name] / DRAWN - share) < 4 * sqrt(share * (1 - share) / DRAWN), name
    assert sum(one.need == Need.GERIATRIC for one in pools) == 28
    assert found.keys() == {*directory.SPECIALTIES, Need.GERIATRIC} - {"Cardiologie"}


@pytest.mark.django_db
@pytest.mark.req("TE-08")
def test_the_small_region_has_every_state_and_its_pages_open() -> None:
    call_command("demo_region", size="small", seed=1, stdout=StringIO())
    rows = Expertise.objects.select_related("response__questionnaire").order_by("pk")
    assert (rows.count(), COUNT["region"]) == (COUNT["small"], 150_000)
    assert {one.state for one in rows} == set(State.values)
    sent = [one.response for one in rows if one.response]
    wrong = [logic.check(one.questionnaire.form, one.answers, one.received_at.date()).errors for one in sent]
    assert not any(wrong)
    users = {one.key: User.objects.get(email=one.email) for one in PERSONAS if one.key in ("expert", "doctor")}
    expert, doctor = (client_of(users[key], users[key].memberships.get().establishment) for key in ("expert", "doctor"))
    shown = expert.get("/expertise/?liste=pool").context["rows"]
    assert len(shown) > 3
    assert all(expert.get(f"/expertise/{row.pk}/").status_code == 200 for row in shown)
    signed = [
        one
        for one in Opinion.objects.select_related("document")
        if one.document and one.document.author_id == users["expert"].pk
    ]
    assert signed
    opened = [expert.get(f"/expertise/document/{one.document_id}/") for one in signed]
    assert all(b"".join(one.streaming_content).startswith(b"%PDF") for one in opened)
    asked = doctor.get("/expertise/?liste=demandes").context["rows"]
    assert asked[0].asked.state == State.DRAFT
    assert all(doctor.get(f"/expertise/{row.pk}/").status_code == 200 for row in asked[1:])
