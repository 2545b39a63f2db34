"""The rule laboratory through its pages: edit a copy, replay, publish with one signature or two (D8)."""

import threading
from datetime import timedelta

import pytest
from django.db import ProgrammingError, connection, transaction
from django.utils import timezone

from relais.accounts.models import Role
from relais.accounts.testing import actor_for, client_of, make_establishment, make_member, make_practitioner
from relais.core.errors import NotFound, Refused
from relais.telemonitoring.actions import cells, laboratory
from relais.telemonitoring.models import Cell, RuleDraft, RuleReplay, RuleSet
from relais.telemonitoring.testing import join, make_cell, make_follow_up, reply

pytestmark = pytest.mark.django_db
LIST = "/suivi/regles/"
LOWER = {"AO05": "ad.fc between 91 and 119 or ad.fc between 40 and 49"}  # more oranges, no red less


@pytest.fixture
def cell():
    return make_cell()


@pytest.fixture
def lead(cell):
    """The browser of a practitioner of the cell."""
    return client_of(cell[1])


@pytest.fixture
def second(cell):
    """The browser of a practitioner of another establishment who works in the cell."""
    other = make_practitioner(make_establishment(), family_name="Seconde")
    join(cell[0], other)
    return client_of(other)


@pytest.fixture
def draft(cell, lead):
    answer = lead.post(f"{LIST}{cell[0].rules_id}/")
    assert answer.status_code == 302
    return RuleDraft.objects.get()


def url(draft, page=""):
    return f"{LIST}brouillons/{draft.pk}/{page}"


def edit(browser, draft, rule="AO05", sha256=None, **changes):
    draft.refresh_from_db()
    raw = next(one for one in draft.source["rules"] if one["id"] == rule)
    data = {name: raw[name] for name in ("expression", "level", "words")} | {"active": "on"} | changes
    data = {name: value for name, value in data.items() if value is not None}
    return browser.post(url(draft, f"regles/{rule}/"), {**data, "sha256": sha256 or draft.sha256})


def published(browser, draft, version="1.1.0", reason="Seuil revu", sha256=None):
    draft.refresh_from_db()
    data = {"version": version, "reason": reason, "sha256": sha256 or draft.sha256}
    return browser.post(url(draft, "publier/"), data)


def signed(browser, draft):
    draft.refresh_from_db()
    return browser.post(url(draft, "signer/"), {"sha256": draft.sha256})


@pytest.fixture
def replayed(run_jobs):
    def replayed(browser, draft):
        assert browser.post(url(draft, "rejouer/")).status_code == 302
        run_jobs()

    return replayed


def text_of(answer):
    return " ".join(answer.content.decode().split())


# Who may


def test_practitioners_of_a_cell_read_the_rules_and_nobody_else(cell, lead, second):
    """The page says that the thresholds are ours and that no clinician approved them."""
    page = text_of(lead.get(LIST))
    assert "n’engagent aucune autorité de santé" in page
    assert "Aucun clinicien" in page
    assert "Appliquée ici" in page
    assert second.get(LIST).status_code == 200
    rules = text_of(lead.get(f"{LIST}{cell[0].rules_id}/?q=saturation&niveau=rouge"))
    assert "AR03" in rules
    assert "AR07" not in rules
    outside = make_practitioner(make_establishment())
    nurse = make_member(cell[0].establishment, Role.CAREGIVER)
    join(cell[0], nurse)
    assert client_of(outside).get(LIST).status_code == 404
    assert client_of(nurse).get(LIST).status_code in (403, 404)
    assert "Règles d’alerte" in text_of(lead.get("/suivi/"))
    assert "Règles d’alerte" not in text_of(client_of(nurse).get("/suivi/"))


