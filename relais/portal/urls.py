"""Addresses of portal: home, help, guides, and the demo page."""

from django.urls import path

from relais.portal.views import asking, demo, desk, guides, home

app_name = "portal"
urlpatterns = [
    path("", home.home, name="home"),
    path("bienvenue/", home.welcome, name="welcome"),
    path("accessibilite/", home.accessibility, name="accessibility"),
    path("mentions-legales/", home.legal, name="legal"),
    path("aide/", asking.ask, name="help"),
    path("aide/suivi/", asking.follow, name="follow"),
    path("aide/demandes/", asking.tickets, name="tickets"),
    path("aide/demandes/<uuid:ticket_id>/", asking.ticket, name="ticket"),
    path("aide/demandes/<uuid:ticket_id>/resolue/", asking.close, name="close"),
    path("aide/demandes/<uuid:ticket_id>/rouvrir/", asking.reopen, name="reopen"),
    path("p/aide/", asking.patient_ask, name="patient_help"),
    path("p/aide/<uuid:ticket_id>/", asking.patient_ticket, name="patient_ticket"),
    path("p/aide/<uuid:ticket_id>/resolue/", asking.patient_close, name="patient_close"),
    path("support/", desk.desk, name="desk"),
    path("guides/", guides.guides, name="guides"),
    path("guides/<slug:slug>/", guides.guide, name="guide"),
    path("demo/", demo.demo, name="demo"),
    path("demo/cle/", demo.key, name="demo_key"),
    path("demo/messages/", demo.messages, name="demo_messages"),
    path("demo/ouvrir/patient/", demo.open_patient, name="demo_patient"),
    path("demo/ouvrir/<slug:persona>/", demo.open_as, name="demo_open"),
]
