"""The follow-ups of the demo region: answers that the forms accept, alerts that a newcomer can handle at once."""

from collections import Counter
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from relais.accounts.demo import PERSONAS
from relais.accounts.models import User
from relais.accounts.testing import actor_for
from relais.questionnaires import logic
from relais.questionnaires.models import Questionnaire, Response
from relais.telemonitoring.actions.answers import context_of
from relais.telemonitoring.models import Alert, FollowUp, RuleSet


@pytest.mark.django_db
def test_the_small_region_has_a_cell_at_work() -> None:
    call_command("demo_region", size="small", seed=1, stdout=StringIO())
    doctor = User.objects.get(email=next(one.email for one in PERSONAS if one.key == "doctor"))
    seen = FollowUp.objects.visible_to(actor_for(doctor.memberships.get()))
    assert seen.count() > 10
    alerts = Counter(Alert.objects.filter(follow_up__in=seen).values_list("level", "state"))
    assert alerts["rouge", "new"] >= 1
    assert {state for _level, state in alerts} >= {"new", "taken", "reached", "unreached"}
    assert Response.objects.filter(received_at__gt=timezone.now()).count() == 0
    for follow_up in seen.select_related("dossier__patient"):
        for response in Response.objects.filter(about=follow_up.pk).select_related("questionnaire"):
            form = response.questionnaire.form
            known = {item.link_id for item in form.context}
            context = {name: value for name, value in context_of(follow_up).items() if name in known}
            assert logic.check(form, {**response.answers, **context}, timezone.localdate()).errors == {}


@pytest.mark.django_db(transaction=True)
def test_replacing_the_region_keeps_the_questionnaires_and_the_rules() -> None:
    call_command("demo_region", size="small", seed=1, stdout=StringIO())
    before = Questionnaire.objects.count(), RuleSet.objects.count()
    call_command("demo_region", size="small", seed=1, replace=True, stdout=StringIO())
    assert (Questionnaire.objects.count(), RuleSet.objects.count()) == before
    assert before[0] >= 10
