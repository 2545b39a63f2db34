"""Who is relieved and who is not, where the home telephones, and what is said when nobody was told (FG-08, FG-10)."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from relais.accounts.models import Role
from relais.accounts.testing import actor_for, client_of, make_establishment, make_member, make_practitioner
from relais.directory.models import Need
from relais.liaison.actions import deciding, handing, owning, watching
from relais.liaison.actions.deciding import Advice
from relais.liaison.models import HandOver, Request
from relais.liaison.testing import make_home, make_request, open_hand_overs, posted, relieved, taken
from relais.notifications.models import Message
from relais.oncall.hours import next_boundary
from relais.oncall.models import OnCallSlot, PoolMember
from relais.oncall.testing import join, make_service, make_slot
from relais.patients.testing import make_patient

pytestmark = pytest.mark.django_db
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


def handing_over():
    """A request whose hand-over was proposed at this moment, an hour from now."""
    scene = make_home()
    demand = taken(scene)
    at = timezone.now() + HOUR
    relieved(scene, at)
    watching.watch(at)
    return scene, demand, at


def advice(review_at=None):
    return Advice(
        code="maintien-surveillance", care_level="maximal", justification="Stable.", family="oui", review_at=review_at
    )


@pytest.mark.req("FG-10")
def test_an_absence_that_is_said_hands_over_at_once_what_the_doctor_has_in_hand():
    scene = make_home()
    demand = taken(scene)
    now = timezone.now()
    make_slot(scene.service, scene.colleague, now - MINUTE, now + HOUR)
    watching.watch(now)
    assert not open_hand_overs().exists()
    slot = OnCallSlot.objects.get(user=scene.doctor.user)
    assert client_of(scene.doctor).post(f"/astreintes/creneaux/{slot.pk}/mark_absent/").status_code == 302
    watching.watch(now + MINUTE)
    found = open_hand_overs().get()
    assert (found.demand, found.leaving, found.taking) == (demand, scene.doctor.user, scene.colleague.user)


def test_a_doctor_on_duty_for_another_service_is_relieved_all_the_same():
    scene = make_home()
    taken(scene)
    at = timezone.now() + HOUR
    relieved(scene, at)
    elsewhere = make_service(Need.EXPERT, scene.service.establishment)
    join(elsewhere, scene.doctor)
    make_slot(elsewhere, scene.doctor, at, at + 13 * HOUR)
    watching.watch(at)
    assert open_hand_overs().get().taking == scene.colleague.user


@pytest.mark.req("FG-10", "D10")
def test_where_the_rota_names_nobody_after_the_shift_it_is_an_alarm_until_somebody_is_named_again():
    scene = make_home()
    demand = taken(scene)
    at = timezone.now() + HOUR
    OnCallSlot.objects.filter(user=scene.doctor.user).update(ends_at=at)
    OnCallSlot.objects.filter(service=scene.samu).delete()
    for _twice in range(2):
        watching.watch(at)
    found = open_hand_overs().get()
    assert (found.leaving, found.taking, found.service) == (scene.doctor.user, None, scene.service)
    page = client_of(scene.doctor).get(f"/liaison/{demand.pk}/").content.decode()
    assert "Personne n’est au planning pour la relève" in page
    watching.watch(at + 15 * MINUTE)
    assert open_hand_overs().get().alarmed_at
    assert Message.objects.filter(type="liaison.late", holder_id=scene.doctor.user_id).count() == 1
    assert client_of(scene.regulator).get(f"/liaison/{demand.pk}/").status_code == 200
    make_slot(scene.service, scene.colleague, at + HOUR, at + 13 * HOUR)
    for _twice in range(2):
        watching.watch(at + HOUR)
    again = open_hand_overs().get()
    assert (again.pk, again.taking) == (found.pk, scene.colleague.user)
    assert Message.objects.filter(type="liaison.hand_over", holder_id=scene.colleague.user_id).count() == 1
    handing.accept(actor=actor_for(scene.colleague), hand_over=again)
    assert Request.objects.get().responsible == scene.colleague.user


def held_outside_a_slot(who, since):
    """A request taken at this moment by a colleague who is off duty, or by the doctor of a service that keeps no rota."""
    scene = make_home(now=since)
    demand = taken(scene)
    if who == "off_duty":
        owner = scene.colleague
        make_slot(scene.service, owner, since - 3 * HOUR, since - HOUR)  # over before they took it
        owning.take_over(actor=actor_for(owner), demand=demand)
    else:
        mobile = make_service(Need.MOBILE, make_establishment("Hôpital du Frêne", kind="hospital"))
        owner = make_practitioner(mobile.establishment, family_name="Mobilier")
        join(mobile, owner)
        owning.transfer(actor=scene.doctor_actor, demand=demand, service=mobile)
        owning.take(actor=actor_for(owner), demand=demand)
    return scene, owner


@pytest.mark.req("FG-10", "D10")
@pytest.mark.parametrize("who", ["off_duty", "no_rota"])
@pytest.mark.parametrize(
    ("since", "until"),
    [
        ((2026, 11, 25, 9, 0), (2026, 11, 25, 18, 0)),  # UTC: from 10:00 in Paris to 19:00
        ((2026, 11, 25, 18, 0), (2026, 11, 26, 7, 0)),  # taken at 19:00, until 08:00
        ((2026, 10, 24, 18, 0), (2026, 10, 25, 7, 0)),  # over the longest night
        ((2027, 3, 27, 19, 0), (2027, 3, 28, 6, 0)),  # over the shortest one
    ],
)
def test_who_took_a_request_outside_a_slot_is_relieved_at_the_next_8_or_19_by_whoever_is_on_duty(
    who, since, until, clock
):
    clock[0], at = datetime(*since, tzinfo=UTC), datetime(*until, tzinfo=UTC)
    scene, owner = held_outside_a_slot(who, clock[0])
    for moment in (clock[0] + MINUTE, at - SECOND):
        watching.watch(moment)
    assert not HandOver.objects.exists()
    for moment in (at, at + MINUTE):
        watching.watch(moment)
    found = open_hand_overs().get()
    assert (found.leaving, found.taking, found.due_at) == (owner.user, scene.doctor.user, at)
    assert Request.objects.get().responsible == owner.user, "theirs until the other accepts"
    watching.watch(at + 15 * MINUTE)
    assert open_hand_overs().get().alarmed_at == at + 15 * MINUTE
    clock[0] = at + HOUR
    assert client_of(scene.doctor).post(f"/liaison/releves/{found.pk}/accepter/").status_code == 302
    assert Request.objects.get().responsible == scene.doctor.user
    watching.watch(at + 2 * HOUR)
    assert HandOver.objects.count() == 1, "they are on duty"


@pytest.mark.req("FG-10", "D10")
@pytest.mark.parametrize("who", ["off_duty", "no_rota"])
def test_who_is_on_duty_at_8_or_19_keeps_what_they_took_before_and_where_nobody_is_it_is_an_alarm(who, clock):
    """It is proposed to nobody, once their own slot has ended too."""
    clock[0], at, ends = (datetime(2026, 11, 25, hour, tzinfo=UTC) for hour in (9, 18, 22))
    scene, owner = held_outside_a_slot(who, clock[0])
    OnCallSlot.objects.filter(service=scene.samu).delete()
    OnCallSlot.objects.filter(user=scene.doctor.user).update(ends_at=at)
    if who == "no_rota":
        join(scene.service, owner)
    make_slot(scene.service, owner, at, ends)
    for moment in (at, ends - SECOND):
        watching.watch(moment)
    assert not HandOver.objects.exists()
    for moment in (ends, ends + 15 * MINUTE):
        watching.watch(moment)
    found = open_hand_overs().get()
    assert (found.leaving, found.taking, found.alarmed_at) == (owner.user, None, ends + 15 * MINUTE)


@pytest.mark.req("FG-10")
def test_the_text_of_a_hand_over_is_written_anew_once_more_is_known():
    scene, demand, at = handing_over()
    assert "L’avis n’est pas encore rendu." in open_hand_overs().get().recommendation
    deciding.ask(actor=scene.doctor_actor, demand=demand, text="Diurèse ?")
    deciding.give(actor=scene.nurse_actor, demand=demand, text="Conservée.")
    assert not open_hand_overs().exists()
    watching.watch(at + MINUTE)
    soon = next_boundary(at + MINUTE) - MINUTE
    deciding.decide(actor=scene.doctor_actor, demand=demand, advice=advice(max(soon, timezone.now() + MINUTE)))
    watching.watch(at + 2 * MINUTE)
    found = open_hand_overs().get()
    assert "Maintien en EHPAD, surveillance. Stable." in found.assessment
    assert found.due_at == at + 2 * MINUTE


@pytest.mark.req("FG-10")
def test_signs_taken_during_a_hand_over_join_its_text_tell_who_arrives_and_stop_no_alarm():
    scene, demand, at = handing_over()
    handing.rewrite(actor=scene.doctor_actor, hand_over=open_hand_overs().get(), texts={
        "situation": "À revoir à 20 h.", "assessment": "Foyer droit."})  # fmt: skip
    signs = {"q-fg.spo2": "92", "request_key": str(uuid4())}
    assert client_of(scene.nurse).post(f"/liaison/{demand.pk}/constantes/", signs).status_code == 302
    found = open_hand_overs().get()
    assert (found.due_at, found.situation) == (at, "À revoir à 20 h.")
    assert "SpO2\u00a092\u00a0%" in found.assessment.splitlines()[0]
    assert found.assessment.endswith("Foyer droit.")
    urgent = Message.objects.filter(type="liaison.urgent_note")
    assert set(urgent.values_list("holder_id", flat=True)) == {scene.doctor.user_id, scene.colleague.user_id}
    assert "Note urgente : VASSEUR Odette" in client_of(scene.colleague).get("/liaison/astreinte/").content.decode()
    watching.watch(at + 15 * MINUTE)
    assert open_hand_overs().get().alarmed_at == at + 15 * MINUTE


@pytest.mark.req("FG-10")
def test_signs_taken_while_a_hand_over_is_corrected_stand_in_what_the_next_doctor_reads():
    scene, demand, _at = handing_over()
    found = open_hand_overs().get()
    doctor, url = client_of(scene.doctor), f"/liaison/releves/{found.pk}/"
    page = {
        "situation": "À revoir à 20 h.",
        "assessment": "Foyer\r\ndroit.",
        "read": found.assessment.replace("\n", "\r\n"),
    }
    assert doctor.post(url, page).status_code == 302, "nothing new: kept at once"
    page["read"] = "Foyer\r\ndroit."
    for spo2 in ("92", "91"):
        signs = {"q-fg.spo2": spo2, "request_key": str(uuid4())}
        client_of(scene.nurse).post(f"/liaison/{demand.pk}/constantes/", signs)
    refused = doctor.post(url, {**page, "assessment": "Foyer droit, écrit avant."})
    assert refused.status_code == 422
    texts = {name: text for name, _label, text, _wrong in refused.context["parts"]}
    assert [line[:24] for line in texts["assessment"].splitlines()[:2]] == ["Constantes reprises : Sp"] * 2
    assert "91" in texts["assessment"].splitlines()[0]
    assert texts["assessment"].endswith("Foyer droit, écrit avant.")
    assert "écrit avant" not in open_hand_overs().get().assessment
    texts["read"] = refused.context["hand_over"].assessment
    assert doctor.post(url, texts).status_code == 302
    kept = open_hand_overs().get().assessment
    assert "91" in kept
    assert kept.endswith("Foyer droit, écrit avant.")


@pytest.mark.req("FG-10")
def test_a_text_of_a_hand_over_that_is_proposed_no_more_stays_before_the_eyes_of_whoever_wrote_it():
    scene, demand, _at = handing_over()
    found = open_hand_overs().get()
    deciding.ask(actor=scene.doctor_actor, demand=demand, text="Diurèse ?")
    deciding.give(actor=scene.nurse_actor, demand=demand, text="Conservée.")
    url = f"/liaison/releves/{found.pk}/"
    page = {"situation": "Écrit trop tard.", "assessment": "", "read": found.assessment}
    refused = client_of(scene.doctor).post(url, page)
    assert refused.status_code == 422
    assert "Cette relève n’est plus proposée" in refused.content.decode()
    assert "Écrit trop tard." in refused.content.decode()
    assert client_of(scene.colleague).post(url, page).status_code == 404


@pytest.mark.req("FG-10")
def test_no_alarm_sounds_for_what_is_not_to_be_passed_on_any_more():
    _scene, demand, at = handing_over()
    Request.objects.filter(pk=demand.pk).update(state="avis-rendu", advised_at=at)
    watching.watch(at + 15 * MINUTE)
    assert not open_hand_overs().exists()
    assert not Message.objects.filter(type="liaison.late").exists()
    watching.watch(at + 16 * MINUTE)
    assert HandOver.objects.count() == 1


@pytest.mark.req("FG-08")
def test_the_home_reads_the_number_of_whoever_has_the_request_now():
    scene = make_home()
    PoolMember.objects.filter(user=scene.colleague.user).delete()
    join(scene.service, scene.colleague)
    OnCallSlot.objects.filter(user=scene.regulator.user).update(phone="06 39 98 00 55")
    demand, url = make_request(scene), f"/liaison/{Request.objects.get().pk}/"
    nurse = client_of(scene.nurse)
    assert "06 39 98 00 01" in nurse.get(url).content.decode()
    owning.redirect(actor=scene.nurse_actor, demand=demand)
    client_of(scene.regulator).post(f"{url}take/")
    assert Request.objects.get().line == "06 39 98 00 55"
    assert "06 39 98 00 55" in nurse.get(url).content.decode()
    client_of(scene.colleague).post(f"{url}take_over/")
    assert Request.objects.get().line == scene.service.phone  # not on duty: the line of the service
    owning.take_over(actor=scene.doctor_actor, demand=demand)
    at = timezone.now() + HOUR
    relieved(scene, at)
    watching.watch(at)
    OnCallSlot.objects.filter(user=scene.colleague.user).update(starts_at=timezone.now() - MINUTE)
    handing.accept(actor=actor_for(scene.colleague), hand_over=open_hand_overs().get())
    assert Request.objects.get().line == "06 39 98 00 77"


@pytest.mark.req("FG-08")
def test_a_service_without_a_rota_is_told_by_its_whole_pool_and_one_without_anybody_is_said():
    scene = make_home()
    OnCallSlot.objects.filter(service=scene.samu).delete()
    url = f"/liaison/{make_request(scene).pk}/"
    said = client_of(scene.nurse).post(f"{url}redirect/", follow=True).content.decode()
    assert "Un message part au SAMU" in said
    assert Message.objects.filter(type="liaison.asked", holder_id=scene.regulator.user_id).count() == 1
    client_of(scene.doctor).post(f"{url}take/")
    PoolMember.objects.filter(service=scene.samu).delete()
    said = client_of(scene.nurse).post(f"{url}redirect/", follow=True).content.decode()
    assert "Un message part" not in said
    assert f"personne n’est nommé pour « {scene.samu.name} » : téléphonez au {scene.samu.phone}" in said
    client_of(scene.doctor).post(f"{url}take/")
    mobile = make_service(Need.MOBILE, make_establishment("Hôpital du Frêne", kind="hospital"))
    said = client_of(scene.doctor).post(f"{url}transfer/", {"service": str(mobile.pk)}, follow=True).content.decode()
    assert "Un message part" not in said
    assert f"téléphonez au {mobile.phone}" in said


@pytest.mark.req("FG-08")
@pytest.mark.parametrize("samu", [True, False])
def test_the_red_banner_says_what_becomes_of_the_request_before_and_after_it_is_sent(samu):
    scene = make_home()
    if not samu:
        scene.samu.active = False
        scene.samu.save()
    nurse = client_of(scene.nurse)
    fill = nurse.post(f"/liaison/residents/{scene.resident.pk}/demander/").url
    before = nurse.get(fill).content.decode()
    assert ("le SAMU du département la reçoit." in before) == samu
    assert "Envoyez aussi la demande" in before
    after = nurse.post(fill, posted(spo2=84), follow=True).content.decode()
    assert "Appelez le 15 maintenant" in after
    assert "Envoyez aussi" not in after
    assert ("le SAMU du département peut aussi la lire" in after) == samu


def test_a_request_that_cannot_be_watched_holds_back_no_other(monkeypatch, caplog):
    scene = make_home()
    bad, good = make_request(scene), make_request(scene, make_patient(seen_by=scene.home))
    plain = owning.next_of

    def broken(demand, now):
        if demand.pk == bad.pk:
            raise ZeroDivisionError
        return plain(demand, now)

    monkeypatch.setattr(owning, "next_of", broken)
    with pytest.raises(ExceptionGroup, match="could not be watched"):
        watching.watch(good.asked_at + 30 * MINUTE)
    assert Request.objects.get(pk=good.pk).responsible == scene.regulator.user
    assert Request.objects.get(pk=bad.pk).responsible == scene.doctor.user
    assert str(bad.pk) in caplog.text


@pytest.mark.req("D10")
def test_one_page_shows_what_comes_to_a_doctor_and_what_they_pass_on_each_with_its_text():
    scene = make_home()
    at = timezone.now() + HOUR
    for patient in (scene.resident, make_patient(seen_by=scene.home)):
        owning.take(actor=scene.doctor_actor, demand=make_request(scene, patient))
    url, on_call = "/liaison/releves/", "/liaison/astreinte/"
    assert "Aucune relève en attente" in client_of(scene.doctor).get(url).content.decode()
    relieved(scene, at)
    watching.watch(at + MINUTE)
    first, second = open_hand_overs().order_by("pk")
    leaving, coming = client_of(scene.doctor), client_of(scene.colleague)
    for browser, words in ((leaving, "Ce que vous transmettez"), (coming, "À accepter")):
        assert "Relève : 2 demandes" in browser.get(on_call).content.decode()
        page = browser.get(url).content.decode()
        assert [words in page, *(one.situation.splitlines()[0] in page for one in (first, second))] == [True] * 3
        accept = f"/liaison/releves/{first.pk}/accepter/?liste=1"
        assert (accept in page) == (browser is coming)
    assert coming.post(accept).headers["Location"] == url
    page = coming.get(url).content.decode()
    assert (str(first.pk) in page, str(second.pk) in page) == (False, True)
    assert Request.objects.get(pk=first.demand_id).responsible == scene.colleague.user
    other = client_of(scene.regulator)
    assert (
        "Aucune relève en attente" in other.get(url).content.decode(),
        "Relève :" in other.get(on_call).content.decode(),
    ) == (True, False)
    secretary = make_member(scene.service.establishment, Role.SECRETARY)
    assert client_of(secretary).get(url).status_code == client_of(secretary).get(on_call).status_code != 200
