"""Addresses of teleconsultation."""

from django.urls import URLPattern

app_name = "teleconsultation"
urlpatterns: list[URLPattern] = []
