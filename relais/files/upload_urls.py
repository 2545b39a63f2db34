"""Under /upload/, which config/asgi.py serves async: `/upload/p/` acts for a patient's grant, never for a session."""

from django.urls import path

from relais.files import views

app_name = "upload"
urlpatterns = [
    path("", views.upload, name="professional"),
    path("p/", views.patient_upload, name="patient"),
]
