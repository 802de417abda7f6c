import ast
from itertools import chain

import pytest
from pydantic import ValidationError

from configs.errors import SettingsError
from configs.sections import KafkaSettings
from configs.settings import FIELDS, SECTIONS, load_settings
from tests.test_imports import MAY_IMPORT, files_of


def test_each_setting_is_in_one_section_and_stands_in_the_order_of_the_sections():
    assert list(FIELDS) == list(chain.from_iterable(section.model_fields for section in SECTIONS.values()))


def test_what_was_given_is_known_after_the_split_and_after_a_change():
    settings = load_settings({"chunk_size": 300, "namespace": "a"}, environ={})
    assert settings.given() == {"chunk_size": 300, "namespace": "a"}
    assert settings.kafka.replaced(partitions=3).model_fields_set == {"namespace", "partitions"}


def test_a_section_is_frozen_and_has_no_other_fields():
    with pytest.raises(ValidationError, match="frozen"):
        load_settings({}, environ={}).kafka.namespace = "b"
    with pytest.raises(ValidationError, match="not permitted"):
        KafkaSettings(chunk_size=300)


def test_few_functions_take_all_settings():
    """Only wiring takes them all; other functions take the section that they need."""
    files = [path for package in MAY_IMPORT for path in files_of(package)]
    functions = [node for path in files for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
    taking = [
        node.name
        for node in functions
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and any(each.annotation is not None and ast.unparse(each.annotation) == "Settings" for each in node.args.args)
    ]
    assert len(taking) <= 15, taking


@pytest.mark.parametrize("name", ["cache_path", "output_dir"])
def test_a_url_is_no_path_and_its_secret_is_not_shown(name):
    with pytest.raises(SettingsError, match="cache_url") as refused:
        load_settings({name: "redis://:s3cret@cache:6379/0"})
    assert "s3cret" not in str(refused.value)
