"""How a follow-up presents itself to `dossiers`."""

from relais.dossiers.registry import Kind
from relais.telemonitoring.permissions import can_read
from relais.telemonitoring.workflow import PHASES

KIND = Kind(
    key="telemonitoring",
    label="Suivi à domicile",
    prefix="EC",
    may_read=can_read,
    url_name="telemonitoring:follow_up",
    phases={str(state): phase for state, phase in PHASES.items()},
)
