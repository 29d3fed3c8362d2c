"""The rewards of the run, as functions that TRL's trainers call. Each gives an answer what it gives in Tabtune."""

import json
import unicodedata
from fractions import Fraction

import regex


def function(name, score):
    """A reward function of TRL's: one number, or None, for each completion."""

    def rewards(prompts, completions, completion_ids=None, **columns):
        texts = [one if isinstance(one, str) else "".join(m["content"] for m in one) for one in completions]
        ids = completion_ids or [[] for _ in texts]
        lists = {key: values for key, values in columns.items() if isinstance(values, list)}
        rows = [{key: values[i] for key, values in lists.items()} for i in range(len(texts))]
        return [score(text, row, tokens) for text, row, tokens in zip(texts, rows, ids)]

    rewards.__name__ = rewards.__qualname__ = name
    return rewards


def after_thoughts(text):
    return text.rpartition("</think>")[2]


def column_text(value):
    if value is None:
        return None
    if isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, float) and value.is_integer():
        text = str(int(value))
    else:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return None if text.strip() == "" else text


def normalised(text, ignore_case, ignore_punctuation):
    text = unicodedata.normalize("NFKC", text)
    if ignore_case:
        text = text.lower()
    if ignore_punctuation:
        text = regex.sub(r"[\p{P}\p{S}]+", " ", text)
    return " ".join(text.split())


WHOLE = r"[0-9]{1,3}(?:[,’'\u00a0\u2009\u202f][0-9]{3})+(?![0-9])|[0-9]+"
NUMBER = regex.compile(
    r"(?P<sign>(?<![\p{L}\p{N})_])[-−–])?[$€£¥]?(?P<inner>[-−–])?[$€£¥]?(?:"
    r"\\[dt]?frac\s*\{\s*(?P<ftop>[-−]?[0-9]+)\s*\}\s*\{\s*(?P<fbottom>[0-9]+)\s*\}"
    r"|(?<![\p{L}_])(?:(?P<mixed>[0-9]+)[ \u00a0]+)?(?P<top>[0-9]+)\s?[/⁄]\s?(?P<bottom>[0-9]+)(?![0-9/⁄])"
    r"|(?<![\p{L}_])(?P<decimal>(?:(?:" + WHOLE + r")(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3}(?![0-9\p{L}]))?)"
    r")(?P<percent>\s?\\?%)?"
)
LONGEST = 400


def read_number(match):
    if len(match[0]) > LONGEST:
        return None
    negative = match["sign"] is not None or (match["inner"] is not None and match[0][0] in "$€£¥")
    if match["ftop"] is not None:
        top, bottom = int(match["ftop"].replace("−", "-")), int(match["fbottom"])
    elif match["top"] is not None:
        bottom = int(match["bottom"])
        top = int(match["mixed"] or 0) * bottom + int(match["top"])
    else:
        digits, _, exponent = regex.sub("[,’'\u00a0\u2009\u202f]", "", match["decimal"]).lower().partition("e")
        whole, _, part = digits.partition(".")
        power = int(exponent or 0) - len(part)
        if abs(power) > LONGEST:
            return None
        top, bottom = int(whole + part) * 10 ** max(power, 0), 10 ** max(-power, 0)
    if bottom == 0:
        return None
    return Fraction(-top if negative else top, bottom), match["percent"] is not None


def first_number(text):
    return next((found for found in map(read_number, NUMBER.finditer(text)) if found), None)


def answer_number(text):
    if "####" in text:
        return first_number(text.rpartition("####")[2])
    if "\\boxed{" in text and (boxed := first_number(text.rpartition("\\boxed{")[2])):
        return boxed
    found = [number for number in map(read_number, NUMBER.finditer(text)) if number]
    return found[-1] if found else None


def same_number(a, b, tolerance):
    def same(x, y):
        return x == y or (tolerance > 0 and abs(float(x) - float(y)) <= tolerance)

    (x, x_percent), (y, y_percent) = a, b
    if same(x, y):
        return True
    if x_percent == y_percent:
        return False
    return same(x / 100, y) if x_percent else same(x, y / 100)


def exact_answer(column, compare, tolerance, ignore_case, ignore_punctuation):
    def score(text, row, tokens):
        expected = column_text(row.get(column))
        if expected is None:
            return None
        answer = after_thoughts(text)
        if compare == "text":
            options = (ignore_case, ignore_punctuation)
            return float(normalised(answer, *options) == normalised(expected, *options))
        wanted = answer_number(expected)
        if wanted is None:
            return None
        given = answer_number(answer)
        return float(given is not None and same_number(given, wanted, tolerance))

    return score


