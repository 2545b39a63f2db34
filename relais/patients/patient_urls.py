"""The ways in of patients: their pages live under /p/."""

from django.urls import URLPattern

app_name = "patient"
urlpatterns: list[URLPattern] = []
