"""Texts for tests: strategies that look like documents, and long ones from a seed."""

import random

from hypothesis import strategies as st

SENTENCES = (
    "半导体的电导率介于导体与绝缘体之间。",
    "Thin-film transistors switch the pixels. ",
    "见图 3，其迁移率为 12.5 cm²/Vs！",
    "See Fig. 3 of Dr. Wu et al. for details, e.g. the slope. ",
    "为什么？",
    "…… ",
)
ATOMS = (
    *SENTENCES,
    "\n",
    "\n\n",
    " ",
    "　　",
    "# Title\n",
    "## 第二节 方法\n",
    "一、背景\n",
    "```\n",
    "Title\n===\n",
    "---\n",
    "a,b;c:d",
    "x" * 70,
    "\t",
    "好",
)
documents = st.lists(st.sampled_from(ATOMS) | st.text(max_size=12), max_size=120).map(
    lambda parts: "".join(parts).replace("\r", "")
)


def paragraph(chance: random.Random, *, sentences: int = 0) -> str:
    if chance.random() < 0.5:
        made = (
            "".join(chr(0x4E00 + chance.randrange(3000)) for _ in range(chance.randint(8, 40))) + "。"
            for _ in range(99)
        )
    else:
        made = (
            " ".join(f"w{chance.randrange(4000)}" for _ in range(chance.randint(5, 20))).capitalize() + ". "
            for _ in range(99)
        )
    return "".join(text for text, _ in zip(made, range(sentences or chance.randint(1, 9)), strict=False)).rstrip()


def paragraphs(seed: int, count: int) -> list[str]:
    chance = random.Random(seed)
    return [paragraph(chance) for _ in range(count)]
