"""Journey: a patient at home, on a 320 px telephone, by keyboard: from the link to the red instruction, and who has it in hand."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from relais.accounts.testing import actor_for
from relais.core.testing.browser import until
from relais.patients.models import Grant
from relais.patients.testing import make_grant, make_patient
from relais.questionnaires.models import Response
from relais.telemonitoring.actions import alerts, states
from relais.telemonitoring.models import Alert, FollowUp, Judgement
from relais.telemonitoring.testing import WELL, make_cell, make_follow_up, reply
from tests.browser.journey import TELEPHONE, House, press, see, tab_to

pytestmark = pytest.mark.browser
PageOf = Callable[..., Any]
SPACE = "/p/suivi/"
STEP = "Array.from(document.querySelectorAll('[data-step]')).find((one) => one.offsetParent)"


def followed(house: House, **fields: Any) -> Any:
    cell, member = make_cell(house.doctor, name="Cellule des Tilleuls")
    began = timezone.localdate() - timedelta(days=3)
    return make_follow_up(cell=cell, member=member, starts_on=began, **fields)


def answer_all(page: Any, answers: dict[str, list[Any]]) -> list[str]:
    """Every question by keyboard alone, up to the last: Tab to it, arrows or figures, Enter. The questions that were put."""
    put = []
    while True:
        key = page.evaluate(f"{STEP}.dataset.item")
        put.append(key)
        if key in answers:
            choose(page, key, answers[key][0])
        if not page.locator("[data-stepper-next]").is_visible():
            return put
        press(page, "button", "Suivant")
        assert page.evaluate(f"{STEP}.dataset.item") != key, "the answer was not taken"


def choose(page: Any, key: str, value: Any) -> None:
    inputs = page.locator(f'[name="q-{key}"]')
    tab_to(page, inputs.first)
    if inputs.first.get_attribute("type") == "text":
        page.keyboard.type(str(value).replace(".", ","))
        return
    words = {True: "true", False: "false"}.get(value, value) if isinstance(value, bool) else value
    place = inputs.evaluate_all("(all, value) => all.findIndex((one) => one.value === value)", words)
    if inputs.first.get_attribute("type") == "checkbox":
        tab_to(page, inputs.nth(place)) if place else None
        page.keyboard.press("Space")
        return
    page.keyboard.press("Space")
    for _option in range(place):
        page.keyboard.press("ArrowDown")


@pytest.mark.req("EC-03", "EC-06", "EC-12")
def test_from_the_link_to_the_red_instruction_by_keyboard(
    house: House, site: Any, page_of: PageOf, screens: Callable[..., None]
) -> None:
    scene = followed(house)
    for hours in (50, 26):
        reply(scene, at=timezone.now() - timedelta(hours=hours))
    grant, secrets = make_grant(scene.patient, about=scene.follow_up.pk)
    page = page_of(None, f"/p/{grant.pk}/#i={secrets['login']}", **TELEPHONE)
    page.keyboard.type(secrets["password"])
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Votre suivi à domicile").wait_for()
    assert page.url.endswith(SPACE)
    page.locator(".curve .u-wrap").first.wait_for()
    screens("follow-up-home", page, full=True)
    name = "Répondre" if page.get_by_role("link", name="Répondre", exact=True).count() else "Signaler un changement"
    press(page, "link", name)
    page.locator("[data-stepper-next]").wait_for()
    screens("follow-up-question", page)
    answers = {**WELL, "ad.levres": [True]}
    put = answer_all(page, answers)
    assert "ad.saisie" not in put
    screens("follow-up-last-question", page)
    press(page, "button", "Envoyer mes réponses")
    see(page, "Appelez le 15 immédiatement")
    assert page.get_by_role("link", name="Appeler le 15").get_attribute("href") == "tel:15"
    see(page, "Personne n’a encore pris votre alerte en charge")
    screens("follow-up-red", page, full=True)
    assert Judgement.objects.latest("at").level == "rouge"
    alerts.take(actor=actor_for(house.doctor), alert=Alert.objects.get())
    see(page, "Un professionnel s’occupe de vous")
    screens("follow-up-red-taken", page, widths=(320,))


@pytest.mark.req("EC-10")
def test_somebody_else_answers(house: House, page_of: PageOf, screens: Callable[..., None]) -> None:
    scene = followed(house)
    page = page_of(scene.grant, SPACE, **TELEPHONE)
    page.get_by_role("link", name="C’est quelqu’un d’autre qui répond").click()
    page.get_by_role("heading", name="Qui répond ?").wait_for()
    screens("follow-up-who", page, full=True)
    page.get_by_label("Un proche aidant").check()
    page.get_by_label("Le patient ne peut pas répondre seul").check()
    page.get_by_role("button", name="Continuer").click()
    page.get_by_role("heading", name="Répondre pour Camille").wait_for()
    screens("follow-up-proxy", page)


@pytest.mark.req("EC-09")
def test_a_child_has_the_questions_of_its_age_and_a_closed_follow_up_explains(
    house: House, page_of: PageOf, screens: Callable[..., None]
) -> None:
    today = timezone.localdate()
    scene = followed(house, patient=make_patient(given="Léo", birth_date=today - timedelta(days=200)))
    grant, _secrets = make_grant(scene.patient, about=scene.follow_up.pk, holder="parent", holder_name="Anne Petit")
    page = page_of(grant, SPACE + "repondre/", **TELEPHONE)
    page.get_by_role("heading", name="Répondre pour Léo").wait_for()
    screens("follow-up-child", page)
    states.close(actor=actor_for(house.doctor), follow_up=FollowUp.objects.get(), why="guerison")
    page.goto(page.url)
    see(page, "Ce suivi est terminé")
    screens("follow-up-closed", page, full=True)


@pytest.mark.req("EC-03", "EC-06")
def test_without_network_the_red_instruction_comes_at_once_and_the_answers_once_it_is_back(
    house: House, page_of: PageOf, screens: Callable[..., None]
) -> None:
    scene = followed(house)
    page = page_of(scene.grant, SPACE, **TELEPHONE)
    page.wait_for_selector("html[data-offline-ready]")
    page.expected += ["ERR_INTERNET_DISCONNECTED", "Failed to load resource"]
    page.context.set_offline(True)
    page.goto(page.url + "repondre/")
    page.get_by_role("heading", name="Votre suivi sans réseau").wait_for()
    page.locator("[data-stepper-next]").wait_for()
    screens("follow-up-offline-question", page, widths=(320,))
    put = answer_all(page, {**WELL, "ad.levres": [True]})
    assert "ad.photo" not in put
    press(page, "button", "Terminer")
    see(page, "Appelez le 15 immédiatement")
    see(page, "Personne n’a encore lu vos réponses")
    see(page, "1 réponse attend le réseau")
    screens("follow-up-offline-end", page, full=True)
    assert not Judgement.objects.exists()
    page.context.set_offline(False)
    see(page, "Votre réponse donnée sans réseau est partie")
    see(page, "Vos réponses sont parties")
    screens("follow-up-offline-sent", page, full=True, widths=(320,))
    response = Response.objects.get(about=scene.follow_up.pk)
    assert response.ended_at < response.device_at
    assert response.device_at - timedelta(seconds=5) < response.received_at
    assert Judgement.objects.get().level == "rouge"
    page.get_by_role("link", name="Lire la consigne").click()
    see(page, "Personne n’a encore pris votre alerte en charge")
    cell = page_of(house.doctor, "/suivi/")
    see(cell, "Lèvres ou doigts bleus")


def answer_at_once(page: Any, whose: str, answers: dict[str, list[Any]]) -> None:
    """On the shell: for whom, then all answers at a time."""
    page.get_by_role("button", name=whose).click()
    see(page, f"Suivi de {whose}")
    page.locator("[data-followed]").wait_for()
    page.evaluate(
        """(answers) => {
          const form = document.querySelector("[data-form-place] form");
          form.dispatchEvent(new CustomEvent("questionnaire:restore", { detail: { answers, step: "" } }));
          form.requestSubmit();
        }""",
        answers,
    )
    page.get_by_role("heading", name="Que faire maintenant").wait_for()


def two_tabs_are_two_sendings(page: Any, address: str) -> None:
    """A second tab takes up what the first one began, and may be sent after it: neither stands for the other."""
    page.goto(address)
    page.locator("form[data-followed]").wait_for()
    page.locator('[name="q-ad.general"]').last.check()
    kept = """async () => (await (await import("/static/telemonitoring/store.js")).all("draft")).length"""
    until(page, kept)
    second = page.context.new_page()
    second.goto(address)
    second.locator("form[data-followed]").wait_for()
    expect(second.locator('[name="q-ad.general"]').last).to_be_checked()
    keys = {one.locator("[name=request_key]").input_value() for one in (page, second)}
    second.close()
    assert len(keys) == 2


@pytest.mark.req("EC-03", "EC-06")
def test_two_people_answer_without_network_on_one_telephone_each_several_times(
    house: House, site: Any, page_of: PageOf, screens: Callable[..., None]
) -> None:
    """Nobody's answers are taken for somebody else's, nor the second for the first; a full telephone says so."""
    cell, member = make_cell(house.doctor, name="Cellule des Tilleuls")
    hers, his = (
        make_follow_up(cell=cell, member=member, patient=make_patient(given=given))
        for given in ("Camille", "Dominique")
    )
    page = page_of(hers.grant, SPACE, **TELEPHONE)
    page.wait_for_selector("html[data-offline-ready]")
    page.context.add_cookies(site.cookies_of(his.grant))
    page.goto(page.url)
    see(page, "Bonjour Dominique")
    page.wait_for_selector("html[data-offline-ready]")
    page.expected += ["ERR_INTERNET_DISCONNECTED", "Failed to load resource"]
    page.context.set_offline(True)
    page.goto(page.url + "repondre/")
    see(page, "Pour qui répondez-vous ?")
    screens("follow-up-offline-whose", page)
    answer_at_once(page, "Camille", WELL)
    expect(page.get_by_role("link", name="Appeler le 15")).to_have_count(0)
    for whose, answers in (("Dominique", WELL), ("Camille", {**WELL, "ad.levres": [True]})):
        page.get_by_role("button", name="Répondre de nouveau").click()
        answer_at_once(page, whose, answers)
    see(page, "Appelez le 15 immédiatement")
    see(page, "3 réponses attendent le réseau")
    page.evaluate(
        "() => { IDBObjectStore.prototype.put = () => { throw new DOMException('', 'QuotaExceededError'); }; }"
    )
    page.get_by_role("button", name="Répondre de nouveau").click()
    answer_at_once(page, "Dominique", {**WELL, "ad.levres": [True]})
    see(page, "Appelez le 15 immédiatement")
    see(page, "Vos réponses n’ont pas été gardées")
    expect(page.get_by_text("Personne n’a encore lu vos réponses")).to_be_hidden()
    screens("follow-up-offline-full", page, full=True, widths=(320,))
    page.context.set_offline(False)
    see(page, "Des réponses données pour une autre personne attendent")
    assert [one.about for one in Response.objects.all()] == [his.follow_up.pk]
    page.context.add_cookies(site.cookies_of(hers.grant))
    page.goto(site.base + SPACE)
    page.wait_for_url("**/consigne/")
    see(page, "Appelez le 15 immédiatement")
    assert list(
        Response.objects.filter(about=hers.follow_up.pk).order_by("ended_at").values_list("judgement__level", flat=True)
    ) == ["vert", "rouge"]
    two_tabs_are_two_sendings(page, site.base + SPACE + "repondre/")
    page.wait_for_selector("html[data-offline-ready]")
    page.context.set_offline(True)
    page.goto(site.base + SPACE + "hors-ligne/")
    page.get_by_role("button", name="Répondre sans réseau").click()
    answer_at_once(page, "Camille", WELL)
    page.goto("about:blank")
    Grant.objects.filter(pk=hers.grant.pk).update(revoked_at=timezone.now())
    page.context.set_offline(False)
    page.goto(site.base + SPACE)
    see(page, "Votre accès à ce suivi est terminé : elles n’ont pas pu être envoyées.")
    page.get_by_role("button", name="J’ai compris").click()
    page.goto(site.base + SPACE)
    page.get_by_role("heading", name="Votre suivi sans réseau").wait_for(state="detached")
    assert Response.objects.count() == 3
