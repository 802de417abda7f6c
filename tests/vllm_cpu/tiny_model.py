"""Write a tiny Qwen3 with random weights, and a tokenizer trained on given texts: a real model for vLLM, in seconds.

Run by the interpreter of .venv-vllm: python tests/vllm_cpu/tiny_model.py [--thinks] MODEL_DIR TEXT_DIR
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

PAD, START, END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
VOCABULARY_TOKENS = 4096
CONTEXT_TOKENS = 32768
END_WEIGHT = 3.1  # tried: free text ends after some 50 tokens
THOUGHT_BEGINS, THOUGHT_ENDS = "<think>", "</think>"
THOUGHT_END_WEIGHT = 3.4  # tried: thoughts end after some 10 tokens
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


THINKING_TEMPLATE = (  # as Qwen3 has it
    CHAT_TEMPLATE.removesuffix("{% endif %}")
    + "{% if enable_thinking is defined and enable_thinking is false %}<think>\n\n</think>\n\n{% endif %}{% endif %}"
)


def texts(directory: Path) -> Iterator[str]:
    for path in sorted(directory.rglob("*")):
        if path.is_file():
            # The tokenizer needs typical text, not exact text: a file in another encoding may lose characters here.
            yield path.read_text(encoding="utf-8", errors="ignore")


def train_tokenizer(corpus: Iterator[str]) -> PreTrainedTokenizerFast:
    """Byte-level BPE: it takes any text, whatever it was trained on."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY_TOKENS,
        special_tokens=[PAD, START, END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(corpus, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        pad_token=PAD,
        eos_token=END,
        chat_template=CHAT_TEMPLATE,
        model_max_length=CONTEXT_TOKENS,
    )


def random_model(tokenizer: PreTrainedTokenizerFast) -> Qwen3ForCausalLM:
    torch.manual_seed(0)
    model = Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=len(tokenizer),
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=1,
            head_dim=32,
            max_position_embeddings=CONTEXT_TOKENS,
            tie_word_embeddings=False,
            bos_token_id=tokenizer.convert_tokens_to_ids(START),
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
            dtype="bfloat16",
        )
    )
    make_talkative(model)
    make_likely(model, tokenizer.eos_token_id, END_WEIGHT)
    return model.to(torch.bfloat16)


@torch.no_grad()
def make_talkative(model: Qwen3ForCausalLM) -> None:
    """Spread the logits, so that answers differ by prompt even at temperature 0, and let free text end by itself.

    With the usual initialisation all tokens are about equally likely: greedy answers are all alike, and the end comes
    once in 4,096 tokens. Here one dimension of the hidden state is nearly constant, and the end token alone looks at it.
    """
    torch.nn.init.normal_(model.model.embed_tokens.weight, std=1.0)
    torch.nn.init.normal_(model.lm_head.weight, std=0.25)
    model.model.embed_tokens.weight[:, 0] = 2.0


@torch.no_grad()
def make_likely(model: Qwen3ForCausalLM, token: int, weight: float) -> None:
    model.lm_head.weight[token] = 0.0
    model.lm_head.weight[token, 0] = weight


def teach_thinking(tokenizer: PreTrainedTokenizerFast) -> None:
    """It thinks before it answers, unless the request switches that off; no parser takes its tokens for special."""
    tokenizer.add_tokens([THOUGHT_BEGINS, THOUGHT_ENDS])
    tokenizer.chat_template = THINKING_TEMPLATE


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model_dir", type=Path)
    parser.add_argument("text_dir", type=Path)
    parser.add_argument("--thinks", action="store_true", help="a reasoning model")
    arguments = parser.parse_args()
    tokenizer = train_tokenizer(texts(arguments.text_dir))
    if arguments.thinks:
        teach_thinking(tokenizer)
    model = random_model(tokenizer)
    if arguments.thinks:
        make_likely(model, tokenizer.convert_tokens_to_ids(THOUGHT_ENDS), THOUGHT_END_WEIGHT)
    tokenizer.save_pretrained(arguments.model_dir)
    model.save_pretrained(arguments.model_dir)


if __name__ == "__main__":
    main()
