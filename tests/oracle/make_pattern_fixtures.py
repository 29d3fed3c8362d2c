"""What Python's re says of generated patterns of module names, as PEFT matches them (get_pattern_key). Writes
tests/fixtures/patterns/python-re.json: [pattern, None if re refuses it, else one 0 or 1 per text].

    python make_pattern_fixtures.py      # the standard library only
"""

import json
import random
import re
import signal
import sys
import warnings
from pathlib import Path

OUT = Path(__file__).resolve().parents[1] / "fixtures" / "patterns"
warnings.simplefilter("ignore")
draw = random.Random(2611)


def too_slow(*_):
    raise TimeoutError


signal.signal(signal.SIGALRM, too_slow)

TEXTS = [
    "",
    "q_proj",
    "model.layers.0.self_attn.q_proj",
    "model.layers.11.mlp.down_proj",
    "encoder.layer.3.output.dense",
    "h.0.attn.c_attn",
    "a.a.a.b",
    "aab",
    "Q_PROJ",
    "x1.y22.z",
    "é.ß_7",
    "a\nb",
]

KNOWN = [
    r".*\.(q|v)_proj",
    r"model\.layers\.(?:[0-9]|1[01])\..*",
    r"^(?!.*mlp).*proj$",
    r"(?:.*?(?:self_attn|mlp).*?(?:q_proj|down_proj).*?)|(?:\bh\b)",
    r"(?i)q_proj",
    r"(?i:Q)_proj",
    r"layers\.\d+\.(?P<part>mlp|self_attn)\.\w+",
    r"(?<=layers\.)\d+\..*",
    r"(?<!self_)attn\.c_attn",
    r"(a?){8}a{8}",
    r"(a*)*b",
    r"(a|a)*b",
    r"(a|aa)+$",
    r"[^.]+",
    r"[]a.]+b",
    r"[a-\d]",
    r"[z-a]",
    r"a{2}b",
    r"a{,3}b",
    r"a{x}",
    r"a{}",
    r"{2}",
    r"a**",
    r"a*?b",
    r"a+?",
    r"*a",
    r"^*a",
    r"(?:^)*a",
    r"\Aaab\Z",
    r"\bq_proj\b",
    r"\Bproj",
    r"a\x2eb",
    r"a\.a\.\u0061\.b",
    r"\q",
    r"\8",
    r"a\\",
    "a\\",
    r"(a",
    r"a)|(b",
    r"()",
    r"(|a)ab",
    r"a|",
    r"(?s:a.b)",
    r"a.b",
    r"\w+\.\w+",
    r"[\w.]+",
    r"[^\W\d]+\.\S+",
    r"(?P<a>x)(?P<a>y)",
    r"\141ab",
    r"[\b]",
]


def atom(depth: int) -> str:
    kind = draw.randrange(12 if depth > 0 else 7)
    if kind < 3:
        return draw.choice(list("abqx_1") + ["proj", "attn", "layers", "0", "é"])
    if kind == 3:
        return draw.choice([".", r"\.", r"\d", r"\w", r"\s", r"\W", r"\D", r"\S", r"\b", r"\B", "^", "$"])
    if kind == 4:
        inside = "".join(draw.choice(list("abqx_.01-^]") + [r"\d", r"\w", "a-f", "0-9", r"\."]) for _ in range(draw.randint(1, 4)))
        return "[" + draw.choice(["", "", "^"]) + inside + "]"
    if kind == 5:
        return draw.choice([r"q_proj", r"\.mlp\.", "model"])
    if kind == 6:
        return draw.choice(["{", "}", "{1", "-", "]", "~"])
    start = draw.choice(["(", "(", "(?:", "(?=", "(?!", "(?<=", "(?<!", "(?i:", "(?s:"])
    return start + pattern(depth - 1) + ")"


def pattern(depth: int) -> str:
    branches = []
    for _ in range(draw.choice([1, 1, 1, 2, 3])):
        text = ""
        for _ in range(draw.randint(0, 4)):
            text += atom(depth) + draw.choice([""] * 6 + ["*", "+", "?", "*?", "+?", "??", "{2}", "{1,3}", "{0,}", "{,2}"])
        branches.append(text)
    return "|".join(branches)


def broken(text: str) -> str:
    """A pattern with one character removed, doubled or replaced."""
    if not text:
        return "("
    i = draw.randrange(len(text))
    return text[:i] + draw.choice(["", text[i] * 2, "(", ")", "*", "\\", "[", "|", "{"]) + text[i + 1 :]


def answer(key: str) -> str | None:
    try:
        compiled = re.compile(rf"(.*\.)?({key})$")
    except (re.error, OverflowError):
        return None
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    try:
        return "".join("1" if compiled.match(text) else "0" for text in TEXTS)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


patterns = list(KNOWN)
while len(patterns) < 1800:
    made = pattern(draw.randint(0, 3))
    patterns.append(made if draw.random() < 0.8 else broken(made))
OUT.mkdir(parents=True, exist_ok=True)
rows, slow = [], 0
for key in dict.fromkeys(patterns):
    try:
        rows.append([key, answer(key)])
    except TimeoutError:
        slow += 1
(OUT / "python-re.json").write_text(
    json.dumps({"python": sys.version.split()[0], "texts": TEXTS, "rows": rows}, ensure_ascii=False, separators=(",", ":")) + "\n"
)
print(len(rows), "patterns,", slow, "that Python does not finish in half a second and are left out,", sum(r is None for _, r in rows), "refused,", sum(r.count("1") for _, r in rows if r), "matches")
