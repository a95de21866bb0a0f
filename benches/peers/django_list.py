"""The usual way to show a list: Django, its ORM and a template, from one table in SQLite.

The fields of a row are those of ours: number, name, unit, owners, state, report, last reminder.
"""

import datetime

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="bench",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": "list.sqlite3",
            "OPTIONS": {"timeout": 60},
            "CONN_MAX_AGE": 600,
        }
    },
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {"loaders": [("django.template.loaders.cached.Loader", [
                ("django.template.loaders.locmem.Loader", {"list.html": """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>应报事项</title></head><body>
<h1>第一季度应报事项 {{ items|length }}项</h1>
<table><thead><tr><th>序号</th><th>目标任务</th><th>牵头单位</th><th>直接责任人</th><th>状态</th><th>报送</th><th>最近提醒</th></tr></thead><tbody>
{% for item in items %}<tr><td>{{ item.task }}</td><td><a href="{% url 'item' item.task %}">{{ item.name }}</a></td><td>{{ item.unit }}</td><td>{{ item.owner }}</td><td><span class="state {{ item.state }}">{{ item.get_state_display }}</span></td><td>{% if item.reported_at %}{{ item.get_status_display }} {{ item.reported_at|date:"m-d H:i" }}{% endif %}</td><td>{{ item.reminded_at|date:"m-d H:i" }}</td></tr>
{% endfor %}</tbody></table></body></html>"""})])]},
        }
    ],
    USE_TZ=True,
    TIME_ZONE="Asia/Shanghai",
)
django.setup()

from django.core.wsgi import get_wsgi_application
from django.db import connection, models
from django.shortcuts import render
from django.urls import path
from django.http import HttpResponse


class Item(models.Model):
    STATES = [("not_reported", "未报"), ("reported", "已报")]
    STATUSES = [
        ("completed", "已完成"),
        ("on_schedule", "正常推进"),
        ("behind", "进度滞后"),
        ("not_started", "未启动"),
    ]
    task = models.IntegerField()
    quarter = models.CharField(max_length=6, db_index=True)
    name = models.TextField()
    unit = models.TextField()
    owner = models.TextField()
    state = models.CharField(max_length=20, choices=STATES)
    status = models.CharField(max_length=20, choices=STATUSES, null=True)
    reported_at = models.DateTimeField(null=True)
    reminded_at = models.DateTimeField()

    class Meta:
        app_label = "board"


def items(request):
    found = list(Item.objects.filter(quarter="2022Q1").order_by("task"))
    response = render(request, "list.html", {"items": found})
    response["Content-Length"] = len(response.content)
    return response


def item(request, task):
    return HttpResponse(task)


urlpatterns = [path("items", items), path("task/<int:task>", item, name="item")]

with connection.schema_editor() as editor:
    if "board_item" not in connection.introspection.table_names():
        editor.create_model(Item)
        at = datetime.datetime(2022, 3, 21, 7, 20, tzinfo=datetime.timezone.utc)
        statuses = [status for status, _ in Item.STATUSES]
        Item.objects.bulk_create(
            Item(
                task=number,
                quarter=f"2022Q{quarter}",
                name="出台新型研发机构优胜劣汰、提质增效相关管理办法",
                unit=f"市第{number % 50}建设中心",
                owner=f"经办{number}",
                state="not_reported" if number % 3 == 0 else "reported",
                status=None if number % 3 == 0 else statuses[number % 4],
                reported_at=None if number % 3 == 0 else at,
                reminded_at=at,
            )
            for quarter in (1, 2, 3, 4)
            for number in range(1, 1001)
        )
connection.close()

application = get_wsgi_application()
