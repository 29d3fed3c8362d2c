"""Self-Instruct by the code of its paper. Writes tests/fixtures/self-instruct/.

    git clone https://github.com/yizhongw/self-instruct /tmp/self-instruct
    pip install rouge-score pandas tqdm
    SELF_INSTRUCT=/tmp/self-instruct python make_self_instruct_fixtures.py

The answers are written for this project; what the paper's functions make of them is what is kept. Commit 10dd06e.
"""

from common import FIXTURES, make_reproducible, versions, write_json

make_reproducible()

import os
import random
import sys
import types
from pathlib import Path

sys.path.insert(0, str(Path(os.environ["SELF_INSTRUCT"]) / "self_instruct"))
# It asks a paid service; nothing here does.
sys.modules["gpt3_api"] = types.SimpleNamespace(make_requests=None)

import bootstrap_instructions as bootstrap
import prepare_for_finetuning as prepare
from rouge_score.rouge_scorer import RougeScorer

OUT = FIXTURES / "self-instruct"

LISTS = [
    " Write a letter to your future self.\n10. translate the Sentence into French\n11. Do it now.\n12. Name three rivers.",
    " What is it?\n10. Describe the picture on the wall.\n11. Explain what pictures are for.\n12. Pictureless books are fine for everybody.",
    " write a program that sorts numbers\n10. Write a programme for a concert tonight.\n11. Please write a program for me.",
    " (Optional) say hello to everyone\n10. éclairs are baked in which way?\n11. 3 things to do today, please\n12. \"Quote\" the line above again.",
    " Go to the shop and buy bread.\n10. Tell me where the Go To statement comes from.\n11. Let the goat go  to sleep now.\n12. Draw a line under it.",
    " Plot the story of a book.\n10. Find the best plotline for it.\n11. Map each word to its opposite.\n12. Read the profile of a person.",
    "   spaces   are \t squeezed \n here too \n10 . And here is another one.\n11.No space, so this is no new item.\n12. The last of them all.",
    " " + "word " * 150 + "\n10. " + "word " * 151 + "\n11. Four words are enough.\n12. Three are not.",
    "\n10. \n11.  \n12. Nothing came before this one.",
    " Which image\u00e9 is a word?\n10. An image, perhaps, or two?\n11. FILES in capital letters here\n12. A filed complaint is no file_name at all",
    " Make a list of 16. animals that swim.\n10. List the days of the week.",
    " Ask\u00a0for the way to the station.\n10. 9. Say it again in other words.",
    "",
]

EXAMPLES = [
    "Example 1\nInput: a\nOutput: b\nExample 2\nInput: c\nOutput: d",
    "Example 1\nInput: a\nOutput: b\n\nExample 2\nInput: c\nOutp",
    "Output: only one of them",
    "nothing at all",
    "Example 1\nInput: same\nOutput: same\nExample 2\nInput: x\nOutput:\nExample 3\nInput: y\nOutput: ends with:",
    "Example 1\nInput: a\nOutput: b\nExample 2\nInput: a\nOutput: c",
    "Example 1\nInput: a\nOutput: b\nExample 2\nInput: a\nOutput: b",
    "Example 1\nOutput: b\nExample 2\nOutput: c",
    "Example 1\nInput: a\nOutput: b Input: c Output: d",
    "Input: a\nOutput: b",
    "Input 1: a\nOutput 1: b\nInput 2: c\nOutput 2: d",
    "Example\nInput: say Example here\nOutput: b",
    "Example 1.\nno heading here\nExample 2. Input: the colon is last:\nOutput: b",
    "Example 1\nInput: 1\nOutput: 1\nExample 2\nInput: 2\nOutput: 4\nExample 3\nInput: 3\nOutput: 9",
    "  ",
]

LABELLED = [
    "Class label: positive\nI like it.\nClass label: negative\nI do not.",
    "Class label: yes\nClass label: no\nClass label:",
    "nothing at all",
    "before Class label: A\n\nlong\ntext\n\nClass label: B\nlong\ntext",
    "Class label: A\nsame input\nClass label: B\nsame input",
    "Class label: A\nA\nClass label: B:\nx\nClass label: C\ny:",
    "Class label: A\none\nClass label: A\none\nClass label: A\ntwo",
]

WORDS = "write a short poem about the sea and name three colours of it for each day in plain words".split()


def answer(text: str, reason: str) -> dict:
    return {"choices": [{"text": text, "finish_reason": reason}]}


def instances(parse) -> list[dict]:
    cases = []
    for text in EXAMPLES + LABELLED:
        for reason in ("stop", "length"):
            kept = parse(text, "Task.", {"response": answer(text, reason)})
            # The paper's code keeps them in a set: the order is not part of it.
            cases.append({"answer": text, "cut": reason == "length", "kept": sorted([i, o] for _, i, o in kept)})
    return cases


def similar(count: int) -> dict:
    """Random texts, and of some of them the scores with all that came before, as the paper's loop computes them."""
    draw = random.Random(7)
    texts = [" ".join(draw.choices(WORDS, k=draw.randint(3, 14))).capitalize() + "." for _ in range(count)]
    scorer = RougeScorer(["rougeL"], use_stemmer=False)
    scores = {}
    kept = []
    for i, text in enumerate(texts):
        found = [scorer.score(text, texts[j])["rougeL"].fmeasure for j in kept]
        if i % 20 == 0:
            scores[str(i)] = sorted(found, reverse=True)[:10]
        if not found or max(found) <= 0.7:
            kept.append(i)
    return {"texts": texts, "kept": kept, "ten_best": scores}


shown = ["Name three rivers.", "Sort the  words:", "Say\nhello: ", "Tell a joke::"]
write_json(
    OUT / "self-instruct.json",
    {
        "versions": versions("rouge-score"),
        "prompt": {"shown": shown, "text": bootstrap.encode_prompt(shown)},
        "lists": [{"answer": text, "kept": bootstrap.post_process_gpt3_response(answer(text, "stop"))} for text in LISTS],
        "input_first": instances(prepare.parse_instances_for_generation_task),
        "output_first": instances(prepare.parse_instances_for_classification_task),
        "similar": similar(400),
    },
)
