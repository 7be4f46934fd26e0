"""The first tables of the desk."""

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel(
            name="Customer",
            fields=[
                ("leanbe_id", models.CharField(max_length=24, primary_key=True, serialize=False)),
                ("email", models.EmailField(max_length=254)),
                ("name", models.CharField(max_length=200)),
                ("wishes", models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="SeenEvent",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("event", models.CharField(max_length=100)),
                ("triggered_at", models.CharField(max_length=40)),
                ("signature", models.CharField(max_length=64)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("event", "triggered_at", "signature"), name="each_event_once"
                    )
                ]
            },
        ),
    ]
