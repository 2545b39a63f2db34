"""How a request presents itself to `dossiers`."""

from relais.dossiers.registry import Kind
from relais.liaison.permissions import can_read
from relais.liaison.workflow import PHASES

KIND = Kind(
    key="liaison",
    label="Liaison EHPAD",
    prefix="FG",
    may_read=can_read,
    url_name="liaison:request",
    phases={str(state): phase for state, phase in PHASES.items()},
)
