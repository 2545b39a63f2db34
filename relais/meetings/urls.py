"""Addresses of rooms and meetings, for professionals."""

from django.urls import path

from relais.meetings.views import places

app_name = "meetings"
urlpatterns = [
    path("", places.places, name="places"),
    path("alerte", places.alerts, name="alerts"),
    path("<uuid:owner_id>/", places.place, name="place"),
    path("<uuid:owner_id>/entrer", places.enter, name="enter"),
    path("<uuid:owner_id>/passages", places.stays, name="stays"),
]
