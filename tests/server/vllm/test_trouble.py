import pytest

from server.vllm.trouble import explain


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        (
            "ValueError: Free memory on device cuda:0 (3.1/79.1 GiB) on startup is less than desired GPU memory utilization",
            "in use by others",
        ),
        ("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 1.25 GiB.", "too small"),
        ("ValueError: No available memory for the cache blocks. Try increasing", "too small"),
        ("World size (4) is larger than the number of available GPUs (1) in this node", "--tensor-parallel-size"),
        ("RuntimeError: No CUDA GPUs are available", "no usable GPU"),
        ("RuntimeError: Failed to infer device type, please set", "no usable GPU"),
        ("User-specified max_model_len (99999) is greater than the derived max_model_len", "--max-model-len"),
        ("Invalid repository ID or local directory specified: '/tmp'", "check --model-path"),
        ("api_server.py: error: unrecognized arguments: --foo", "these arguments: --foo"),
        ("OSError: [Errno 98] Address already in use", "port is taken"),
        ("something new", "检查模型路径是否正确"),
    ],
)
def test_known_words_get_the_guides_advice(said: str, advice: str):
    explained = explain(f"INFO before\n{said}\nINFO after")
    assert advice in explained
    assert "\n" not in explained
