"""Rooms, as patients and guests reach them."""

from django.urls import URLPattern

app_name = "patient_rooms"
urlpatterns: list[URLPattern] = []
