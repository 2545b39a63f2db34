"""This module's part of the demo region: appointments in every state, and the one that always starts now."""

from relais.teleconsultation.demo.appointments import build
from relais.teleconsultation.demo.now import appointment_now

__all__ = ["appointment_now", "build"]
