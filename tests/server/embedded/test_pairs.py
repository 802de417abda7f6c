from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.embedded.pairs import extract

TEXTS = Path(__file__).resolve().parents[3] / "data" / "texts"

ASKED = [
    ("半导体是指导电性介于导体与绝缘体之间的材料。", "什么是半导体？"),
    ("薄膜晶体管（TFT）是一种场效应晶体管。", "什么是薄膜晶体管（TFT）？"),
    ("所谓显影是指去除光刻胶的步骤。", "什么是显影？"),
    ("室温下，硅的禁带宽度为1.12 eV，锗的禁带宽度为0.66 eV。", "室温下，锗的禁带宽度为多少？"),
    ("占空比是指高电平时间与周期之比。", "什么是占空比？"),
    ("光取向的对比度比摩擦取向高。", "光取向的对比度与摩擦取向相比如何？"),
    ("液晶面板由阵列基板、彩膜基板和液晶层组成。", "液晶面板由什么组成？"),
    ("与炉管退火相比，快速热退火的热预算更低。", "与炉管退火相比，快速热退火的热预算如何？"),
    ("离子注入的剂量一般在10¹¹ cm⁻²到10¹⁶ cm⁻²之间。", "离子注入的剂量一般在什么范围内？"),
    ("碳化硅的热导率比硅高约三倍。", "碳化硅的热导率与硅相比如何？"),
    ("由于镉受到限制，磷化铟量子点成为主要材料。", "为什么磷化铟量子点成为主要材料？"),
    ("铜容易扩散，所以铜的下方需要阻挡层。", "为什么铜的下方需要阻挡层？"),
    ("互补电路的静态功耗很低，因为没有直流通路。", "为什么互补电路的静态功耗很低？"),
    ("结电容随反向电压升高而减小。", "结电容随反向电压升高如何变化？"),
    ("Photolithography is a process that prints patterns.", "What is photolithography?"),
    ("Moore's law is the observation that chips double.", "What is Moore's law?"),
    ("Silicon dioxide, also called silica, is an insulator that grows on silicon.", "What is silicon dioxide?"),
    ("The band gap of silicon is 1.12 eV at room temperature.", "What is the band gap of silicon?"),
    ("Gallium nitride has a band gap of 3.4 eV.", "What band gap does gallium nitride have?"),
    ("A diode consists of an anode and a cathode.", "What does a diode consist of?"),
    ("Micro LEDs are made of gallium nitride.", "What are micro LEDs made of?"),
    ("Water on a hot plate can cause cracks.", "What can water on a hot plate cause?"),
    ("Masks for phone panels are 20 µm to 30 µm thick.", "How thick are masks for phone panels?"),
    (
        "The mobility of silicon is higher than the mobility of germanium oxide.",
        "How does the mobility of silicon compare with the mobility of germanium oxide?",
    ),
    ("Because copper diffuses quickly, copper lines need a barrier.", "Why do copper lines need a barrier?"),
    (
        "The pitch of narrow wires must be exact, because wires can touch.",
        "Why must the pitch of narrow wires be exact?",
    ),
]
NOT_ASKED = [
    "它是一种半导体。",
    "这是指一种材料。",
    "其厚度为10 nm。",
    "厚度为10 nm。",
    "原因是颗粒污染。",
    "如图1所示，该结构是一种器件。",
    "什么是半导体？",
    "光取向的对比度很高。",
    "哥伦比亚首都波哥大。",
    "火星大气层比地球稀薄。",
    "结构的比例是指定的。",
    "声明是指导文件。",
    "更新用于优化器的统计信息。",
    "船的长度为250米。",
    "因为直到最近，引擎总是和解释器联系在一起。",
    "如果电压过高，电流会变大，所以晶体管的寿命会变短。",
    "It is a semiconductor.",
    "This process is a method of deposition.",
    "The result is a thin film.",
    "They are 5 nm thick.",
    "See Figure 3 for details.",
    "The overlay error must be small, because wires are narrow.",
    "A wire is 2 m long.",
    "Grml is the author of a tool that prints.",
    "Note that a tool is a program that prints.",
    "Using pipes is a technique that helps.",
    "X Y Z is a b.",
]


@pytest.mark.parametrize(("sentence", "question"), ASKED)
def test_a_sentence_is_asked_for_what_it_says(sentence: str, question: str):
    pairs = {pair.question: pair for pair in extract(sentence)}
    assert question in pairs
    assert pairs[question].evidence == sentence


@pytest.mark.parametrize("sentence", NOT_ASKED)
def test_what_can_not_be_asked_in_whole_is_not_asked(sentence: str):
    assert extract(sentence) == ()


def test_the_same_question_is_asked_once():
    assert len(extract("光刻是一种工艺。\n\n光刻是一种印刷。")) == 1


def read(path: Path) -> str:
    content = path.read_bytes()
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("gb18030")


@pytest.mark.parametrize("path", sorted(p for p in TEXTS.rglob("*") if p.is_file()), ids=lambda path: path.name)
def test_the_sample_texts_give_enough_pairs_that_quote_them(path: Path):
    text = read(path)
    pairs = extract(text)
    assert len(pairs) >= 3 + len(text) // 500
    assert all(pair.evidence in text and pair.question != pair.answer for pair in pairs)


PARAGRAPHS = [sentence for sentence, _ in ASKED] + NOT_ASKED + ["# Heading", "- 锗的熔点为938 ℃。", "plain words"]


@given(st.lists(st.sampled_from(PARAGRAPHS), max_size=12, unique=True), st.data())
def test_a_paragraph_taken_out_loses_its_pairs_and_no_others(paragraphs: list[str], data):
    taken = data.draw(st.sampled_from(paragraphs)) if paragraphs else ""
    whole = extract("\n\n".join(paragraphs))
    left = extract("\n\n".join(paragraph for paragraph in paragraphs if paragraph != taken))
    lost = {pair.question for pair in extract(taken)}
    assert [pair for pair in whole if pair.question not in lost] == [pair for pair in left if pair.question not in lost]


@given(st.text(max_size=300))
def test_any_text_will_do(text: str):
    assert all(pair.evidence in text for pair in extract(text))


CHARACTERS = "硅锗的对比度占空高低更多导体电阻率约为是指一种由和组成因此所以，。；3 nm%（）AaThe is than because of"


@given(st.text(CHARACTERS, max_size=80).map(lambda text: f"{text}。"))
def test_an_answer_is_a_whole_piece_of_its_sentence(text: str):
    for pair in extract(text):
        assert pair.evidence in text
        piece = pair.answer.rstrip("。.").partition("，")[2] or pair.answer.rstrip("。.")
        at = pair.evidence.find(piece)
        assert at >= 0
        assert pair.evidence[at + len(piece)] in "，,。；;."
