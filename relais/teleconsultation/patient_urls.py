"""The patient space: /p/rendez-vous/."""

from django.urls import path

from relais.teleconsultation.views import space

app_name = "space"
urlpatterns = [
    path("", space.home, name="home"),
    path("documents/", space.documents, name="documents"),
    path("documents/<uuid:document_id>/", space.document, name="document"),
    path("test/", space.test, name="test"),
    path("rejoindre/", space.join, name="join"),
    path("acces/", space.readers, name="readers"),
]
