from typing import get_args

from configs.sections import SinkSettings
from output.formats.registry import FORMATS


def test_the_setting_takes_every_format():
    names, _ = get_args(SinkSettings.model_fields["formats"].annotation)
    assert get_args(names) == tuple(FORMATS)
