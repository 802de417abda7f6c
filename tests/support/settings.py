"""Settings as tests change them, and what is made of them."""

from dataclasses import fields, replace
from typing import Any

from configs.settings import Settings
from consumer.worker.model.endpoint import ModelEndpoint, make_endpoints


def changed(settings: Settings, **values: object) -> Settings:
    """A copy of `settings` with other `values`, given by the names of their fields; they are not checked."""
    sections = {field.name: getattr(settings, field.name) for field in fields(settings)}
    parts = {
        name: section.replaced(
            **{field: value for field, value in values.items() if field in type(section).model_fields}
        )
        for name, section in sections.items()
    }
    return replace(settings, **parts)


def endpoints_of(settings: Settings, **more: Any) -> list[ModelEndpoint]:
    """The endpoints that a worker with these settings would call."""
    return make_endpoints(settings.model, concurrency=settings.worker.concurrency, **more)
