import pytest

from consumer.worker.checks.duplicates import asked, same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("退火的作用是什么？", "退火有何作用？"),
        ("为什么良率下降？", "良率下降的原因是什么？"),
        ("如何降低漏电流？", "降低漏电流的方法有哪些？"),
        ("第二步的下压力是多少？", "第2步的下压力为多大？"),
        ("能否说明什么是退火？", "什么是退火？"),
        ("What is titanium nitride used for?", "For what is titanium nitride used?"),
        ("Why can't copper be etched?", "Why cannot copper be etched?"),
        ("How is threshold voltage defined?", "What is the definition of threshold voltage?"),
        ("How do SRAM and DRAM differ?", "What is the difference between SRAM and DRAM?"),
        ("At 85 °C, how long does it last?", "How long does it last at 85 degrees Celsius?"),
    ],
)
def test_the_same_in_other_question_words(one, other):
    assert same(asked(one), asked(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("晶界如何影响迁移率？", "晶界是否影响迁移率？"),
        ("刻蚀需要多少种气体？", "刻蚀需要哪种气体？"),
        ("与非门有什么特点？", "非门有什么特点？"),
        ("What is the copper?", "What happens to the copper?"),
        ("How is an OLED made?", "What is an OLED?"),
        ("How many pixels are there?", "What are pixels?"),
        ("What causes leakage?", "What does leakage cause?"),
        ("What happens after 2 min?", "What happens after 2 h?"),
    ],
)
def test_other_questions_in_the_same_words(one, other):
    assert not same(asked(one), asked(other))
