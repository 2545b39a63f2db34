"""Every write of patients, by noun: identities, care links, grants, the door (what a patient does there)."""

from relais.patients.actions.care import end_care, end_link, grant_care
from relais.patients.actions.door import (
    ask_lost_link,
    check_device_code,
    check_secrets,
    forget_devices,
    needs_code,
    remember_device,
    send_device_code,
)
from relais.patients.actions.grants import (
    Password,
    extend,
    new_password,
    open_grant,
    renew_secrets,
    revoke,
    revoke_grant,
)
from relais.patients.actions.identities import (
    Traits,
    claim,
    correct_traits,
    create_patient,
    record_death,
    retrieve_ins,
    withdraw_death,
)
from relais.patients.actions.many import (
    Person,
    WayIn,
    create_patients,
    end_care_of,
    grant_care_to,
    has_no_secret,
    open_grants,
)

__all__ = [
    "Password",
    "Person",
    "Traits",
    "WayIn",
    "ask_lost_link",
    "check_device_code",
    "check_secrets",
    "claim",
    "correct_traits",
    "create_patient",
    "create_patients",
    "end_care",
    "end_care_of",
    "end_link",
    "extend",
    "forget_devices",
    "grant_care",
    "grant_care_to",
    "has_no_secret",
    "needs_code",
    "new_password",
    "open_grant",
    "open_grants",
    "record_death",
    "remember_device",
    "renew_secrets",
    "retrieve_ins",
    "revoke",
    "revoke_grant",
    "send_device_code",
    "withdraw_death",
]
