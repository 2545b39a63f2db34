"""The ways in of patients: their pages live under /p/."""

from django.urls import path

from relais.patients.views import door

app_name = "patient"
urlpatterns = [
    path("", door.start, name="start"),
    path("lien-perdu/", door.lost, name="lost"),
    path("lien-perdu/envoye/", door.sent, name="sent"),
    path("quitter/", door.leave, name="leave"),
    path("<uuid:grant_id>/", door.enter, name="entry"),
    path("<uuid:grant_id>/code/", door.code, name="code"),
]
