"""A support desk's records of a product's customers."""

from django.db import models


class Customer(models.Model):
    """A customer, and how many wishes they have had."""

    leanbe_id = models.CharField(max_length=24, primary_key=True)
    email = models.EmailField()
    name = models.CharField(max_length=200)
    wishes = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"


class SeenEvent(models.Model):
    """An event that was handled: Leanbe may send it again, and sends no id of it."""

    id = models.BigAutoField(primary_key=True)
    event = models.CharField(max_length=100)
    triggered_at = models.CharField(max_length=40)
    signature = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["event", "triggered_at", "signature"], name="each_event_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.event} of {self.triggered_at}"
