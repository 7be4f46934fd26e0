"""The settings of the desk."""

import os
from pathlib import Path

SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY", "of a machine that nobody else reaches")
LEANBE_WEBHOOK_SECRET = os.environ.get("LEANBE_WEBHOOK_SECRET", "whsec_test")

INSTALLED_APPS = ["desk"]
MIDDLEWARE = [
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
]
ROOT_URLCONF = "desk.urls"
WSGI_APPLICATION = "desk.wsgi.application"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": Path(__file__).parents[1] / "desk.sqlite3",
    }
}
USE_TZ = True
