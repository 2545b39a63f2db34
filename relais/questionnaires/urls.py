"""The page of developers, in demo mode alone: modules that ask questions have pages of their own."""

from django.urls import path

from relais.questionnaires import views

app_name = "questionnaires"
urlpatterns = [path("", views.kit, name="kit")]
