"""What the documents quote as messages is what the code says, and each case of the vLLM guide is among them."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from telemetry.metrics import REASONS
from tests.test_imports import MAY_IMPORT

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = tuple(MAY_IMPORT)
TROUBLESHOOTING = ROOT / "docs" / "troubleshooting.md"
TABLES = {
    ROOT / "README.md": "## When something is wrong",
    ROOT / "README.zh-CN.md": "## 故障排除",
    TROUBLESHOOTING: "## The model server",
}
"""Documents, and where in them the first table of messages is."""
NO_MESSAGES = {
    "status: empty",  # of a result
    "verify",  # a command
}
GUIDE = ROOT / "docs" / "vllm-http-guide.md"
CASES = {
    "检查vLLM服务是否已启动": ("无法连接到vLLM服务器", "Is the server started"),
    "确认端口号是否正确（默认8000）": ("无法连接到vLLM服务器", "the port right (8000 by default)"),
    "检查防火墙设置": ("无法连接到vLLM服务器", "no firewall between"),
    "检查模型路径是否正确": ("vLLM does not start", "model path wrong"),
    "确认GPU内存是否充足": ("vLLM does not start", "not enough GPU memory"),
    "查看GPU是否被其他进程占用": ("vLLM does not start", "GPU used by another process"),
    "增加timeout配置值": ("answers time out", "--timeout-s"),
    "减少max_tokens参数": ("answers time out", "--max-tokens"),
    "检查网络连接": ("answers time out", "look at the network"),
}
"""Each advice of the guide: the line of docs/troubleshooting.md it is in, and how it is put there."""


@cache
def strings() -> tuple[str, ...]:
    """All that the code may say, as it is when every value of an f-string is `…`."""
    files = [file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))]
    trees = (ast.parse(file.read_text(encoding="utf-8")) for file in files)
    return tuple(text for tree in trees for node in ast.walk(tree) if (text := said(node)))


def said(node: ast.AST) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(said(part) if isinstance(part, ast.Constant) else "…" for part in parts)
    return ""


def rows(document: Path, heading: str) -> Iterator[tuple[str, str]]:
    """What is seen and what is to be done, of all tables after the heading."""
    text = document.read_text(encoding="utf-8")
    assert text.count(f"\n{heading}") == 1
    for line in text.partition(f"\n{heading}")[2].splitlines():
        if line.startswith("| "):
            seen, do = (cell.strip() for cell in line.strip("|").split("|"))
            yield seen, do


def quoted() -> Iterator[tuple[str, str]]:
    """Messages, each with the whole of what is seen."""
    for document, heading in TABLES.items():
        for seen, _ in rows(document, heading):
            yield from ((message, seen) for message in re.findall(r"`([^`]+)`", seen) if message not in NO_MESSAGES)


@pytest.mark.parametrize(("message", "seen"), sorted(set(quoted())))
def test_a_quoted_message_is_one_of_the_code(message: str, seen: str):
    if "dead letters" in seen:
        assert message in REASONS
    else:
        parts = re.compile(".*".join(map(re.escape, message.split("…"))), re.DOTALL)
        assert any(parts.search(text) for text in strings()), f"nothing says {message!r}"


def test_tables_are_read():
    assert len(set(quoted())) > 20
    assert not any("an invented message" in text for text in strings())


def test_what_reasons_a_dead_letter_may_have_is_explained():
    assert {message for message, seen in quoted() if "dead letters" in seen} == REASONS


def test_every_case_of_the_guide_is_there():
    chapter = GUIDE.read_text(encoding="utf-8").partition("## 故障排除")[2].partition("\n## ")[0]
    assert set(re.findall(r"^- (.+)$", chapter, re.MULTILINE)) == set(CASES)


@pytest.mark.parametrize("case", CASES)
def test_a_case_of_the_guide_has_its_answer(case: str):
    row, answer = CASES[case]
    found = [do for seen, do in rows(TROUBLESHOOTING, TABLES[TROUBLESHOOTING]) if row in seen]
    assert len(found) == 1
    assert answer in found[0]
