"""Every address of the site, module by module."""

from django.conf import settings
from django.urls import include, path

from relais.core import health, views_kit

urlpatterns = [
    path("health", health.view, name="health"),
    path("connexion/", include("relais.accounts.urls")),
    path("annuaire/", include("relais.directory.urls")),
    path("astreintes/", include("relais.oncall.urls")),
    path("patients/", include("relais.patients.urls")),
    path("p/", include("relais.patients.patient_urls")),
    path("salles/", include("relais.rooms.urls")),
    path("p/salles/", include("relais.rooms.patient_urls")),
    path("teleconsultation/", include("relais.teleconsultation.urls")),
    path("p/rendez-vous/", include("relais.teleconsultation.patient_urls")),
    path("suivi/", include("relais.telemonitoring.urls")),
    path("p/suivi/", include("relais.telemonitoring.patient_urls")),
    path("", include("relais.meetings.urls")),
    path("p/reunions/", include("relais.meetings.patient_urls")),
    path("liaison/", include("relais.liaison.urls")),
    path("expertise/", include("relais.expertise.urls")),
    path("messages/", include("relais.notifications.urls")),
    path("upload/", include("relais.files.upload_urls")),
    path("live/", include("relais.core.live_urls")),
    path("", include("relais.portal.urls")),
]
if settings.DEMO:
    urlpatterns += [  # for developers
        path("_kit/", views_kit.kit, name="kit"),  # every component on one page
        path("_kit/questionnaires/", include("relais.questionnaires.urls")),
    ]
