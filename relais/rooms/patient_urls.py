"""Rooms, as patients and guests reach them: the same addresses under /p/."""

from relais.rooms.urls import urlpatterns

app_name = "patient_rooms"
__all__ = ["app_name", "urlpatterns"]