def test_a_lead_edits_for_their_own_cells_and_a_member_from_elsewhere_reads_and_signs_alone(cell, draft, lead, second):
    assert second.get(url(draft)).status_code == 200
    assert edit(second, draft, level="rouge").status_code == 404
    assert second.post(url(draft, "rejouer/")).status_code == 404
    assert second.post(url(draft, "abandonner/")).status_code == 404
    assert second.post(f"{LIST}{cell[0].rules_id}/").status_code == 404
    stranger = client_of(make_cell()[1])
    assert stranger.get(url(draft)).status_code == 404
    assert edit(stranger, draft, level="rouge").status_code == 404
    assert edit(lead, draft, level="rouge").status_code == 302


# Editing


def test_a_rule_that_cannot_be_computed_is_refused_under_its_condition_with_the_place(draft, lead):
    for wrong, sentence in (
        ("ad.temperature >= 39", "« ad.temperature », au caractère 1, n’existe pas."),
        ("ad.temp >= 39 and", "La règle ne se lit pas"),
        ("ad.dyspnee = 'beaucoup'", "ne se comparent pas"),
    ):
        answer = edit(lead, draft, "AO06", expression=wrong)
        page = text_of(answer)
        assert answer.status_code == 422
        assert sentence in page.replace("&#x27;", "'")
        assert wrong.replace(">", "&gt;").replace("'", "&#x27;") in page  # what was typed is still there
    assert edit(lead, draft, "AO06", level="violet").status_code == 422
    assert edit(lead, draft, "AO06", words="").status_code == 422
    draft.refresh_from_db()
    assert draft.sha256 == laboratory.sha256_of(draft.base.source)


def test_a_rule_is_changed_in_the_draft_alone_and_the_change_is_shown(cell, draft, lead):
    page = text_of(lead.get(url(draft, "regles/AO05/")))
    assert "ad.spo2" in page  # documented names
    assert "moyenne des trois dernières mesures" in page
    assert edit(lead, draft, expression=LOWER["AO05"], words="Pouls rapide").status_code == 302
    page = text_of(lead.get(url(draft)))
    assert "between 91 and 119" in page
    assert "Pouls rapide" in page
    assert cell[0].rules.source == RuleSet.objects.get(pk=cell[0].rules_id).source
    assert Cell.objects.get().rules_id == cell[0].rules_id


def test_of_two_who_edit_the_second_is_told(draft, lead):
    stale = draft.sha256
    assert edit(lead, draft, words="Pouls rapide").status_code == 302
    answer = edit(lead, draft, "AO06", sha256=stale, words="Fièvre")
    assert answer.status_code == 422
    assert "a changé entre-temps" in text_of(answer)


# Replay


def test_a_replay_runs_in_the_background_and_says_what_is_gained(cell, draft, lead, run_jobs):
    followed = make_follow_up(cell=cell[0], member=cell[1])
    reply(followed, at=timezone.now() - timedelta(hours=2), temp=38.2)
    edit(lead, draft, "AO06", expression="ad.temp >= 38")
    lead.post(url(draft, "rejouer/"))
    lead.post(url(draft, "rejouer/"))  # pressed twice
    assert "Rejeu en cours" in text_of(lead.get(url(draft)))
    RuleReplay.objects.update(created_at=timezone.now() - timedelta(minutes=6))
    assert "Rejouer les 14 derniers jours" in text_of(
        lead.get(url(draft))
    )  # its worker is lost: it may be asked for again
    RuleReplay.objects.update(created_at=timezone.now())
    run_jobs()
    found = RuleReplay.objects.get()
    assert (found.done, found.finished_at is not None) == (laboratory.replay.STEPS, True)
    page = text_of(lead.get(url(draft)))
    assert "<dt>Alertes gagnées</dt><dd>1</dd>" in page
    assert "<dt>Réponses rejouées</dt><dd>1</dd>" in page
    assert cell[0].name in page
    edit(lead, draft, "AO06", expression="ad.temp >= 38.1")
    assert "Alertes gagnées" not in text_of(lead.get(url(draft)))  # it was of another content


