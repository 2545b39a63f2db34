"""Addresses of notifications."""

from django.urls import path

from relais.notifications import views

app_name = "notifications"
urlpatterns = [path("recus/", views.receipt, name="receipt")]
