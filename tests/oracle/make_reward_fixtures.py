"""Writes tests/fixtures/rewards/trl.json: what TRL's rewards give for answers that are hard to judge.

python tests/oracle/make_reward_fixtures.py   (trl 1.16.0)
"""

import json
import random
from importlib.metadata import version
from pathlib import Path

from trl.rewards import get_repetition_penalty_reward, think_format_reward

OUT = Path(__file__).parents[1] / "fixtures" / "rewards"

COMPLETIONS = [
    "<think>\nThis is my reasoning.\n</think>\nThis is my answer.",
    "<think>\nThis is my reasoning.\nThis is my answer.",
    "<think></think>",
    "<think>a</think>",
    "<think>a</think>b</think>c",
    "<think>a<think>b</think>c",
    "<think>a</think><think>b</think>",
    " <think>a</think>b",
    "\n<think>a</think>b",
    "x\n<think>a</think>b",
    "<THINK>a</THINK>b",
    "<think>a</think >b",
    "<think >a</think>b",
    "<think>a\u2028b</think>c\u2028d",
    "<think>a\r\nb</think>\r\n\r\nc",
    "<think>a</think>\n",
    "</think><think>a",
    "<think>a</think>" + "b\n" * 50,
    "",
]


def main() -> None:
    rng = random.Random(7)
    ids = [
        [],
        [1],
        [1, 2],
        [1, 2, 3],
        [1, 2, 3, 4],
        [5, 5, 5, 5, 5],
        [1, 2, 3, 1, 2, 3, 1, 2, 3],
        [1, 21, 2, 12, 1, 212],
        [rng.randrange(6) for _ in range(60)],
        [rng.randrange(50_000) for _ in range(40)] * 2,
    ]
    penalties = [
        {
            "ngram_size": size,
            "max_penalty": most,
            "values": get_repetition_penalty_reward(ngram_size=size, max_penalty=most)(ids),
        }
        for size, most in [(3, -1.0), (2, -1.0), (1, -0.5), (20, -2.0), (3, 0.0)]
    ]
    OUT.mkdir(parents=True, exist_ok=True)
    fixture = {
        "trl": version("trl"),
        "think_format": {
            "completions": COMPLETIONS,
            "values": think_format_reward([[{"content": text}] for text in COMPLETIONS]),
        },
        "repetition_penalty": {"completion_ids": ids, "rewards": penalties},
    }
    (OUT / "trl.json").write_text(json.dumps(fixture) + "\n")


if __name__ == "__main__":
    main()
