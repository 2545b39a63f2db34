"""Addresses of the rotas."""

from django.urls import path

from relais.oncall.views import covers, importing, mine, pool, rota, slots

app_name = "oncall"
urlpatterns = [
    path("", mine.mine, name="mine"),
    path("mes-astreintes.ics", mine.calendar, name="calendar"),
    path("demandes/<uuid:replacement_id>/<slug:verb>/", mine.answer, name="answer"),
    path("creneaux/<uuid:slot_id>/", slots.slot, name="slot"),
    path("creneaux/<uuid:slot_id>/remplacement/", slots.ask, name="ask"),
    path("creneaux/<uuid:slot_id>/donner/", slots.give, name="give"),
    path("creneaux/<uuid:slot_id>/<slug:verb>/", slots.move, name="move"),
    path("modele-planning.csv", importing.model, name="import_model"),
    path("<uuid:service_id>/", rota.rota, name="rota"),
    path("<uuid:service_id>/ajouter/", slots.add, name="add"),
    path("<uuid:service_id>/importer/", importing.bring, name="import"),
    path("<uuid:service_id>/ehpad/", covers.covers, name="covers"),
    path("<uuid:service_id>/ehpad/<uuid:home_id>/retirer/", covers.detach, name="detach"),
    path("<uuid:service_id>/equipe/", pool.pool, name="pool"),
    path("<uuid:service_id>/equipe/<uuid:pool_member_id>/retirer/", pool.remove, name="remove_member"),
]
