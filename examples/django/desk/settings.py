"""The settings of the desk."""

import os
from pathlib import Path

from django.core.management.utils import get_random_secret_key

SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY") or get_random_secret_key()
LEANBE_WEBHOOK_SECRET = os.environ.get("LEANBE_WEBHOOK_SECRET", "")  # with which nothing verifies

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
        "NAME": Path(__file__).parents[1] / "desk.db",
    }
}
USE_TZ = True
