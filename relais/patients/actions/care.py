"""Who cares for a patient: the links that let professionals and establishments see an identity."""

from datetime import datetime
from uuid import UUID

from django.utils import timezone

from relais.audit import actions as audit
from relais.core.actor import Actor
from relais.core.transactions import whole
from relais.patients.models import Basis, CareLink, Patient


@whole
def grant_care(
    *,
    actor: Actor,
    patient: Patient,
    basis: str = Basis.EPISODE,
    about: UUID | None,
    establishment_id: UUID | None = None,
    user_id: UUID | None = None,
    service_id: UUID | None = None,
    until: datetime | None = None,
) -> CareLink:
    """Let an establishment, a professional or a service see this patient because of `about`. The workflow that calls has checked why.

    Once per holder, basis and `about`: granting again changes `until` (None: without end) and reopens an ended link.
    """
    link, new = CareLink.objects.update_or_create(
        patient=patient,
        establishment_id=establishment_id,
        user_id=user_id,
        service_id=service_id,
        basis=basis,
        about=about,
        defaults={"until": until},
    )
    if new:
        audit.record(actor=actor, action="care.grant", about=about, patient_id=patient.pk, why=f"{basis}")
    return link


@whole
def end_care(
    *,
    actor: Actor,
    about: UUID,
    establishment_id: UUID | None = None,
    user_id: UUID | None = None,
    service_id: UUID | None = None,
) -> int:
    """End at once what `about` opened (to everyone, or to this establishment, professional or service); returns how many
    links."""
    now = timezone.now()
    links = CareLink.objects.live().filter(about=about)
    if establishment_id:
        links = links.filter(establishment_id=establishment_id)
    if user_id:
        links = links.filter(user_id=user_id)
    if service_id:
        links = links.filter(service_id=service_id)
    ended = links.values_list("patient_id", flat=True)
    patients = set(ended)
    count = links.update(until=now)
    for patient_id in sorted(patients):
        audit.record(actor=actor, action="care.end", about=about, patient_id=patient_id)
    return count


@whole
def end_link(*, actor: Actor, link: CareLink) -> None:
    """End one link at once. The workflow that calls has checked why."""
    link.until = timezone.now()
    link.save(update_fields=["until"])
    audit.record(actor=actor, action="care.end", about=link.about, patient_id=link.patient_id)
