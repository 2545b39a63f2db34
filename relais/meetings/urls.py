"""Addresses of rooms and meetings, for professionals."""

from django.urls import path

from relais.meetings.views import meetings, places

app_name = "meetings"
urlpatterns = [
    path("salles-esms/", places.places, name="places"),
    path("salles-esms/alerte", places.alerts, name="alerts"),
    path("salles-esms/<uuid:owner_id>/", places.place, name="place"),
    path("salles-esms/<uuid:owner_id>/entrer", places.enter, name="enter"),
    path("salles-esms/<uuid:owner_id>/passages", places.stays, name="stays"),
    path("reunions/", meetings.meetings, name="meetings"),
    path("reunions/nouvelle", meetings.plan, name="plan"),
    path("reunions/<uuid:meeting_id>/", meetings.meeting, name="meeting"),
    path("reunions/<uuid:meeting_id>/inviter", meetings.invite, name="invite"),
    path("reunions/<uuid:meeting_id>/lien", meetings.renew_link, name="renew_link"),
    path("reunions/<uuid:meeting_id>/entrer", meetings.join, name="join"),
    path("reunions/<uuid:meeting_id>/appel", meetings.call, name="call"),
    path("reunions/<uuid:meeting_id>/annuler", meetings.cancel, name="cancel"),
    path("reunions/<uuid:meeting_id>/terminer", meetings.end, name="end"),
]
