"""URLs of the desk."""

from django.urls import path

from desk.webhooks import receive

urlpatterns = [path("hooks/leanbe", receive)]
