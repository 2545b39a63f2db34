"""The space of a patient followed at home: /p/suivi/."""

from django.urls import path

from relais.telemonitoring.views import circle, offline, space

app_name = "follow_up_space"
urlpatterns = [
    path("", space.home, name="home"),
    path("repondre/", space.answer, name="answer"),
    path("consigne/", space.instruction, name="instruction"),
    path("arreter/", space.stop, name="stop"),
    path("acces/", circle.readers, name="readers"),
    path("acces/ajouter/", circle.add_by_patient, name="add_reader"),
    path("acces/<uuid:link_id>/retirer/", circle.remove_by_patient, name="remove_reader"),
    path("envoyer/", offline.send, name="send"),
    path("etat/", offline.state, name="state"),
    path("hors-ligne.js", offline.worker, name="worker"),
    path("hors-ligne/", offline.shell, name="shell"),
    path("hors-ligne/<slug:name>/<str:version>/<slug:voice>/", offline.form, name="form"),
]
