import json
from pathlib import Path

import pytest

from configs.errors import SettingsError
from server.vllm.command import banner, check_model_path, command, is_given, parse, reasoning_parser

GUIDE = """\
============================================================
启动vLLM服务器
模型路径: /mnt/workspace/models/Qwen/QwQ-32B/
服务地址: http://0.0.0.0:8000
GPU内存利用率: 0.95
张量并行大小: 1
最大模型长度: 32768
============================================================"""


def value_of(arguments: list[str], flag: str) -> str:
    """The value behind a flag."""
    return arguments[arguments.index(flag) + 1]


def built(*argv: str, on_cpu: bool = False) -> list[str]:
    return command(parse(argv), python="python", on_cpu=on_cpu)


def test_the_banner_is_the_guides():
    assert banner(parse([])) == GUIDE


def test_the_guides_defaults_go_to_vllm():
    arguments = built()
    assert value_of(arguments, "--model") == "/mnt/workspace/models/Qwen/QwQ-32B/"
    assert value_of(arguments, "--served-model-name") == "qwen-vllm"
    assert value_of(arguments, "--gpu-memory-utilization") == "0.95"
    assert value_of(arguments, "--max-model-len") == "32768"
    assert json.loads(value_of(arguments, "--structured-outputs-config"))["backend"] == "guidance"
    assert "--enable-prompt-tokens-details" in arguments
    assert value_of(arguments, "--reasoning-parser") == "deepseek_r1"


def test_unknown_flags_go_through_untouched():
    assert built("--enforce-eager", "--seed", "7")[-3:] == ["--enforce-eager", "--seed", "7"]


def test_a_shortened_flag_is_not_taken_for_ours():
    assert "--max-model" in built("--max-model", "5")


@pytest.mark.parametrize(
    "given",
    [
        ("--structured-outputs-config", "{}"),
        ("--structured_outputs_config={}",),
        ("--structured-outputs-config.backend=xgrammar",),
    ],
)
def test_what_the_user_gives_is_not_given_again(given: tuple[str, ...]):
    assert sum("structured" in argument for argument in built(*given)) == 1


def test_a_switch_turned_off_stays_off():
    assert "--enable-prompt-tokens-details" not in built("--no-enable-prompt-tokens-details")


def test_several_names_are_served():
    arguments = built("--served-model-name", "a", "b", "--port", "1")
    assert arguments[arguments.index("--served-model-name") :][:3] == ["--served-model-name", "a", "b"]


def test_on_a_cpu_memory_is_only_taken_when_asked_for():
    assert "--gpu-memory-utilization" not in built(on_cpu=True)
    assert value_of(built("--gpu-memory-utilization", "0.4", on_cpu=True), "--gpu-memory-utilization") == "0.4"


@pytest.mark.parametrize(
    ("model", "parser"),
    [
        ("/mnt/workspace/models/Qwen/QwQ-32B/", "deepseek_r1"),
        ("Qwen/Qwen3-32B", "qwen3"),
        ("Qwen/Qwen3-4B-Instruct-2507", None),
        ("Qwen/Qwen2.5-7B-Instruct", None),
    ],
)
def test_the_reasoning_parser_is_chosen_by_the_models_name(model: str, parser: str | None):
    assert reasoning_parser(model) == parser


def test_a_model_whose_template_has_no_thoughts_gets_no_parser(tmp_path: Path):
    model = tmp_path / "my-qwen3"
    model.mkdir()
    (model / "chat_template.jinja").write_text("{{ messages }}")
    assert reasoning_parser(str(model)) is None
    (model / "chat_template.jinja").write_text("<think>{{ messages }}")
    assert reasoning_parser(str(model)) == "qwen3"


def test_the_url_on_this_machine():
    assert parse([]).local_url == "http://localhost:8000"
    assert parse(["--host", "::1", "--port", "9", "--ssl-certfile", "x"]).local_url == "https://[::1]:9"


def test_a_path_must_be_there_and_a_name_on_the_hub_need_not(tmp_path: Path):
    check_model_path(str(tmp_path))
    check_model_path("Qwen/QwQ-32B")
    for missing in ("/no/such/model", "./model", "models/Qwen/QwQ-32B/"):
        with pytest.raises(SettingsError, match="no such model path"):
            check_model_path(missing)


@pytest.mark.parametrize("flag", [("--api-key", "x"), ("--api_key=x",)])
def test_the_api_key_is_not_taken_where_everyone_sees_it(flag):
    with pytest.raises(SettingsError, match="VLLM_API_KEY_FILE"):
        parse(flag)


def test_spellings_of_flags():
    assert is_given(["--a_b.c=1"], "--a-b")
    assert not is_given(["--a-bc"], "--a-b")
