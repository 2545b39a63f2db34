"""From a question with a series of DICOM images to a signed opinion that the requester reads, on both sides' screens."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from relais.accounts.testing import make_establishment, make_practitioner
from relais.expertise.models import Expertise, Opinion
from relais.expertise.testing import make_asked, make_pool
from relais.files.dicom import phantom
from relais.patients.testing import make_patient

pytestmark = pytest.mark.browser
GREYS = """canvas => {
  const copy = document.createElement("canvas");
  [copy.width, copy.height] = [canvas.width, canvas.height];
  copy.getContext("2d").drawImage(canvas, 0, 0);
  const pixels = copy.getContext("2d").getImageData(0, 0, copy.width, copy.height).data;
  const found = new Array(256).fill(0);
  for (let at = 0; at < pixels.length; at += 4) { found[pixels[at]] += 1; }
  return found;
}"""  # how many pixels of each grey a canvas shows


def fits(page: Any) -> bool:
    """Nothing scrolls sideways on a telephone."""
    page.set_viewport_size({"width": 320, "height": 640})
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    page.set_viewport_size({"width": 1280, "height": 900})
    return bool(wide <= 0)


def look_at_the_scan(doctor: Any, screens: Callable[..., None]) -> None:
    """Over the page: the images in their order, through another window, measured, put away.

    While an image comes, none of another stays under its number.
    """
    late: list[Any] = []
    images = re.compile(r"\?images=[\d.]+-")  # those around the first one
    doctor.route(images, lambda route: late.append(route))
    doctor.get_by_role("link", name="Scanner de ce matin").click()
    look = doctor.frame_locator(".look-over iframe")
    canvas = look.locator("canvas")
    expect(canvas).to_have_attribute("data-shown", "4")  # the middle one
    canvas.press("End")
    expect(look.get_by_text("6 / 6", exact=True)).to_be_visible()
    expect(look.get_by_text("Chargement…").first).to_be_visible()
    expect(canvas).not_to_have_attribute("data-shown", re.compile("."))
    expect(look.locator("[data-corner=place]")).to_have_text("")
    assert canvas.evaluate(GREYS)[1:] == [0] * 255, "nothing is shown"
    late[0].continue_()
    expect(canvas).to_have_attribute("data-shown", "6")
    expect(look.get_by_text("Image 6 / 6")).to_be_visible()
    canvas.press("ArrowUp")
    canvas.press("ArrowUp")
    expect(canvas).to_have_attribute("data-shown", "4")
    assert len(late) == 1, "one request at a time"
    doctor.unroute(images)
    expect(look.get_by_text("ZOLA JEANNE DEMO")).to_be_visible()
    expect(look.get_by_text("Image 4 / 6")).to_be_visible()
    expect(look.get_by_text("Ce n’est peut-être pas le bon patient.")).to_be_hidden()
    brain = canvas.evaluate(GREYS)
    assert sum(1 for count in brain if count > 20) > 50, "a head, not a blank"
    look.get_by_label("Fenêtre", exact=True).select_option(label="Os")
    expect(look.get_by_text("Fenêtre 500 / 2000")).to_be_visible()
    assert canvas.evaluate(GREYS) != brain
    canvas.press("ArrowDown")
    expect(canvas).to_have_attribute("data-shown", "5")
    look.get_by_label("Fenêtre", exact=True).select_option(label="Fenêtre d’origine")
    look.get_by_role("button", name="Mesurer").click()
    box = canvas.bounding_box()
    doctor.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] / 2)
    doctor.mouse.down()
    doctor.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] / 2, steps=3)
    doctor.mouse.up()
    screens("expertise-dicom", doctor)
    look.get_by_role("link", name="Fermer").click()
    expect(doctor.locator(".look-over")).to_have_count(0)


@pytest.mark.req("TE-01", "TE-05", "TE-07", "TC-03")
def test_a_question_with_an_image_gets_a_signed_opinion(
    site: Any, page_of: Callable[..., Any], axe: Callable[..., Any], screens: Callable[..., None]
) -> None:
    asker = make_practitioner(make_establishment("EHPAD des Lilas"), family_name="Aubry")
    expert = make_practitioner(make_establishment("CHU des Ormes"), family_name="Savin", specialty="Neurologie")
    service = make_pool(expert, name="Avis de neurologie", specialty="Neurologie")
    patient = make_patient("Zola", "Jeanne", seen_by=asker.establishment)
    make_asked(expert=expert, service=service, urgency="immediate")
    page = page_of(asker, f"/expertise/nouvelle/?patient={patient.pk}")
    screens("expertise-start", page)
    page.get_by_role("button", name="Commencer la demande").click()
    page.get_by_label("Un document").set_input_files(
        {"name": "scanner.zip", "mimeType": "application/zip", "buffer": phantom.series(of=6, name="ZOLA^JEANNE")}
    )
    page.get_by_label("Titre").fill("Scanner de ce matin")
    page.get_by_role("button", name="Ajouter ce document").click()
    page.get_by_text("Scanner de ce matin").first.wait_for()
    page.get_by_label("Spécialité, service ou lieu").fill("neuro")
    page.get_by_label("Avis de neurologie").check()
    page.get_by_label("Urgente : réponse en 2 heures").check()
    page.get_by_label("Interprétation d’un examen").check()
    page.get_by_label("Question posée à l’expert").fill("Ce scanner montre-t-il un hématome ?")
    page.get_by_label("EHPAD", exact=True).check()
    page.get_by_label("Histoire de la maladie").fill("Chute hier soir.")
    page.get_by_label("Allergies").fill("aucune connue")
    page.get_by_role("radio", name="Oui", exact=True).check()
    page.get_by_label("Téléphone direct du requérant").fill("01 99 00 00 01")
    page.get_by_text("Brouillon enregistré").first.wait_for()
    assert (axe(page), fits(page)) == ([], True)
    screens("expertise-draft", page, full=True)
    page.get_by_role("button", name="Envoyer la demande").click()
    page.get_by_text("Demande envoyée à Avis de neurologie").first.wait_for()

    doctor = page_of(expert, "/expertise/", width=1280, height=900)
    assert (axe(doctor), fits(doctor)) == ([], True)
    screens("expertise-worklist", doctor, full=True)
    doctor.get_by_role("link", name="ZOLA Jeanne").click()
    doctor.get_by_role("button", name="Prendre en charge").click()
    doctor.get_by_role("link", name="Scanner de ce matin").wait_for()
    assert (axe(doctor), fits(doctor)) == ([], True)
    screens("expertise-request", doctor, full=True)
    look_at_the_scan(doctor, screens)
    doctor.get_by_role("link", name="Rendre l’avis").first.click()
    doctor.get_by_label("Texte recommandé").select_option(label="Maintien sur place avec surveillance")
    doctor.get_by_role("button", name="Insérer").click()
    assert "Surveillance clinique" in doctor.get_by_label("Conduite à tenir").input_value()
    doctor.get_by_label("Conclusion").fill("Pas d’hématome visible.")
    assert (axe(doctor), fits(doctor)) == ([], True)
    screens("expertise-opinion", doctor)
    doctor.get_by_role("button", name="Signer et envoyer l’avis").click()
    doctor.get_by_text("Avis signé.").first.wait_for()

    page.get_by_text("Pas d’hématome visible.").first.wait_for()  # by itself, on the page that was left open
    assert (axe(page), fits(page)) == ([], True)
    expect(page.locator("#request-live").get_by_text("Avis rendu").first, "the state follows by itself").to_be_visible()
    screens("expertise-answered", page, full=True)
    assert Opinion.objects.get().digest in page.content()
    assert Expertise.objects.get(dossier__patient=patient).state == "repondue"
