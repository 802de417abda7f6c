"""Explains vLLM's last words, with the guide's advice (its section "模型加载失败")."""

import re

_MEMORY = "确认GPU内存是否充足，查看GPU是否被其他进程占用 (nvidia-smi)"
_SMALLER = (
    "lower --gpu-memory-utilization or --max-model-len, use more GPUs with --tensor-parallel-size, or a smaller model"
)
_NO_GPU = (
    "找不到GPU / no usable GPU: check the driver with nvidia-smi, and CUDA_VISIBLE_DEVICES; "
    "without a GPU use `python -m server embedded`"
)

_NO_MODEL = (
    "Invalid repository ID or local directory|is not a local folder and is not a valid model identifier|Repository Not Found|"
    r"Can't load the configuration|couldn't connect to|does not appear to have a file named config\.json|LocalEntryNotFound"
)
_NO_DEVICE = (
    r"No CUDA GPUs are available|Failed to infer device type|no NVIDIA (?:GPU|driver)|libcuda\.so|driver version is insufficient|"
    "CUDA driver initialization failed"
)
_NO_MEMORY = (
    "CUDA out of memory|OutOfMemoryError|CUDA error: out of memory|No available memory for the cache blocks|"
    "larger than the available KV cache"
)
_WRONG_NUMBER = r"World size \(\d+\) is larger than the number of|must be divisible by tensor parallel"
# Messages of vLLM 0.24 to 0.32 with the advice, the most telling ones first.
_KNOWN = (
    ("less than desired GPU memory utilization", f"GPU内存被占用 / the GPU's memory is in use by others: {_MEMORY}; {_SMALLER}"),
    ("less than desired CPU memory utilization", "内存不足 / not enough free memory: set VLLM_CPU_KVCACHE_SPACE (GiB), or lower --gpu-memory-utilization"),
    (_NO_MEMORY, f"GPU内存不足 / the GPU's memory is too small for this model: {_MEMORY}; {_SMALLER}"),
    (_WRONG_NUMBER, "GPU数量不符 / --tensor-parallel-size does not fit the GPUs that are there, or the model: give a smaller one"),
    (_NO_DEVICE, _NO_GPU),
    ("greater than the derived max_model_len", "最大模型长度过大 / --max-model-len is more than the model takes: give a smaller one"),
    (_NO_MODEL, "模型加载失败 / there is no model that vLLM can load: 检查模型路径是否正确 / check --model-path"),
    ("Model architectures .* (?:are not supported|failed to be inspected)", "不支持的模型 / this vLLM does not know the model's architecture: install a newer vLLM"),
    ("unrecognized arguments: (?P<what>.+)", "vLLM不认识的参数 / vLLM does not know these arguments: {what}"),
    ("[Aa]ddress already in use", "端口已被占用 / the port is taken: stop what is there, or give another --port"),
)  # fmt: skip


def explain(output: str) -> str:
    """One line with the cause and advice, a general one if no message of vLLM is known."""
    for pattern, advice in _KNOWN:
        if match := re.search(pattern, output):
            return advice.format(**match.groupdict())
    return f"模型加载失败 / vLLM ended; its last lines are above. 检查模型路径是否正确，{_MEMORY}"
