"""Addresses of the directory."""

from django.urls import path

from relais.directory import views

app_name = "directory"
urlpatterns = [
    path("", views.services, name="services"),
    path("ajouter/", views.add, name="add_service"),
    path("<uuid:service_id>/", views.service, name="service"),
    path("<uuid:service_id>/modifier/", views.change, name="change_service"),
    path("<uuid:service_id>/fermer/", views.close, name="close_service"),
    path("<uuid:service_id>/rouvrir/", views.reopen, name="open_service"),
]
