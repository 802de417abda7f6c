"""Describes the fields of an exported item for Hugging Face `datasets` and for Arrow.

A description has the shape of its JSON: "string" is a scalar by a name that both know, [x] a list, {name: x} a struct.
"""

from collections.abc import Mapping
from typing import Any

Feature = str | list[Any] | dict[str, Any]
Features = dict[str, Feature]


def card_features(features: Features) -> list[dict[str, Any]]:
    """Returns the features in the form that `dataset_info` of a dataset card takes."""
    return [{"name": name} | _card_feature(feature) for name, feature in features.items()]


def _card_feature(feature: Feature) -> dict[str, Any]:
    match feature:
        case str():
            return {"dtype": feature}
        case dict():
            return {"struct": card_features(feature)}
        case [str() as scalar]:
            return {"list": scalar}
        case _:
            return {"list": card_features(feature[0])}


def arrow_schema(features: Features, metadata: Mapping[str, str]) -> Any:
    """Returns the features as a schema of pyarrow, which must be installed."""
    import pyarrow as pa  # noqa: PLC0415 - an optional extra

    return pa.schema([pa.field(name, _arrow_type(each)) for name, each in features.items()], metadata=dict(metadata))


def _arrow_type(feature: Feature) -> Any:
    import pyarrow as pa  # noqa: PLC0415 - an optional extra

    match feature:
        case str():
            return pa.type_for_alias(feature)
        case dict():
            return pa.struct([pa.field(name, _arrow_type(each)) for name, each in feature.items()])
        case _:
            return pa.list_(_arrow_type(feature[0]))
