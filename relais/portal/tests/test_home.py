"""Home, guides and the pages that the law asks for."""

from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from relais.accounts.models import Role
from relais.accounts.testing import client_of, make_establishment, make_member, make_user
from relais.portal.templatetags import guides as tags
from relais.portal.views.guides import GUIDES

pytestmark = pytest.mark.django_db


@pytest.mark.req("TC-01", "MA-06")
@pytest.mark.parametrize("role", list(Role))
def test_home_greets_the_person_and_shows_their_services(role: str) -> None:
    member = make_member(make_establishment("Hôpital des Tilleuls"), role, family_name="Laurent", given_name="Camille")
    page = client_of(member).get("/").content.decode()
    assert "Camille Laurent" in page
    assert "Hôpital des Tilleuls" in page
    assert reverse("teleconsultation:dashboard") in page
    assert reverse("portal:help") in page
    assert reverse("portal:guides") in page
    assert reverse("portal:desk") not in page


def test_home_tells_an_agent_how_many_requests_wait() -> None:
    page = client_of(make_user(help_desk=True)).get("/").content.decode()
    assert "Aucune demande à traiter" in page
    assert reverse("portal:desk") in page


def test_home_counts_the_appointments_of_today_in_this_establishment_alone(settings: Any) -> None:
    context = client_of(make_member()).get("/").context
    assert (context["today"].planned, context["today"].running, context["today"].next_at) == (0, 0, None)


def test_without_demo_a_stranger_learns_what_relais_is_and_where_to_sign_in(client: Client, settings: Any) -> None:
    settings.DEMO = False
    page = client.get("/").content.decode()
    assert "Se connecter" in page
    assert "J’ai reçu un lien" in page
    assert "Accessibilité : non conforme" in page
    assert reverse("portal:legal") in page
    assert "15" in page


@pytest.mark.parametrize("name", ["welcome", "accessibility", "legal", "guides", "help", "follow"])
def test_public_pages_open_for_everybody(client: Client, name: str) -> None:
    assert client.get(reverse(f"portal:{name}")).status_code == 200
    assert client_of(make_member()).get(reverse(f"portal:{name}")).status_code == 200


def test_the_declaration_claims_nothing_that_was_not_audited(client: Client) -> None:
    page = client.get(reverse("portal:accessibility")).content.decode()
    assert "non conforme" in page
    assert "partiellement" not in page


@pytest.mark.req("TC-63")
@pytest.mark.parametrize("slug", [guide.slug for guide in GUIDES])
def test_every_guide_opens_for_everybody_and_leads_to_help(client: Client, slug: str) -> None:
    page = client.get(reverse("portal:guide", args=[slug])).content.decode()
    assert "09 70 09 52 80" in page
    assert "<img" not in page or "portal/guides/" in page


def test_each_role_of_the_nursing_homes_liaison_has_its_guide(client: Client) -> None:
    """The nursing home, the doctor on call, the SAMU, the expert, who keeps a rota: what their buttons say stands in it."""
    said = {
        "ehpad": (
            "Reprendre les constantes",
            "Envoyer dès que possible",
            "Le résident est parti",
            "Le résident est décédé",
            "Passer au SAMU",
        ),
        "medecin-astreinte": (
            "Prendre en charge",
            "Faire la demande d’un EHPAD",
            "Accepter la relève",
            "Rendre l’avis",
        ),
        "samu": (
            "Prendre en charge",
            "Reprendre cette demande",
            "Ouvrir la visio",
            "Ouvrir pour plus de quatre personnes",
            "Passer à un autre service",
        ),
        "expertise": ("Rendre l’avis", "Passer en visio", "Réorienter"),
        "astreintes": ("Ajouter un créneau", "Importer", "Demandes sans médecin"),
    }
    templates = (
        "".join(
            path.read_text()
            for name in ("liaison", "expertise", "oncall")
            for path in (settings.BASE_DIR / "relais" / name).rglob("*.html")
        )
        + (settings.BASE_DIR / "relais" / "liaison" / "apps.py").read_text()
    )
    for slug, buttons in said.items():
        page = client.get(reverse("portal:guide", args=[slug])).content.decode()
        for words in buttons:
            assert words in page, (slug, words)
            assert words in templates, "still the words of the screen"


def test_an_unknown_guide_is_not_found(client: Client) -> None:
    assert client.get("/guides/nulle-part/").status_code == 404


def test_a_picture_that_was_not_taken_leaves_no_trace(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tags, "FOLDER", tmp_path)
    assert tags.guide_figure("patient-appel", "Pendant l’appel") == ""
    (tmp_path / "patient-appel.png").write_bytes(b"picture")
    drawn = tags.guide_figure("patient-appel", "Pendant l’appel", "Les boutons sont en bas.")
    assert 'alt="Pendant l’appel"' in drawn
    assert "<figcaption>Les boutons sont en bas.</figcaption>" in drawn
