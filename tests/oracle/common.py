"""Shared by the fixture scripts: a reproducible process, and writers whose bytes depend only on the values."""

import json
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
ROOT = FIXTURES.parent.parent


def make_reproducible() -> None:
    """Call before importing torch. PEFT writes target_modules from a set, so the hash seed affects its files."""
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, *sys.argv])
    os.environ.update(
        HF_HUB_OFFLINE="1",
        TRANSFORMERS_VERBOSITY="error",
        TOKENIZERS_PARALLELISM="false",
        TQDM_DISABLE="1",
        OMP_NUM_THREADS="1",
        MKL_NUM_THREADS="1",
    )
    sys.dont_write_bytecode = True


def philox(counter: tuple[int, int, int, int], key: int) -> tuple[int, int, int, int]:
    """Philox4x32-10 (Salmon et al., 2011) with the key (key, 0)."""
    c0, c1, c2, c3 = counter
    k0, k1 = key, 0
    for _ in range(10):
        a, b = 0xD2511F53 * c0, 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (b >> 32) ^ c1 ^ k0, b & 0xFFFFFFFF, (a >> 32) ^ c3 ^ k1, a & 0xFFFFFFFF
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return c0, c1, c2, c3


def versions(*packages: str) -> dict[str, str]:
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}


def write_json(path: Path, value: object) -> None:
    """Indented, with every list of plain values on one line; floats in Python's shortest round-trip form."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_dump(value, "") + "\n", encoding="utf-8")


def _dump(value: object, indent: str) -> str:
    inner = indent + " "
    if isinstance(value, dict) and value:
        items = [f"{inner}{json.dumps(k)}: {_dump(v, inner)}" for k, v in value.items()]
        return "{\n" + ",\n".join(items) + f"\n{indent}}}"
    if isinstance(value, list) and any(isinstance(v, (dict, list)) for v in value):
        return "[\n" + ",\n".join(inner + _dump(v, inner) for v in value) + f"\n{indent}]"
    # ASCII only: hard strings contain lone combining marks and right-to-left runs that editors would mangle.
    return json.dumps(value, allow_nan=False)