def test_publishing_needs_a_replay_of_this_content_a_name_and_a_reason(draft, lead, replayed):
    assert "Rejouez d’abord" in text_of(published(lead, draft))
    replayed(lead, draft)
    for changes, sentence in (
        ({"version": "nouvelle"}, "Donnez un nom de version"),
        ({"version": "1.0.0"}, "existe déjà"),
        ({"reason": ""}, "Ce champ est obligatoire"),
        ({"sha256": "0" * 64}, "a changé entre-temps"),
    ):
        answer = published(lead, draft, **changes)
        assert answer.status_code == 422
        assert sentence in text_of(answer) or "is-invalid" in text_of(answer)
    RuleReplay.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert "Rejouez d’abord" in text_of(published(lead, draft))
    assert RuleSet.objects.count() == 1


# Publishing


@pytest.mark.req("EC-06")
def test_one_signature_publishes_what_loses_no_red_in_the_cells_of_the_establishment(cell, draft, lead, replayed):
    other, _member = make_cell()
    edit(lead, draft, "AO06", expression="ad.temp >= 38")
    replayed(lead, draft)
    assert "une signature suffit" in text_of(lead.get(url(draft, "publier/")))
    assert published(lead, draft).status_code == 302
    made = RuleSet.objects.get(version="1.1.0")
    assert (made.approved_by, made.reason) == (cell[1].user.full_name, "Seuil revu")
    assert made.approved_on == timezone.localdate()
    assert Cell.objects.get(pk=cell[0].pk).rules == made
    assert Cell.objects.get(pk=other.pk).rules == made.before
    followed = make_follow_up(cell=Cell.objects.get(pk=cell[0].pk), member=cell[1])
    assert reply(followed, temp=38.2).fired == ["AO06"]
    assert "Appliquée ici" in text_of(lead.get(LIST))
    assert "est déjà publié" in text_of(published(lead, draft, version="1.2.0"))


@pytest.mark.req("EC-06")
def test_a_red_rule_that_changes_needs_a_second_physician_of_another_account(cell, draft, lead, second, replayed):
    edit(lead, draft, "AR07", expression="ad.temp >= 41 or ad.temp < 35")
    replayed(lead, draft)
    assert "La règle rouge AR07 change de condition ou de délai." in text_of(lead.get(url(draft, "publier/")))
    assert published(lead, draft).status_code == 302
    assert Cell.objects.get().rules_id == cell[0].rules_id  # nothing is at work yet
    assert "Un second médecin doit signer" in text_of(second.get(url(draft)))
    assert "d’un autre médecin" in text_of(signed(lead, draft))
    assert "déjà signé" in text_of(published(lead, draft))
    assert signed(client_of(make_cell()[1]), draft).status_code == 404
    assert signed(second, draft).status_code == 302
    made = RuleSet.objects.get(version="1.1.0")
    assert made.approved_by.split(", ")[0] == cell[1].user.full_name
    assert "Seconde" in made.approved_by
    assert Cell.objects.get(pk=cell[0].pk).rules == made


def test_a_red_rule_of_any_cell_of_the_establishment_needs_two(cell, draft, lead, replayed):
    """A cell that opened on a newer set from elsewhere: its lower red is no reason to lower that of the others."""
    source = {
        **draft.source,
        "rules": [{**one, "level": "orange"} if one["id"] == "AR07" else one for one in draft.source["rules"]],
    }
    newer = RuleSet.objects.create(name="ecovid", version="1.0.9", source=source, published_at=timezone.now())
    make_cell(member=cell[1], rules=newer)
    lead.post(f"{LIST}{newer.pk}/")
    later = RuleDraft.objects.exclude(pk=draft.pk).get()
    replayed(lead, later)
    assert "La règle rouge AR07 change de niveau." in text_of(lead.get(url(later, "publier/")))
    published(lead, later)
    assert Cell.objects.get(pk=cell[0].pk).rules_id == cell[0].rules_id


