"""The space of a patient followed at home: /p/suivi/."""

from django.urls import path

from relais.telemonitoring.views import offline, space

app_name = "follow_up_space"
urlpatterns = [
    path("", space.home, name="home"),
    path("repondre/", space.answer, name="answer"),
    path("consigne/", space.instruction, name="instruction"),
    path("arreter/", space.stop, name="stop"),
    path("acces/", space.readers, name="readers"),
    path("envoyer/", offline.send, name="send"),
    path("etat/", offline.state, name="state"),
    path("hors-ligne.js", offline.worker, name="worker"),
    path("hors-ligne/", offline.shell, name="shell"),
    path("hors-ligne/<slug:name>/<str:version>/<slug:voice>/", offline.form, name="form"),
]
