"""Scenes of rooms for tests."""

from dataclasses import dataclass

from relais.accounts.models import Membership
from relais.accounts.testing import make_establishment, make_member, make_practitioner
from relais.directory.models import Establishment, Kind, Service
from relais.directory.testing import make_service


@dataclass(frozen=True)
class Scene:
    """A nursing home with its nurse, a SAMU with its regulator, a hospital with an on-call, and somebody of nowhere."""

    home: Establishment
    nurse: Membership
    samu: Establishment
    regulator: Membership
    hospital: Establishment
    geriatrician: Membership
    on_call: Service
    stranger: Membership


def make_scene() -> Scene:
    home = make_establishment("EHPAD Les Mésanges", kind=Kind.EHPAD, department="93", city="Montreuil")
    samu = make_establishment("SAMU 93", kind=Kind.SAMU, department="93", city="Bobigny")
    hospital = make_establishment("Hôpital des Deux Rives", kind=Kind.HOSPITAL, department="93", city="Bobigny")
    return Scene(
        home=home,
        nurse=make_member(home, "caregiver", family_name="Petit", given_name="Inès"),
        samu=samu,
        regulator=make_practitioner(samu, family_name="Roche", given_name="Paul"),
        hospital=hospital,
        geriatrician=make_practitioner(hospital, family_name="Vasseur", given_name="Anne"),
        on_call=make_service(hospital, name="Astreinte gériatrique 93"),
        stranger=make_practitioner(make_establishment("Cabinet du Port", department="93"), family_name="Lointain"),
    )