SPACE = r"\s\ufeff"
LETTER = "A-Za-z0-9_"
OUTSIDE = {
    "[]": "(?!)",
    "[^]": "(?s:.)",
    r"\d": "[0-9]",
    r"\D": "[^0-9]",
    r"\w": f"[{LETTER}]",
    r"\W": f"[^{LETTER}]",
    r"\s": f"[{SPACE}]",
    r"\S": f"[^{SPACE}]",
    r"\b": f"(?:(?<![{LETTER}])(?=[{LETTER}])|(?<=[{LETTER}])(?![{LETTER}]))",
    r"\B": f"(?:(?<![{LETTER}])(?![{LETTER}])|(?<=[{LETTER}])(?=[{LETTER}]))",
    ".": r"[^\n\r\u2028\u2029]",
    "^": r"(?<![\s\S])",
    "$": r"(?![\s\S])",
}
WITH_LINES = {"^": r"(?<![^\n\r\u2028\u2029])", "$": r"(?![^\n\r\u2028\u2029])"}
INSIDE = {r"\d": "0-9", r"\w": LETTER, r"\s": SPACE, r"\b": r"\x08", "[": r"\["}
CLASS = regex.compile(r"\[(\^?+)((?:\\.|[^\]\\])+)\]", regex.S)


def from_javascript(pattern, flags):
    """JavaScript's digits and letters are ASCII, and its $ is no place before a last line break."""
    outside = OUTSIDE | (WITH_LINES if "m" in flags else {}) | ({".": r"[\s\S]"} if "s" in flags else {})

    def part(found):
        text = found[0]
        if members := CLASS.fullmatch(text):
            inside = regex.sub(r"\\.|\[", lambda one: INSIDE.get(one[0], one[0]), members[2], flags=regex.S)
            return f"[{members[1]}{inside}]"
        return f"(?P={text[3:-1]})" if text.startswith(r"\k<") else outside.get(text, text)

    return regex.sub(rf"\[\^?\]|{CLASS.pattern}|\\k<\w+>|\\.|[.^$]", part, pattern, flags=regex.S)


def regular_expression(pattern, flags, match):
    pattern = from_javascript(pattern, flags)
    if match == "whole":
        pattern = rf"\A(?:{pattern})\Z"
    compiled = regex.compile(pattern, regex.I if "i" in flags else 0)
    return lambda text, row, tokens: float(compiled.search(text) is not None)


def schema_check(schema):
    """Needs the package jsonschema."""
    from jsonschema import Draft202012Validator

    return Draft202012Validator(json.loads(schema)).is_valid


FENCE = regex.compile(r"```[^\S\n]*(?:json)?[^\S\n]*\n(.*?)\n?```", regex.I | regex.S)


def json_valid(schema, fenced, partial):
    fits = schema_check(schema) if schema.strip() else lambda value: True

    def refuse(constant):
        raise ValueError(constant)

    def score(text, row, tokens):
        answer = after_thoughts(text)
        found = FENCE.search(answer) if fenced else None
        try:
            value = json.loads((found and found[1]) or answer, parse_constant=refuse)
        except ValueError:
            return 0.0
        return 1.0 if fits(value) else float(partial)

    return score


def finder(ignore_case, whole_words):
    def form(text):
        text = regex.sub(r"\s+", " ", unicodedata.normalize("NFKC", text))
        return text.lower() if ignore_case else text

    def letter(text):
        return text != "" and (text == "_" or unicodedata.category(text)[0] in "LMN")

    def find(answer, word):
        text, wanted = form(answer), form(word).strip()
        at = text.find(wanted) if wanted else -1
        while at >= 0:
            end = at + len(wanted)
            starts_inside = letter(text[at - 1 : at]) and letter(text[at])
            ends_inside = letter(text[end - 1]) and letter(text[end : end + 1])
            if not whole_words or not (starts_inside or ends_inside):
                return True
            at = text.find(wanted, at + 1)
        return False

    return find


def contains(words, column, count, ignore_case, whole_words):
    find = finder(ignore_case, whole_words)

    def score(text, row, tokens):
        value = row.get(column) if column is not None else None
        more = [column_text(one) for one in (value if isinstance(value, list) else [value])]
        wanted = [*words, *(word for word in more if word is not None)]
        if not wanted:
            return None
        found = sum(find(text, word) for word in wanted)
        if count == "share":
            return found / len(wanted)
        return float(found > 0 if count == "any" else found == len(wanted))

    return score


def avoids(words, ignore_case, whole_words):
    find = finder(ignore_case, whole_words)
    return lambda text, row, tokens: float(not any(find(text, word) for word in words))


def length(unit, min, max, slope):
    def score(text, row, tokens):
        count = {"tokens": len(tokens), "characters": len(text.strip()), "words": len(text.split())}[unit]
        outside = min - count if count < min else count - max if count > max else 0
        if outside == 0:
            return 1.0
        fallen = 1 - outside / slope if slope else 0.0
        return fallen if fallen > 0 else 0.0

    return score


THINK = regex.compile(r"<think>(?!.*<think>)(.*?)</think>.*\Z", regex.S)


def think_format(answer_tag):
    def score(text, row, tokens):
        if not THINK.match(text):
            return 0.0
        if answer_tag is None:
            return 1.0
        start, end = f"<{answer_tag}>", f"</{answer_tag}>"
        rest = text.partition("</think>")[2].strip()
        once = rest.count(start) == 1 and rest.count(end) == 1
        return float(rest.startswith(start) and rest.endswith(end) and once)

    return score


def repetition_penalty(ngram_size, max_penalty):
    def score(text, row, tokens):
        total = len(tokens) - ngram_size + 1
        if total < 1:
            return 0.0
        distinct = {tuple(tokens[at : at + ngram_size]) for at in range(total)}
        return (1 - len(distinct) / total) * max_penalty

    return score
