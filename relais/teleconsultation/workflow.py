"""States of a teleconsultation and the only ways between them (requirements A14.3, domain.md §2.2)."""

from django.db import models

from relais.core.workflow import Table, Transition
from relais.teleconsultation import permissions as may


class State(models.TextChoices):
    PLANNED = "planned", "Planifiée"
    IN_CALL = "in_call", "En cours"
    DONE = "done", "Réalisée"
    CLOSED = "closed", "Clôturée"
    CANCELLED = "cancelled", "Annulée"
    ABSENT_PATIENT = "absent_patient", "Patient absent"
    ABSENT_DOCTOR = "absent_doctor", "Médecin absent"
    INCIDENT = "incident", "Incident technique"


PHASES = {
    State.PLANNED: "open",
    State.IN_CALL: "open",
    State.DONE: "done",
    State.INCIDENT: "done",
    State.ABSENT_PATIENT: "done",
    State.ABSENT_DOCTOR: "done",
    State.CLOSED: "closed",
    State.CANCELLED: "cancelled",
}
AWAITED = (State.PLANNED, State.IN_CALL)
AFTER = (State.DONE, State.INCIDENT, State.ABSENT_PATIENT, State.ABSENT_DOCTOR)

TRANSITIONS: Table = {
    "join": Transition((State.PLANNED, State.IN_CALL), State.IN_CALL, may.can_join, "Rejoindre"),
    "finish": Transition((State.IN_CALL,), State.DONE, may.can_finish, "Terminer la téléconsultation"),
    "continue_by_phone": Transition(
        (State.PLANNED, State.IN_CALL), State.INCIDENT, may.can_finish, "Poursuivre par téléphone"
    ),
    "patient_absent": Transition(
        (State.PLANNED, State.IN_CALL), State.ABSENT_PATIENT, may.can_finish, "Patient absent"
    ),
    "doctor_absent": Transition((State.PLANNED,), State.ABSENT_DOCTOR, may.can_plan, "Médecin absent"),
    "cancel": Transition((State.PLANNED,), State.CANCELLED, may.can_plan, "Annuler le rendez-vous"),
    "died": Transition((State.PLANNED,), State.CANCELLED, may.only_system, "Annuler après un décès"),
    "reopen": Transition(
        (State.ABSENT_PATIENT, State.ABSENT_DOCTOR), State.PLANNED, may.can_finish, "Annuler l’absence"
    ),
    "close": Transition(AFTER, State.CLOSED, may.can_close, "Clôturer le dossier"),
}
