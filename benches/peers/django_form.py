"""The usual way to take a report: a Django form that stores one row in SQLite."""

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="bench",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": "form.sqlite3",
            "OPTIONS": {"timeout": 60},
            "CONN_MAX_AGE": 600,
        }
    },
    USE_TZ=True,
)
django.setup()

from django import forms
from django.core.wsgi import get_wsgi_application
from django.db import connection, models
from django.http import HttpResponse
from django.urls import path
from django.utils import timezone


class Report(models.Model):
    task = models.IntegerField()
    status = models.CharField(max_length=20)
    progress = models.TextField()
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        app_label = "form"


class ReportForm(forms.ModelForm):
    class Meta:
        model = Report
        fields = ["task", "status", "progress"]


def report(request):
    form = ReportForm(request.POST)
    if not form.is_valid():
        return HttpResponse(str(form.errors), status=422)
    form.save()
    body = "已收到".encode()
    return HttpResponse(body, headers={"Content-Length": len(body)})


urlpatterns = [path("report", report)]

with connection.cursor() as cursor:
    cursor.execute(
        "CREATE TABLE IF NOT EXISTS form_report (id INTEGER PRIMARY KEY AUTOINCREMENT,"
        " task INTEGER, status TEXT, progress TEXT, at TEXT)"
    )
connection.close()

application = get_wsgi_application()
