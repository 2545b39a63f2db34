"""Guides: step by step, for people in a hurry (TC-63)."""

from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from relais.core.access import public
from relais.portal import queries


@dataclass(frozen=True)
class Guide:
    """A guide: its text is the template `portal/guides/<slug>.html`."""

    slug: str
    title: str | Promise
    lead: str | Promise
    icon: str
    for_patients: bool


GUIDES = [
    Guide(
        "consultation-video",
        _("Ma consultation vidéo, pas à pas"),
        _("Du message reçu jusqu’à l’ordonnance, sur un téléphone."),
        "device-mobile",
        for_patients=True,
    ),
    Guide(
        "tester-mon-materiel",
        _("Tester mon matériel"),
        _("Trois minutes, la veille si possible."),
        "microphone",
        for_patients=True,
    ),
    Guide(
        "en-cas-de-probleme",
        _("En cas de problème"),
        _("Caméra, micro, son, connexion : que faire sur votre appareil."),
        "tool",
        for_patients=True,
    ),
    Guide(
        "suivi-a-domicile",
        _("Mon suivi à domicile"),
        _("Répondre chaque jour, lire la consigne, et sans réseau."),
        "clipboard-text",
        for_patients=True,
    ),
    Guide(
        "connexion",
        _("Se connecter"),
        _("Invitation, mot de passe, second facteur, appareils."),
        "key",
        for_patients=False,
    ),
    Guide(
        "professionnel",
        _("Consulter par vidéo"),
        _("Réserver, préparer, appeler, rendre compte, prescrire, clôturer."),
        "stethoscope",
        for_patients=False,
    ),
    Guide(
        "soignant",
        _("Accompagner un patient"),
        _("Pour les soignants d’un EHPAD ou d’un autre établissement, au chevet du patient."),
        "heart-handshake",
        for_patients=False,
    ),
    Guide(
        "cellule",
        _("Suivre des patients à domicile"),
        _("Pour les membres d’une cellule : inclure, appeler, faire la relève, passer un patient."),
        "home-heart",
        for_patients=False,
    ),
    Guide(
        "expertise",
        _("Demander et rendre un avis"),
        _("Télé-expertise : pour qui demande, et pour l’expert qui répond."),
        "message-question",
        for_patients=False,
    ),
    Guide(
        "ehpad",
        _("Demander un avis depuis un EHPAD"),
        _("Constantes, demande à l’astreinte, avis et suites, de jour comme de nuit."),
        "nurse",
        for_patients=False,
    ),
    Guide(
        "medecin-astreinte",
        _("Répondre aux EHPAD"),
        _("Pour le médecin d’astreinte ou de garde : prendre, décider, passer, faire la relève."),
        "clipboard-heart",
        for_patients=False,
    ),
    Guide(
        "samu",
        _("Réguler avec les EHPAD"),
        _("Pour le SAMU : demandes graves, salles, décisions, demandes que personne n’a."),
        "ambulance",
        for_patients=False,
    ),
    Guide(
        "secretariat",
        _("Tenir l’agenda"),
        _("Horaires, rendez-vous, messages qui ne partent pas."),
        "calendar",
        for_patients=False,
    ),
    Guide(
        "responsable",
        _("Gérer son établissement"),
        _("Membres, rôles, départs, traces."),
        "users",
        for_patients=False,
    ),
    Guide(
        "astreintes",
        _("Tenir un planning d’astreinte"),
        _("Pour les référents : équipe, créneaux, import, absences, remplacements."),
        "calendar-time",
        for_patients=False,
    ),
    Guide(
        "regles-alerte",
        _("Régler les alertes du suivi à domicile"),
        _("Pour les médecins d’une cellule : modifier, rejouer, publier, signer à deux."),
        "adjustments",
        for_patients=False,
    ),
    Guide(
        "salles-urgence",
        _("Rejoindre une salle en urgence"),
        _("Pour l’EHPAD, le SAMU, l’astreinte gériatrique et la garde de nuit : l’appel d’abord, la vidéo ensuite."),
        "door-enter",
        for_patients=False,
    ),
    Guide(
        "reunions",
        _("Se réunir entre professionnels"),
        _("Maintenant ou à une heure convenue, avec ou sans compte, sans patient."),
        "users-group",
        for_patients=False,
    ),
    Guide(
        "agent-support",
        _("Répondre aux demandes d’aide"),
        _("Pour les agents du support."),
        "lifebuoy",
        for_patients=False,
    ),
]
BY_SLUG = {guide.slug: guide for guide in GUIDES}


@public
@require_GET
def guides(request: HttpRequest) -> HttpResponse:
    context = {
        "patients": [guide for guide in GUIDES if guide.for_patients],
        "professionals": [guide for guide in GUIDES if not guide.for_patients],
    }
    return render(request, "portal/guides.html", context)


@public
@require_GET
def guide(request: HttpRequest, slug: str) -> HttpResponse:
    found = BY_SLUG.get(slug)
    if found is None:
        raise Http404
    others = [other for other in GUIDES if other.for_patients == found.for_patients and other != found]
    return render(
        request,
        f"portal/guides/{slug}.html",
        {"guide": found, "others": others, "support": queries.support()},
    )
