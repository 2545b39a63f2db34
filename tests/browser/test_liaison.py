"""A nurse asks, the doctor's telephone rings, the decision comes back: two real browsers."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from relais.core.testing.browser import until
from relais.liaison.actions import notes
from relais.liaison.models import HandOver, Request, Seen
from relais.liaison.testing import answers, make_dlu, make_home, make_request, make_transfer, taken
from relais.patients.testing import make_patient
from tests.browser.journey import CHIMES

pytestmark = pytest.mark.browser
BUZZ = """window.buzzes = 0; navigator.vibrate = () => { window.buzzes += 1; return true; };
Object.defineProperty(navigator, "userActivation", { value: { hasBeenActive: true } });"""

STORES = """() => {{
  window.realPut = window.realPut || IDBObjectStore.prototype.put;
  IDBObjectStore.prototype.put = {works} ? window.realPut : () => {{ throw new Error("full"); }};
}}"""
KINDS = """async () => {
  const { storeOf } = await import("/static/core/offline/store.js");
  const store = storeOf("relais-liaison", "/liaison/");
  const found = await Promise.all(["card", "draft", "queued"].map((kind) => store.all(kind)));
  return [].concat(...found).map((record) => record.kind);
}"""
# What the draft that this tablet keeps says of the SpO2; a change is kept a moment after it is typed.
DRAFTED = """async () => {
  const { drafts, lastCard } = await import("/static/liaison/held.js");
  const [writing] = await drafts(await lastCard());
  return String((writing && writing.answers["fg.spo2"]) || "");
}"""
# The page no longer waits for a pause in typing; what leaves when it is put away is all that is kept.
NO_PAUSE = """() => {
  const real = window.setTimeout;
  window.setTimeout = (call, time) => ([400, 1500].includes(time) ? 0 : real(call, time));
}"""
PUT_AWAY = """() => {
  Object.defineProperty(document, "visibilityState", { value: "hidden", configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
  delete document.visibilityState;
}"""
# The tablet was two days late when it met the server, and is put right now; what is over goes.
CLOCK_PUT_RIGHT = """async () => {
  const { drafts, expire, keepCard, keepDraft, lastCard } = await import("/static/liaison/held.js");
  const card = await lastCard();
  const [writing] = await drafts(card);
  const real = Date.now;
  const late = 2 * 24 * 3600 * 1000;
  Date.now = () => real() - late;
  await keepDraft(Object.assign({}, card, { ahead: -late }), writing);
  Date.now = real;
  await expire(0);
  await expire(real());
}"""
# What leaves while the page sends files itself, and once it has taken too long.
SENDS_WITH_FILES = """async () => {
  const { enqueue, lastCard, store } = await import("/static/liaison/held.js");
  const { hold, send } = await import("/static/liaison/queue.js");
  const card = await lastCard();
  const request = "00000000-0000-4000-8000-000000000001";
  const writing = { patient: card.residents[0].id, who: "", answers: {}, started: new Date().toISOString(), files: true };
  const tried = [];
  const real = window.fetch;
  window.fetch = (url, options) => {
    if (String(url).indexOf("/envoyer/") < 0) {
      return real(url, options);
    }
    tried.push(url);
    return Promise.resolve(new Response(JSON.stringify({ said: "x", url: "/", again: false, files: false })));
  };
  const counts = [];
  for (const time of [60000, 0]) {
    hold(request, time);
    await enqueue(card, writing, "1.0.0", { request });
    await send(document.querySelector("div[data-waiting]").dataset);
    counts.push(tried.length);
  }
  window.fetch = real;
  return counts;
}"""
REFUSED = """async () => {
  const { enqueue, lastCard, settle, store } = await import("/static/liaison/held.js");
  const card = await lastCard();
  const { id, name } = card.residents[0];
  await enqueue(card, { patient: id, who: name, answers: {}, started: new Date().toISOString() }, "1.0.0", null);
  await settle((await store.all("queued"))[0], "Déjà partie.");
}"""


def fill(page: Any, given: dict[str, list[Any]]) -> None:
    """Answer the questions of the form as a nurse does."""
    for name, values in given.items():
        for value in values:
            box = page.locator(f'[name="q-{name}"]')
            kind = box.first.evaluate("box => box.type")
            if kind in ("radio", "checkbox"):
                said = "true" if value is True else "false" if value is False else value
                page.locator(f'[name="q-{name}"][value="{said}"]').check(force=True)
            else:
                box.fill(str(value).replace(".", ",") if isinstance(value, float) else str(value))


@pytest.mark.req("FG-01", "FG-08", "FG-10")
def test_a_nurse_asks_the_doctors_telephone_rings_and_the_decision_comes_back(
    site: Any, page_of: Callable[..., Any], screens: Callable[..., None]
) -> None:
    """Nobody reloads. « Appelez le 15 » stands as soon as the signs say so; what is typed is kept."""
    scene = make_home(name="EHPAD des Sorbiers")
    doctor = page_of(scene.doctor, "/liaison/", width=320, height=640, scripts=(CHIMES, BUZZ))
    doctor.get_by_text("Aucune demande en cours").first.wait_for()
    elsewhere = page_of(scene.doctor, "/annuaire/", scripts=(CHIMES, BUZZ))
    nurse = page_of(scene.nurse, "/liaison/")
    screens("liaison-residents", nurse)
    nurse.get_by_role("button", name="Demander un avis").click()
    nurse.get_by_role("heading", name="Demander un avis pour").wait_for()
    given = answers(urgence="urgente", spo2=84, motif="dyspnee")
    fill(nurse, {name: given[name] for name in ("fg.fr", "fg.spo2", "fg.pas", "fg.conscience")})
    nurse.get_by_text("SpO2 sous 85 %").first.wait_for()
    nurse.get_by_text("Enregistré à").first.wait_for()
    nurse.reload()
    expect(nurse.locator('[name="q-fg.spo2"]')).to_have_value("84")
    fill(nurse, given)
    expect(nurse.get_by_role("button", name="Envoyer maintenant en urgence vitale")).to_be_visible()
    screens("liaison-fill", nurse)
    nurse.get_by_role("button", name="Envoyer la demande").click()
    nurse.get_by_text("Un message part à").first.wait_for()
    doctor.get_by_role("button", name="Prendre en charge").wait_for(timeout=20_000)
    bell = ".topbar a:has-text('Moins d’1 h, ')"
    elsewhere.locator(bell).wait_for(timeout=20_000)
    expect(doctor.locator(bell)).to_have_count(0)  # its own list rings
    for page in (doctor, elsewhere):
        page.wait_for_function("() => window.chimes.length > 0 && window.buzzes > 0")
        assert page.evaluate("window.chimes.length") == 1
    screens("liaison-bell", elsewhere)
    screens("liaison-list", doctor)
    doctor.get_by_role("button", name="Prendre en charge").click()
    doctor.get_by_role("link", name="Rendre l’avis").click()
    doctor.get_by_label("Décision").select_option("maintien-o2")
    doctor.get_by_label("Niveau de soins").select_option("pas-de-rea")
    doctor.get_by_label("Pourquoi").fill("Désaturation sous antibiotique, oxygène possible sur place.")
    doctor.get_by_label("Famille prévenue").select_option("oui")
    doctor.get_by_label("Prochaine évaluation").select_option("4")
    screens("liaison-decide", doctor)
    doctor.get_by_role("button", name="Rendre l’avis").click()
    nurse.get_by_text("Maintien en EHPAD avec oxygène").first.wait_for(timeout=20_000)
    screens("liaison-request-home", nurse)
    assert Request.objects.get().state == "a-reevaluer"
    doctor.get_by_role("button", name="Ouvrir la visio").click()
    doctor.locator("[data-choose=both]").click()
    doctor.locator("[data-control=leave]").wait_for()
    make_request(scene, make_patient("Petit", "Lucien", seen_by=scene.home), urgence="vitale")
    doctor.locator(".call-trays").get_by_role("link", name="Vitale, ").wait_for()
    doctor.wait_for_function("() => window.chimes.length > 0")
    screens("liaison-bell-call", doctor)


@pytest.mark.req("D12")
def test_a_tablet_loses_its_network_in_the_middle_of_a_request_and_sends_it_by_itself_once(
    site: Any, page_of: Callable[..., Any], screens: Callable[..., None]
) -> None:
    """« Appelez le 15 » and the line to call without network; a page loaded again finds what was typed; signing out wipes."""
    scene = make_home(name="EHPAD des Sorbiers")
    doctor = page_of(scene.doctor, "/liaison/", scripts=(CHIMES, BUZZ))
    for number in range(12):
        make_patient(f"Résident{number}", "Paul", seen_by=scene.home)
    nurse = page_of(scene.nurse, "/liaison/residents/", width=768, height=1024)
    nurse.wait_for_selector("html[data-offline-ready]")
    nurse.get_by_role("row", name="VASSEUR").get_by_role("button", name="Demander un avis").click()
    nurse.locator("form[data-followed]").wait_for()
    given = answers(urgence="urgente", spo2=84, motif="dyspnee")
    fill(nurse, {"fg.fr": given["fg.fr"]})
    nurse.get_by_text("Enregistré à").wait_for()
    nurse.expected += ["ERR_INTERNET_DISCONNECTED", "Failed to load resource"]
    before = nurse.context.cookies()
    nurse.evaluate(STORES.format(works="false"))
    nurse.context.clear_cookies()
    fill(nurse, {"fg.pas": [104]})
    nurse.get_by_text("n’est plus enregistré. Gardez cette page ouverte et connectez-vous").wait_for()
    nurse.evaluate(STORES.format(works="true"))
    anew = [{**one, "value": "b" * 32} if "csrf" in one["name"] else one for one in before]
    nurse.context.add_cookies(anew)  # signed in again in another tab: the token of this page is of before
    fill(nurse, {"fg.pas": [105]})
    nurse.get_by_text("Enregistré à").wait_for()
    nurse.context.set_offline(True)
    nurse.get_by_text("Pas de réseau : pour un avis maintenant, téléphonez").wait_for()
    assert nurse.locator("[data-no-network] a").last.inner_text() == scene.service.phone
    expect(nurse.get_by_text("puis pressez le bouton d’envoi")).to_be_visible()
    fill(nurse, {"fg.spo2": given["fg.spo2"]})
    nurse.get_by_text("SpO2 sous 85 %").wait_for()
    nurse.get_by_text("gardé chiffré sur cette tablette").wait_for()
    screens("liaison-offline-fill", nurse, widths=(768,))
    until(nurse, f"async () => (await ({DRAFTED})()) === '84'")
    nurse.reload()
    nurse.get_by_role("heading", name="Liaison EHPAD sans réseau").wait_for()
    nurse.locator("form[data-followed]").wait_for()
    expect(nurse.locator('[name="q-fg.spo2"]')).to_have_value("84")
    nurse.get_by_text("SpO2 sous 85 %").wait_for()
    nurse.evaluate(NO_PAUSE)
    fill(nurse, {"fg.spo2": [85]})
    nurse.evaluate(PUT_AWAY)
    until(nurse, f"async () => (await ({DRAFTED})()) === '85'")  # its last key too
    nurse.reload()
    nurse.locator("form[data-followed]").wait_for()
    expect(nurse.locator('[name="q-fg.spo2"]')).to_have_value("85")
    nurse.evaluate(STORES.format(works="false"))
    fill(nurse, {"fg.pas": [101]})
    nurse.get_by_text("n’est pas encore enregistré. Gardez la page ouverte").wait_for()
    nurse.evaluate(STORES.format(works="true"))
    nurse.evaluate(CLOCK_PUT_RIGHT)
    assert nurse.evaluate(KINDS) == ["card", "draft"], "a draft outlives a clock that is put right"
    fill(nurse, {"fg.spo2": given["fg.spo2"]})
    expect(nurse.get_by_role("button", name="Envoyer dès que possible")).to_be_visible()
    nurse.get_by_role("button", name="Envoyer maintenant en urgence vitale").click()
    nurse.get_by_text("Personne ne l’a encore lue").wait_for()
    expect(nurse.get_by_text("Envoyez aussi la demande")).to_be_hidden()
    expect(nurse.get_by_text("puis pressez le bouton d’envoi")).to_be_hidden()
    expect(nurse.get_by_text("Abandonner ce brouillon").first).to_be_hidden()
    screens("liaison-offline-waiting", nurse, widths=(1280, 320))
    assert Request.objects.get().state == "brouillon"
    nurse.context.set_offline(False)
    nurse.get_by_text("Un message part à").first.wait_for()
    screens("liaison-offline-sent", nurse, widths=(320,))
    doctor.get_by_role("button", name="Prendre en charge").wait_for(timeout=20_000)
    sent = Request.objects.get()
    assert (sent.state, sent.red, sent.response.user_id) == ("soumise", True, scene.nurse.user_id)
    assert (sent.urgency, sent.motive, sent.response.answers["fg.spo2"]) == ("vitale", "", [84]), "in one tap"
    nurse.goto(f"{site.base}/liaison/hors-ligne/")
    box = nurse.get_by_label("Chercher un nom")
    box.fill("odette vass")
    expect(nurse.locator("[data-residents] li:visible")).to_have_count(1)
    box.fill("absente")
    nurse.get_by_text("Aucun résident de ce nom").wait_for()
    screens("liaison-offline-search", nurse, widths=(320,))
    assert nurse.evaluate(SENDS_WITH_FILES) == [0, 1], "the page that posts files sends no copy meanwhile"
    nurse.evaluate(REFUSED)
    nurse.goto(f"{site.base}/liaison/residents/")
    nurse.get_by_text("Déjà partie.").wait_for()
    nurse.get_by_role("button", name="Rouvrir la saisie").wait_for()
    signed_in = nurse.context.cookies()
    nurse.goto("about:blank")  # the page of residents would lead to the sign-in by itself, while another is opened
    nurse.context.clear_cookies()
    nurse.expected += ["401"]
    nurse.goto(f"{site.base}/liaison/hors-ligne/")
    nurse.get_by_text("la retrouve en se connectant ici").wait_for()
    assert "%name" not in nurse.locator("[data-list]").inner_text()
    expect(nurse.get_by_role("button", name="Rouvrir la saisie")).to_have_count(0)
    nurse.context.add_cookies(signed_in)
    nurse.goto(f"{site.base}/liaison/residents/")
    nurse.get_by_role("button", name="Rouvrir la saisie").click()
    nurse.locator("form[data-followed]").wait_for()
    nurse.goto(f"{site.base}/liaison/residents/")
    asked = []
    nurse.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.accept()))
    nurse.locator(".person-name").click()
    nurse.get_by_role("button", name="Se déconnecter").click()
    nurse.wait_for_url("**/connexion/**")
    assert ["n’est pas terminée" in one for one in asked] == [True], "an unfinished request is not wiped without asking"
    assert nurse.evaluate(KINDS) == []


@pytest.mark.req("FG-10", "D10")
def test_every_other_page_of_liaison_at_both_widths_and_a_hand_over_is_accepted(
    site: Any, page_of: Callable[..., Any], screens: Callable[..., None]
) -> None:
    """A hand-over late, a request that nobody has, notes of both sides, a DLU stale since the resident left."""
    scene = make_home(name="EHPAD des Sorbiers")
    for changes in ({}, {"allergies": ["Iode"]}):
        make_dlu(scene, **changes)
    demand = taken(scene)
    note = notes.write(actor=scene.nurse_actor, demand=demand, text="Elle désature à 86 %.", urgent=True)
    notes.write(actor=scene.doctor_actor, demand=demand, text="Passez à 3 L/min, rappelez-moi dans une heure.")
    orphan = make_request(scene, make_patient("Petit", "Lucien", seen_by=scene.home), urgence="urgente")
    Request.objects.filter(pk=orphan.pk).update(responsible=None, unowned_since=timezone.now())
    row = HandOver.objects.create(
        demand=demand, leaving=scene.doctor.user, service=scene.service, taking=scene.colleague.user,
        due_at=timezone.now() - timedelta(minutes=20), alarmed_at=timezone.now(), situation="Fièvre, 87 ans.",
        background="GIR 2, HTA.", assessment="SpO2 86 %.", recommendation="Réévaluer à 22 h.",
    )  # fmt: skip
    transfer = make_transfer(scene)
    for who, name, path in (
        (scene.doctor, "dlu", f"/liaison/residents/{scene.resident.pk}/dlu/"),
        (scene.nurse, "dlu-edit", f"/liaison/residents/{scene.resident.pk}/dlu/modifier/"),
        (scene.nurse, "transfer", f"/liaison/transferts/{transfer.pk}/"),
        (scene.colleague, "on-call", "/liaison/astreinte/"),
        (scene.colleague, "request", f"/liaison/{demand.pk}/"),
        (scene.doctor, "hand-over", f"/liaison/releves/{row.pk}/"),
        (scene.nurse, "home", "/liaison/residents/"),
        (scene.nurse, "sheet", f"/liaison/residents/{scene.resident.pk}/"),
        (scene.nurse, "amend", f"/liaison/notes/{note.pk}/corriger/"),
        (scene.nurse, "measure", f"/liaison/{demand.pk}/constantes/"),
    ):
        page = page_of(who, path)
        if name == "request":  # in front of somebody: its notes are read
            page.locator("#non-lus:not([data-read-when-seen])").wait_for(state="attached")
        screens(f"liaison-{name}", page)
    assert Seen.objects.filter(demand=demand, user=scene.colleague.user).exists()
    leaving = page_of(scene.doctor, f"/liaison/{demand.pk}/")
    leaving.get_by_text("garde cette demande jusqu’à ce que la relève soit acceptée").first.wait_for()
    coming = page_of(scene.colleague, "/liaison/astreinte/")
    row = coming.get_by_role("row").filter(has_text="Accepter la relève")
    row.get_by_role("link", name="VASSEUR Odette").click()
    coming.get_by_text("Réévaluer à 22 h.").first.wait_for()
    coming.get_by_role("button", name="Accepter la relève").click()
    coming.get_by_text("Relève acceptée : cette demande est à vous.").first.wait_for()
    expect(leaving.locator("#releve")).to_have_count(0)  # by itself
    expect(leaving.locator("#demande").get_by_text(scene.colleague.user.full_name).first).to_be_visible()
    assert Request.objects.get(pk=demand.pk).responsible == scene.colleague.user
