"""Every write of the outbox: queue, cancel, send again, note what became of a message; one-time codes."""

from relais.notifications.actions.codes import check_code, send_code
from relais.notifications.actions.outbox import cancel, draft, queue, queue_all, resend
from relais.notifications.actions.outcomes import bounced, receipt

__all__ = ["bounced", "cancel", "check_code", "draft", "queue", "queue_all", "receipt", "resend", "send_code"]
