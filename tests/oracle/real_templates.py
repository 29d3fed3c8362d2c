"""Chat templates of models that people use, with the tokenizer for each.

From TRL (which keeps them to recognise models), the sources of llama-cpp-python, npm and a GGUF file. None of these has the
templates of Llama 2, TinyLlama and the first Mistrals, so they are written out here.
"""

import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from real_tokenizers import CACHE, npm, smollm2

LLAMA_CPP_PYTHON = "0.3.36"

CHATML = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
LLAMA2 = (
    "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}"
    "{% set system_message = messages[0]['content'] %}{% else %}{% set loop_messages = messages %}"
    "{% set system_message = false %}{% endif %}{% for message in loop_messages %}"
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
    "{% if loop.index0 == 0 and system_message != false %}"
    "{% set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' + message['content'] %}"
    "{% else %}{% set content = message['content'] %}{% endif %}{% if message['role'] == 'user' %}"
    "{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}{% elif message['role'] == 'assistant' %}"
    "{{ ' '  + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}"
)
TINYLLAMA = (
    "{% for message in messages %}\n{% if message['role'] == 'user' %}\n"
    "{{ '<|user|>\n' + message['content'] + eos_token }}\n{% elif message['role'] == 'system' %}\n"
    "{{ '<|system|>\n' + message['content'] + eos_token }}\n{% elif message['role'] == 'assistant' %}\n"
    "{{ '<|assistant|>\n'  + message['content'] + eos_token }}\n{% endif %}\n"
    "{% if loop.last and add_generation_prompt %}\n{{ '<|assistant|>' }}\n{% endif %}\n{% endfor %}"
)
MISTRAL = (
    "{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
    "{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}"
    "{% elif message['role'] == 'assistant' %}{{ message['content'] + eos_token}}"
    "{% else %}{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}{% endfor %}"
)


def trl(name: str) -> str:
    # Read exactly as TRL reads them, because the texts are compared letter by letter.
    return (files("trl") / "chat_templates" / f"{name}.jinja").read_text()


def llama_cpp(name: str) -> str:
    folder = CACHE / f"llama-cpp-python-{LLAMA_CPP_PYTHON}"
    if not folder.exists():
        with tempfile.TemporaryDirectory() as scratch:
            pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
            wanted = f"llama-cpp-python=={LLAMA_CPP_PYTHON}"
            subprocess.run([*pip, "--dest", scratch, wanted], check=True, timeout=900)
            fresh = Path(scratch) / "templates"
            fresh.mkdir()
            with tarfile.open(next(Path(scratch).glob("*.tar.gz"))) as archive:
                for member in archive.getmembers():
                    if "/models/templates/" in member.name and member.name.endswith(".jinja"):
                        content = archive.extractfile(member)
                        assert content is not None
                        (fresh / Path(member.name).name).write_bytes(content.read())
            fresh.rename(folder)
    return (folder / f"{name}.jinja").read_text()


@dataclass
class Template:
    #: A folder of fixtures/tokenizers.
    tokenizer: str
    source: Callable[[], str]
    #: If the model's special tokens are not its tokenizer's.
    special: dict[str, str]


def template(tokenizer: str, source: Callable[[], str], **special: str) -> Template:
    return Template(tokenizer, source, special)


TEMPLATES: dict[str, Template] = {
    "chatml": template("smollm2", lambda: CHATML),
    "smollm2": template("smollm2", lambda: smollm2()[1]["chat_template"]),
    "smollm3": template("smollm3", lambda: llama_cpp("HuggingFaceTB-SmolLM3-3B")),
    "llama2": template("llama2", lambda: LLAMA2),
    "tinyllama": template("llama2", lambda: TINYLLAMA, pad_token="</s>"),
    "llama3": template("llama3", lambda: trl("llama3")),
    "llama3.1": template("llama3", lambda: trl("llama3_1")),
    "llama3.2": template("llama3", lambda: trl("llama3_2")),
    "mistral": template("mistral", lambda: MISTRAL),
    "mistral-nemo": template("mistral-tekken", lambda: npm("mistral_nemo")[1]["chat_template"]),
    "qwen2.5": template("qwen2", lambda: trl("qwen2_5")),
    "qwen3": template("qwen3", lambda: trl("qwen3")),
    "qwen3-2507": template("qwen3", lambda: trl("qwen3_instruct_2507")),
    "gemma2": template("gemma2", lambda: trl("gemma")),
    "gemma3": template("gemma3", lambda: trl("gemma3")),
    "phi3": template("phi3", lambda: trl("phi3")),
    "phi3.5": template("phi3", lambda: trl("phi3_5")),
}
