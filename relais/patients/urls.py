"""Addresses of patients, for professionals."""

from django.urls import path

from relais.patients.views import identity, search

app_name = "patients"
urlpatterns = [
    path("", search.search, name="search"),
    path("nouveau/", identity.create, name="create"),
    path("retrouver/", identity.claim, name="claim"),
    path("<uuid:patient_id>/", identity.detail, name="detail"),
    path("<uuid:patient_id>/corriger/", identity.correct, name="correct"),
    path("<uuid:patient_id>/deces/", identity.death, name="death"),
    path("<uuid:patient_id>/deces/retirer/", identity.alive, name="alive"),
]
