from configs.recipe import load_recipe
from consumer.worker.prompts import chat_request
from tests.support.chunks import make_chunk


def request(**more):
    recipe = load_recipe("fast").model_copy(update={"thinking": more.pop("thinking", None)})
    return chat_request(recipe, make_chunk("Text."), model="m", temperature=0.5, max_tokens=100, **more)


def test_thinking_gets_tokens_of_its_own():
    assert request()["max_tokens"] == 100
    assert request(reasoning_max_tokens=900)["max_tokens"] == 1000
    assert "chat_template_kwargs" not in request(reasoning_max_tokens=900)


def test_thinking_is_switched_by_the_recipe():
    off = request(thinking=False, reasoning_max_tokens=900)
    assert (off["max_tokens"], off["chat_template_kwargs"]) == (100, {"enable_thinking": False})
    assert request(thinking=True)["chat_template_kwargs"] == {"enable_thinking": True}
