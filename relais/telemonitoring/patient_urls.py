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
]
