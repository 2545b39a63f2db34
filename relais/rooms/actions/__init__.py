"""Every write about rooms, by noun."""

from relais.rooms.actions.calls import answer_capture, ask_capture, join, leave_call, say, signal, stay
from relais.rooms.actions.device_tests import record_test
from relais.rooms.actions.pictures import keep_capture
from relais.rooms.actions.presence import be_present, beat, forget_heartbeats, leave, tell_absences, topics_of
from relais.rooms.actions.rooms import (
    admit,
    clear_room,
    dismiss,
    end_room,
    erase,
    forget,
    invite,
    open_room,
    reopen_room,
    revoke,
    uninvite,
)
from relais.rooms.actions.seats import answer_relay, keep_seat, receive, take_seat

__all__ = [
    "admit",
    "answer_capture",
    "answer_relay",
    "ask_capture",
    "be_present",
    "beat",
    "clear_room",
    "dismiss",
    "end_room",
    "erase",
    "forget",
    "forget_heartbeats",
    "invite",
    "join",
    "keep_capture",
    "keep_seat",
    "leave",
    "leave_call",
    "open_room",
    "receive",
    "record_test",
    "reopen_room",
    "revoke",
    "say",
    "signal",
    "stay",
    "take_seat",
    "tell_absences",
    "topics_of",
    "uninvite",
]
