"""Addresses of rooms, for professionals."""

from django.urls import URLPattern, path

from relais.rooms.views import call, people, relay, selftest

app_name = "rooms"
urlpatterns: list[URLPattern] = [
    path("presence", people.presence, name="presence"),
    path("test/", selftest.page, name="test"),
    path("test/serveurs", selftest.servers, name="test_servers"),
    path("test/mesure", selftest.sample, name="test_sample"),
    path("test/resultat", selftest.save, name="test_save"),
    path("test/rapport.txt", selftest.report, name="test_report"),
    path("<uuid:room_id>/", call.page, name="call"),
    path("<uuid:room_id>/etat", call.state, name="state"),
    path("<uuid:room_id>/entrer", call.join, name="join"),
    path("<uuid:room_id>/rester", call.stay, name="stay"),
    path("<uuid:room_id>/quitter", call.leave, name="leave"),
    path("<uuid:room_id>/signaux", call.signal, name="signal"),
    path("<uuid:room_id>/relais/envoyer", relay.publish, name="publish"),
    path("<uuid:room_id>/relais/recevoir", relay.receive, name="receive"),
    path("<uuid:room_id>/relais/repondre", relay.answer, name="answer_relay"),
    path("<uuid:room_id>/ecrire", call.say, name="say"),
    path("<uuid:room_id>/messages", call.read_lines, name="lines"),
    path("<uuid:room_id>/image/demander", call.ask, name="ask"),
    path("<uuid:room_id>/image/repondre", call.answer, name="answer"),
    path("<uuid:room_id>/personnes", people.read_people, name="people"),
    path("<uuid:room_id>/personnes/<uuid:invitation_id>/admettre", people.admit, name="admit"),
    path("<uuid:room_id>/personnes/<uuid:invitation_id>/retirer", people.revoke, name="revoke"),
]