def test_two_memberships_of_one_physician_are_one_signature(cell, draft, lead, replayed):
    """And nobody signs without the number that makes one account of one physician."""
    elsewhere = make_member(make_establishment(), Role.PRACTITIONER, cell[1].user)
    join(cell[0], elsewhere)
    nameless = make_member(cell[0].establishment, Role.PRACTITIONER)
    join(cell[0], nameless)
    edit(lead, draft, "AR07", level="orange")
    replayed(lead, draft)
    assert "numéro RPPS" in text_of(published(client_of(nameless), draft))
    assert published(lead, draft).status_code == 302
    assert "d’un autre médecin" in text_of(signed(client_of(elsewhere), draft))
    assert "numéro RPPS" in text_of(signed(client_of(nameless), draft))
    assert RuleSet.objects.count() == 1


def test_a_draft_that_changes_after_a_signature_is_signed_again(draft, lead, second, replayed):
    edit(lead, draft, "AR07", level="orange")
    replayed(lead, draft)
    published(lead, draft)
    seen = RuleDraft.objects.get().sha256
    edit(lead, draft, "AR03", expression="ad.spo2 <= 80")
    assert "a changé depuis la première signature" in text_of(signed(second, draft))
    assert second.post(url(draft, "signer/"), {"sha256": seen}).status_code == 409
    assert RuleSet.objects.count() == 1


@pytest.mark.parametrize(
    ("rule", "changes", "two"),
    [
        ("AR03", {"active": None}, True),
        ("AR03", {"level": "orange"}, True),
        ("AR03", {"expression": "ad.spo2 <= 91"}, True),
        ("AC04", {"active": None}, True),
        ("AR03", {"delay": "5"}, True),
        ("AR03", {"words": "Saturation très basse"}, False),
        ("AO06", {"active": None}, False),
        ("AO06", {"level": "rouge"}, False),
    ],
)
def test_which_changes_of_a_rule_ask_for_a_second_physician(cell, draft, lead, rule, changes, two):
    edit(lead, draft, rule, **changes)
    draft.refresh_from_db()
    assert bool(laboratory.why_two(draft, {"levels": []})) is two


def test_fewer_reds_in_the_replay_ask_for_a_second_physician_whatever_rule_did_it(cell, draft, lead, replayed):
    """Three oranges made a red: without one of them there is none."""
    followed = make_follow_up(cell=cell[0], member=cell[1])
    said = reply(followed, temp=39.0, fievre__resist=False, fatigue="alite", general="pire")
    assert said.level == "rouge"
    edit(lead, draft, "AO10", active=None)
    replayed(lead, draft)
    assert "1 sur 14 jours" in text_of(lead.get(url(draft, "publier/")))
    published(lead, draft)
    assert RuleSet.objects.count() == 1


def test_a_rule_out_of_use_fires_no_more(cell, draft, lead, replayed):
    edit(lead, draft, "AO06", active=None)
    replayed(lead, draft)
    published(lead, draft)
    followed = make_follow_up(cell=Cell.objects.get(), member=cell[1])
    assert reply(followed, temp=39.0, fievre__resist=False).fired == []


def test_a_rule_may_have_the_patient_called_sooner_than_its_level(cell, draft, lead, replayed):
    """An orange is called within four hours; a delay that is longer is refused."""
    assert "en 240 minutes" in text_of(edit(lead, draft, "AO06", delay="241"))
    assert edit(lead, draft, "AO06", delay="25").status_code == 302
    assert "25 min" in text_of(lead.get(url(draft)))
    replayed(lead, draft)
    published(lead, draft)
    cell, doctor = Cell.objects.get(), cell[1]
    cell.opens = cell.closes  # day and night
    cell.save()
    for fever, minutes in ((39.0, 25), (38.0, 240)):
        followed = make_follow_up(cell=cell, member=doctor, day=3)
        reply(followed, temp=fever, frissons="intenses", **({"fievre__resist": False} if fever == 39.0 else {}))
        alert = followed.follow_up.alerts.get()
        assert alert.clock(cell).call_by - alert.since == timedelta(minutes=minutes)
        assert alert.clock(cell).take_by <= alert.clock(cell).call_by


