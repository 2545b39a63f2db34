"""The door of meetings for guests without an account: /p/reunions/."""

from django.urls import path

from relais.meetings.views import guests

app_name = "meeting_guest"
urlpatterns = [
    path("appel/", guests.call, name="call"),
    path("<uuid:meeting_id>/", guests.door, name="door"),
]
