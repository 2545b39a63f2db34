"""The patient space: /p/rendez-vous/."""

from django.urls import path

from relais.teleconsultation.views import call, preparation, space

app_name = "space"
urlpatterns = [
    path("", space.home, name="home"),
    path("documents/", space.documents, name="documents"),
    path("documents/<uuid:document_id>/", space.document, name="document"),
    path("preparation/", preparation.prepare, name="preparation"),
    path("preparation/<uuid:file_id>/", preparation.own_file, name="preparation_file"),
    path("test/", space.test, name="test"),
    path("rejoindre/", call.patient_join, name="join"),
    path("appel/", call.patient_page, name="call"),
    path("acces/", space.readers, name="readers"),
]
