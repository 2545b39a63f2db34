"""Passing patients between cells, and the list that one team hands to the next (EC-14, D7)."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from relais.accounts.models import Role
from relais.accounts.testing import actor_for, client_of, make_establishment, make_member, make_practitioner
from relais.core import live
from relais.core.errors import NotFound, Refused
from relais.core.testing.races import outcomes
from relais.dossiers.models import Dossier, Event
from relais.patients.models import CareLink
from relais.patients.testing import make_patient
from relais.telemonitoring.actions import alerts, cells, states, transfer
from relais.telemonitoring.models import Alert, Call, Cell, FollowUp, Missed, Transfer
from relais.telemonitoring.testing import join, make_cell, make_follow_up, reply

pytestmark = pytest.mark.django_db
WHY = "Plus assez de personnel ce soir"


@pytest.fixture(autouse=True)
def demo(settings):
    """Rules that nobody approved follow people in a demonstration region alone."""
    settings.DEMO = True


@pytest.fixture
def scene():
    return make_follow_up()


@pytest.fixture
def other():
    """The cell that is asked, with its doctor, in another establishment."""
    return make_cell(make_practitioner(make_establishment("Centre régional")))


def red(scene):
    reply(scene, dyspnee="4", dyspnee__evol="critique")
    return Alert.objects.get(follow_up=scene.follow_up)


def asked(scene, other, **changes):
    given = {"actor": actor_for(scene.member), "cell": scene.cell, "follow_ups": [scene.follow_up.pk], "why": WHY}
    return transfer.ask(**{**given, "target_id": other[0].pk, **changes})[0]


def page(cell, end=""):
    return f"/suivi/cellules/{cell.pk}/transferts/{end}"


@pytest.mark.req("EC-14")
def test_the_asking_cell_keeps_patient_alert_and_clocks_until_the_other_accepts(scene, other):
    alert = red(scene)
    cell, doctor = other
    here, there = client_of(scene.member), client_of(doctor)
    answer = here.post(
        page(scene.cell, "proposer/"), {"patient": str(scene.follow_up.pk), "cellule": str(cell.pk), "why": WHY}
    )
    assert answer["Location"] == page(scene.cell)
    assert FollowUp.objects.get().cell == scene.cell
    assert there.get(f"/suivi/{scene.follow_up.pk}/").status_code == 404
    shown = there.get(page(cell)).content.decode()
    assert WHY in shown
    assert "Essoufflement en parlant ou au repos" in shown
    assert scene.patient.family_name.upper() not in shown, "a name is for the cell that follows the patient"
    assert "1 patient proposé par une autre cellule" in there.get("/suivi/").content.decode()
    assert scene.patient.family_name.upper() in here.get("/suivi/").content.decode()
    assert "n’a pas encore répondu" in here.get(f"/suivi/{scene.follow_up.pk}/").content.decode()
    alerts.take(actor=actor_for(scene.member), alert=alert)
    found = Transfer.objects.get()
    done = there.post(page(cell, f"{found.pk}/accept/"))
    assert done["Location"] == f"/suivi/{scene.follow_up.pk}/"
    after = Alert.objects.get()
    assert (after.pk, after.since, after.opened_at) == (alert.pk, alert.since, alert.opened_at)
    assert (after.state, after.taken_by) == ("new", None), "the new cell takes it anew"
    assert FollowUp.objects.get().cell == cell
    assert "Patient suivi par une autre cellule" in there.get(done["Location"]).content.decode()
    assert client_of(make_practitioner(cell.establishment)).get(done["Location"]).status_code == 200
    assert here.get("/suivi/").context["rows"] == []
    assert [row.pk for row in there.get("/suivi/").context["rows"]] == [scene.follow_up.pk]
    assert here.post(f"/suivi/{scene.follow_up.pk}/alerte/take/").status_code == 404
    assert there.post(f"/suivi/{scene.follow_up.pk}/alerte/take/").status_code == 302


@pytest.mark.req("EC-14")
def test_a_refusal_has_a_reason_and_a_demand_can_be_taken_back(scene, other):
    cell, doctor = other
    first = asked(scene, other)
    there = client_of(doctor)
    assert there.post(page(cell, f"{first.pk}/refuse/"), {"why": " "}).status_code == 409
    there.post(page(cell, f"{first.pk}/refuse/"), {"why": "Complet"})
    first.refresh_from_db()
    assert (first.state, first.refusal, first.decided_by) == ("refused", "Complet", doctor.user)
    second = asked(scene, other)
    assert there.post(page(cell, f"{second.pk}/cancel/")).status_code == 404
    assert client_of(scene.member).post(page(scene.cell, f"{second.pk}/cancel/")).status_code == 302
    with pytest.raises(Refused):
        transfer.accept(actor=actor_for(doctor), transfer=second)
    assert FollowUp.objects.get().cell == scene.cell
    verbs = set(Event.objects.filter(dossier=scene.follow_up.dossier).values_list("verb", flat=True))
    assert {"transfer_asked", "transfer_refused", "transfer_cancelled"} <= verbs


@pytest.mark.req("EC-14")
def test_only_members_of_the_two_cells_ask_and_decide(scene, other):
    cell, _doctor = other
    found = asked(scene, other)
    strangers = [
        make_practitioner(make_establishment("Ailleurs")), make_practitioner(cell.establishment), make_cell()[1],
        make_member(cell.establishment, Role.MANAGER), make_member(cell.establishment, Role.SECRETARY),
    ]  # fmt: skip
    for who in strangers:
        browser = client_of(who)
        assert browser.get(page(cell)).status_code == 404
        assert browser.get(page(scene.cell, "proposer/")).status_code == 404
        for verb in ("accept", "refuse", "cancel"):
            assert browser.post(page(cell, f"{found.pk}/{verb}/"), {"why": "x"}).status_code == 404
        with pytest.raises(NotFound):
            transfer.refuse(actor=actor_for(who), transfer=found, why="")
        assert browser.post(page(cell, "accepter/"), {"transfer": str(found.pk)}).status_code == 404
    with pytest.raises(NotFound):
        transfer.accept(actor=actor_for(scene.member), transfer=found)
    assert Transfer.objects.get().state == "asked"


def test_what_cannot_be_proposed_is_refused_with_a_sentence(scene, other, settings):
    for changes, words in (
        ({"why": "  "}, "Indiquez pourquoi"),
        ({"target_id": scene.cell.pk}, "Choisissez une cellule"),
        ({"follow_ups": []}, "Aucun de ces patients"),
        ({"follow_ups": [make_follow_up().follow_up.pk]}, "Aucun de ces patients"),
    ):
        with pytest.raises(Refused, match=words):
            asked(scene, other, **changes)
    settings.DEMO = False
    with pytest.raises(Refused, match="approuvées"):
        asked(scene, other)
    settings.DEMO = True
    asked(scene, other)
    with pytest.raises(Refused, match="le sont déjà"):
        asked(scene, other)


def test_a_refused_proposal_says_why_and_keeps_what_was_ticked(scene, other):
    """A patient without an alert, chosen from their own page, among those with one; and nobody left to propose."""
    reply(scene)
    alarmed = make_follow_up(cell=scene.cell, member=scene.member, patient=make_patient("Rouge"))
    red(alarmed)
    browser, address = client_of(scene.member), page(scene.cell, "proposer/")
    mine = {"patient": str(scene.follow_up.pk), "cellule": str(other[0].pk)}
    assert [row.pk for row in browser.get(address, {"patient": mine["patient"]}).context["rows"]] == [
        scene.follow_up.pk
    ]
    refused = browser.post(address, {**mine, "why": " "})
    assert (refused.status_code, refused.context["ticked"]) == (422, {scene.follow_up.pk})
    assert [row.pk for row in refused.context["rows"]] == [alarmed.follow_up.pk, scene.follow_up.pk]
    assert "Indiquez pourquoi" in refused.content.decode()
    asked(scene, other)
    asked(alarmed, other)
    assert "le sont déjà" in browser.post(address, {**mine, "why": WHY}).content.decode()


@pytest.mark.req("EC-14")
def test_nobody_takes_a_patient_whom_the_other_cell_is_calling(scene, other):
    alert, actor = red(scene), actor_for(scene.member)
    found = asked(scene, other)
    alert = alerts.call(actor=actor, alert=alerts.take(actor=actor, alert=alert))
    with pytest.raises(Refused, match="appelle ce patient"):
        transfer.accept(actor=actor_for(other[1]), transfer=found)
    alert = alerts.note_call(actor=actor, alert=alert, outcome="non-joint")
    transfer.accept(actor=actor_for(other[1]), transfer=found)
    after = Alert.objects.get()
    assert (after.state, after.attempts, after.call_at) == ("new", 1, alert.call_at)
    assert Call.objects.get().by == scene.member.user


def test_once_reached_whoever_accepts_goes_on(scene, other):
    actor = actor_for(scene.member)
    alert = alerts.call(actor=actor, alert=alerts.take(actor=actor, alert=red(scene)))
    alerts.note_call(actor=actor, alert=alert, outcome="joint")
    transfer.accept(actor=actor_for(other[1]), transfer=asked(scene, other))
    after = Alert.objects.get()
    assert (after.state, after.taken_by) == ("reached", other[1].user)


def test_closing_ends_the_demand_and_the_care_of_the_old_cell_ends_with_it(scene, other):
    guest = make_practitioner(make_establishment("Partenaire"))
    cells.add_member(actor=actor_for(scene.member), cell=scene.cell, membership=guest)
    assert client_of(guest).get(f"/suivi/{scene.follow_up.pk}/").status_code == 200
    transfer.accept(actor=actor_for(other[1]), transfer=asked(scene, other))
    assert client_of(guest).get(f"/suivi/{scene.follow_up.pk}/").status_code == 404
    assert not CareLink.objects.live().filter(user_id=guest.user_id).exists()
    moved = FollowUp.objects.get()
    back = transfer.ask(
        actor=actor_for(other[1]), cell=other[0], follow_ups=[moved.pk], target_id=scene.cell.pk, why=WHY
    )[0]
    states.close(actor=actor_for(other[1]), follow_up=moved, why="guerison")
    back.refresh_from_db()
    assert back.state == "cancelled"
    with pytest.raises(Refused):
        transfer.accept(actor=actor_for(scene.member), transfer=back)


@pytest.mark.req("EC-14")
@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_wins_and_nobody_is_without_a_cell():
    scene, other, third = make_follow_up(), make_cell(), make_cell()
    doctor, far = actor_for(scene.member), actor_for(other[1])
    assert outcomes(lambda: asked(scene, other), lambda: asked(scene, third)) == ["done", "refused"]
    transfer.cancel(actor=doctor, transfer=Transfer.objects.get(state="asked"))
    one = asked(scene, other)
    accept = lambda: transfer.accept(actor=far, transfer=one)  # noqa: E731
    assert outcomes(accept, accept, lambda: transfer.cancel(actor=doctor, transfer=one)) == [
        "done",
        "refused",
        "refused",
    ]
    one.refresh_from_db()
    follow_up = FollowUp.objects.get(pk=scene.follow_up.pk)
    assert follow_up.cell == (other[0] if one.state == "accepted" else scene.cell)
    source, target = (other, scene) if one.state == "accepted" else (None, None)
    if source is None:
        two, closer = asked(scene, other), doctor
        taker = far
    else:
        two = transfer.ask(actor=far, cell=other[0], follow_ups=[follow_up.pk], target_id=target.cell.pk, why=WHY)[0]
        closer, taker = far, doctor
    found = outcomes(
        lambda: transfer.accept(actor=taker, transfer=two),
        lambda: states.close(actor=closer, follow_up=FollowUp.objects.get(pk=follow_up.pk), why="guerison"),
    )
    after, two = FollowUp.objects.get(pk=follow_up.pk), Transfer.objects.get(pk=two.pk)
    assert found == ["done", "refused"]
    assert (after.state, two.state) in {("closed", "cancelled"), ("active", "accepted")}


@pytest.mark.req("EC-14")
def test_the_surplus_is_ticked_proposed_and_accepted_in_bulk(scene, other):
    """Three reds and one person there: the calls that would begin too late are ticked (D7)."""
    for number in range(4):
        one = make_follow_up(cell=scene.cell, member=scene.member, patient=make_patient(f"Patient{number}"))
        red(one)
    here, there = client_of(scene.member), client_of(other[1])
    listed = here.get("/suivi/")
    assert "personne ne s’est dit présent" in listed.content.decode()
    assert here.post(f"/suivi/cellules/{scene.cell.pk}/presence/", {"here": "1"}).status_code == 302
    listed = here.get("/suivi/")
    capacity = listed.context["capacity"]
    assert (capacity.people, capacity.red, bool(capacity.breaks_at)) == (1, 4, True)
    assert "Rupture" in listed.content.decode()
    proposed = here.get(page(scene.cell, "proposer/?surplus=1"))
    ticked = sorted(map(str, proposed.context["ticked"]))
    assert len(ticked) == 2, "of four reds due in 15 minutes one person calls two in time"
    here.post(page(scene.cell, "proposer/"), {"patient": ticked, "cellule": str(other[0].pk), "why": WHY})
    arriving = [str(one.transfer.pk) for one in there.get(page(other[0])).context["arriving"]]
    there.post(page(other[0], "accepter/"), {"transfer": arriving})
    assert FollowUp.objects.filter(cell=other[0]).count() == 2
    assert here.get("/suivi/").context["capacity"].breaks_at is None
    here.post(f"/suivi/cellules/{scene.cell.pk}/presence/", {"here": "0"})
    assert here.get("/suivi/").context["capacity"].people == 0


def test_who_is_there_is_who_said_so_or_took_an_alert_not_long_ago_or_calls(scene):
    colleague = make_practitioner(scene.cell.establishment)
    mine = join(scene.cell, colleague)
    browser = client_of(scene.member)
    assert browser.get("/suivi/").context["capacity"].people == 0
    mine.here_until = timezone.now() - timedelta(minutes=1)
    mine.save()
    assert browser.get("/suivi/").context["capacity"].people == 0
    alerts.take(actor=actor_for(scene.member), alert=red(scene))
    assert browser.get("/suivi/").context["capacity"].people == 1
    Alert.objects.update(taken_at=timezone.now() - timedelta(hours=5))
    assert browser.get("/suivi/").context["capacity"].people == 0, "the team of this morning has gone home"
    alerts.call(actor=actor_for(scene.member), alert=Alert.objects.get())
    assert browser.get("/suivi/").context["capacity"].people == 1
    cells.say_here(actor=actor_for(colleague), cell=scene.cell, here=True)
    assert browser.get("/suivi/").context["capacity"].people == 2
    with pytest.raises(NotFound):
        cells.say_here(actor=actor_for(make_practitioner(make_establishment("Ailleurs"))), cell=scene.cell, here=True)


@pytest.mark.req("EC-14")
def test_both_lists_are_told(scene, other, monkeypatch):
    told = []
    monkeypatch.setattr(live, "ping", lambda topic, urgent=False: told.append(topic))
    found = asked(scene, other)
    both = {f"cell:{scene.cell.pk}", f"cell:{other[0].pk}"}
    assert both <= set(told)
    told.clear()
    transfer.accept(actor=actor_for(other[1]), transfer=found)
    assert both <= set(told)


@pytest.mark.req("EC-14")
def test_a_cell_says_whether_it_takes_patients_of_other_establishments(scene, other):
    cell, doctor = other
    form = {"name": cell.name, "kind": "regional", "opens": "08:00", "closes": "20:00", "minutes_per_call": "9"}
    browser = client_of(doctor)
    patient = make_patient(seen_by=scene.cell.establishment)
    enrol = f"/suivi/inclure/?patient={patient.pk}"
    assert cell.name not in client_of(scene.member).get(enrol).content.decode()
    assert browser.post(f"/suivi/cellules/{cell.pk}/", {**form, "accepts_others": "on"}).status_code == 302
    assert Cell.objects.get(pk=cell.pk).accepts_others
    assert f"{cell.name}, Centre régional" in client_of(scene.member).get(enrol).content.decode()


@pytest.mark.req("EC-14")
def test_an_establishment_without_a_cell_keeps_the_patients_it_entrusted_in_sight(other, settings):
    town = make_practitioner(make_establishment("Cabinet de la Place"))
    browser = client_of(town)
    assert "Inclure un patient" not in browser.get("/suivi/").content.decode()
    Cell.objects.filter(pk=other[0].pk).update(accepts_others=True)
    assert "Inclure un patient" in browser.get("/suivi/").content.decode()
    scene = make_follow_up(cell=other[0], member=other[1], patient=make_patient("Confiée", seen_by=town.establishment))
    Dossier.objects.filter(pk=scene.follow_up.pk).update(establishment=town.establishment)
    stranger = client_of(make_practitioner(make_establishment("Ailleurs")))
    for who, seen in ((browser, True), (stranger, False)):
        assert ("CONFIÉE" in who.get("/suivi/").content.decode()) is seen
    assert browser.get(f"/suivi/{scene.follow_up.pk}/").status_code == 200


def test_the_hand_over_lists_who_needs_a_word_the_most_urgent_first(scene):
    follow = {
        name: make_follow_up(cell=scene.cell, member=scene.member, patient=make_patient(name), **more)
        for name, more in {"Rouge": {}, "Nonjoint": {}, "Hopital": {}, "Peril": {"day": 8}, "Calme": {}}.items()
    }  # fmt: skip
    actor = actor_for(scene.member)
    red(follow["Rouge"])
    alert = alerts.call(actor=actor, alert=alerts.take(actor=actor, alert=red(follow["Nonjoint"])))
    alerts.note_call(actor=actor, alert=alert, outcome="non-joint")
    states.pause(actor=actor, follow_up=follow["Hopital"].follow_up)
    for name in ("Peril", "Calme"):
        reply(follow[name])
    yesterday = timezone.localdate() - timedelta(days=1)
    Missed.objects.create(follow_up=scene.follow_up, day=yesterday, slot="day")
    browser = client_of(scene.member)
    found = browser.get(f"/suivi/cellules/{scene.cell.pk}/releve/")
    parts = {part.key: [row.patient.family_name for row in part.rows] for part in found.context["parts"]}
    assert parts["open"] == ["Rouge"]
    assert parts["called"] == ["Nonjoint"]
    assert parts["away"] == ["Hopital"]
    assert parts["peak"] == ["Peril"]
    assert parts["silent"] == [scene.patient.family_name]
    text = found.content.decode()
    assert "Calme".upper() not in text
    assert "Place pour écrire" in text
    stranger = client_of(make_practitioner(make_establishment("Ailleurs")))
    assert stranger.get(f"/suivi/cellules/{scene.cell.pk}/releve/").status_code == 404


@pytest.mark.parametrize("address", ["releve/", "transferts/", "transferts/proposer/"])
def test_three_rows_cost_as_many_queries_as_one(scene, other, address):
    browser = client_of(scene.member)

    def fill(number):
        for proposed in (True, False):
            one = make_follow_up(cell=scene.cell, member=scene.member, patient=make_patient(f"Patient{number}"))
            red(one)
            if proposed:
                asked(one, other)

    def count():
        with CaptureQueriesContext(connection) as found:
            assert browser.get(f"/suivi/cellules/{scene.cell.pk}/{address}").status_code == 200
        return len(found)

    fill(0)
    count()
    one = count()
    fill(1)
    fill(2)
    count()
    assert count() == one


def test_a_late_scheduler_says_so_on_every_alert_screen(scene, other, monkeypatch):
    """Silence must never look like calm."""
    red(scene)
    alerts.take(actor=actor_for(scene.member), alert=Alert.objects.get())
    alerts.call(actor=actor_for(scene.member), alert=Alert.objects.get())
    cell, follow_up = scene.cell.pk, scene.follow_up.pk
    browser = client_of(scene.member)
    screens = (
        "/suivi/", f"/suivi/{follow_up}/", f"/suivi/{follow_up}/appel/", f"/suivi/cellules/{cell}/releve/",
        f"/suivi/cellules/{cell}/transferts/", f"/suivi/cellules/{cell}/transferts/proposer/",
    )  # fmt: skip
    for late in (True, False):
        monkeypatch.setattr("relais.core.health.scheduler_late", lambda late=late: late)
        for address in screens:
            found = browser.get(address)
            assert found.status_code == 200, address
            assert ("Les rappels ont du retard" in found.content.decode()) is late, address
            assert 'id="relais-banner"' in found.content.decode(), address