def test_of_two_drafts_the_second_is_replayed_against_what_the_first_published(cell, draft, lead, replayed):
    lead.post(f"{LIST}{cell[0].rules_id}/")
    late = RuleDraft.objects.exclude(pk=draft.pk).get()
    replayed(lead, draft)
    replayed(lead, late)
    assert published(lead, draft).status_code == 302
    assert "Rejouez d’abord" in text_of(published(lead, late, version="1.2.0"))


def test_going_back_publishes_the_older_content_again(cell, draft, lead, replayed):
    first = RuleSet.objects.get()
    edit(lead, draft, expression=LOWER["AO05"])
    replayed(lead, draft)
    published(lead, draft)
    lead.post(f"{LIST}{first.pk}/")
    back = RuleDraft.objects.get(published=None)
    replayed(lead, back)
    assert published(lead, back, version="1.2.0", reason="Retour").status_code == 302
    assert Cell.objects.get().rules.source["rules"] == first.source["rules"]
    assert RuleSet.objects.count() == 3


def test_a_published_set_is_never_changed(cell):
    with pytest.raises(ProgrammingError, match="Cannot update"), transaction.atomic():
        RuleSet.objects.filter(pk=cell[0].rules_id).update(reason="Autre")


def test_a_draft_that_was_dropped_takes_nothing_more(draft, lead):
    assert lead.post(url(draft, "abandonner/")).status_code == 302
    assert "abandonné" in text_of(edit(lead, draft, words="x"))
    assert "brouillons/" not in lead.get(LIST).content.decode()


def test_a_new_cell_opens_on_the_rules_of_its_establishment(cell, draft, lead, replayed):
    replayed(lead, draft)
    published(lead, draft)
    fields = {"kind": "dac", "opens": cell[0].opens, "closes": cell[0].closes, "minutes_per_call": 9}
    settings = cells.Settings(name="Nord", **fields)
    own = cells.create(actor=actor_for(cell[1]), settings=settings)
    elsewhere = cells.create(actor=actor_for(make_practitioner(make_establishment())), settings=settings)
    assert (own.rules.version, elsewhere.rules.version) == ("1.1.0", "1.0.0")


def test_the_pages_take_the_same_number_of_queries_with_one_draft_as_with_three(
    cell, draft, lead, django_assert_num_queries, django_assert_max_num_queries
):
    with django_assert_max_num_queries(30) as one:
        lead.get(LIST)
    for _number in range(2):
        laboratory.copy(actor=actor_for(cell[1]), rule_set=cell[0].rules)
    with django_assert_num_queries(len(one)):
        lead.get(LIST)


def test_nobody_begins_a_draft_without_a_cell(cell):
    with pytest.raises(NotFound):
        laboratory.copy(actor=actor_for(make_practitioner(make_establishment())), rule_set=cell[0].rules)
    assert not RuleDraft.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_drafts_published_at_the_same_moment_make_one_version():
    """The second waits for the first, and was replayed against a set that is at work no more."""
    cell, doctor = make_cell()
    actor = actor_for(doctor)
    drafts = [laboratory.copy(actor=actor, rule_set=cell.rules) for _ in range(2)]
    for draft in drafts:
        laboratory.run_replay(laboratory.ask_replay(actor=actor, draft=draft).pk)
    start, outcomes = threading.Barrier(2), []

    def work(draft, version):
        start.wait()
        try:
            outcomes.append(
                laboratory.publish(
                    actor=actor, draft=draft, sha256=draft.sha256, version=version, reason="Essai"
                ).version
            )
        except Refused:
            outcomes.append("")
        connection.close()

    threads = [threading.Thread(target=work, args=pair) for pair in zip(drafts, ("1.1.0", "1.2.0"), strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with connection.cursor() as cursor:  # not Django's own, so its flush would leave them to other tests
        cursor.execute("TRUNCATE procrastinate_jobs, procrastinate_events, procrastinate_periodic_defers CASCADE")
    assert sorted(outcomes)[0] == ""
    assert Cell.objects.get().rules.version == max(outcomes)
