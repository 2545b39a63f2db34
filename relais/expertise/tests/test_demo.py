"""The demo region's requests: every state, pages that open for the expert and for the one who asked."""

from io import StringIO

import pytest
from django.core.management import call_command

from relais.accounts.demo import PERSONAS
from relais.accounts.models import User
from relais.accounts.testing import client_of
from relais.expertise.demo import COUNT
from relais.expertise.models import Expertise, Opinion
from relais.expertise.workflow import State
from relais.questionnaires import logic


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
