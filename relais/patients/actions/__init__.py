"""Every write of patients, by noun: identities, care links, grants, entry (what a patient does at the door)."""

from relais.patients.actions.care import end_care, grant_care
from relais.patients.actions.grants import extend, open_grant, renew_secrets, revoke, revoke_grant
from relais.patients.actions.identities import Traits, claim, correct_traits, create_patient, retrieve_ins

__all__ = [
    "Traits",
    "claim",
    "correct_traits",
    "create_patient",
    "end_care",
    "extend",
    "grant_care",
    "open_grant",
    "renew_secrets",
    "retrieve_ins",
    "revoke",
    "revoke_grant",
]
