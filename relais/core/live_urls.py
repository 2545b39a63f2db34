"""Live streams: of professionals, and of patients under /live/p/."""

from django.urls import path

from relais.core import streams

app_name = "live"
urlpatterns = [
    path("stream", streams.stream, name="stream"),
    path("check", streams.check, name="check"),
    path("p/stream", streams.stream, name="patient_stream"),
    path("p/check", streams.check, name="patient_check"),
]
