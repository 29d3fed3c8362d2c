"""Metrics by scikit-learn, scipy, seqeval and rouge_score. Writes tests/fixtures/metrics/.

    pip install scikit-learn seqeval rouge-score
"""

from common import FIXTURES, make_reproducible, versions, write_json

make_reproducible()

import math
import random
import re
import string
import warnings

import numpy as np
import seqeval.metrics as seqeval
from rouge_score.rouge_scorer import RougeScorer
from scipy import stats
from seqeval.metrics.sequence_labeling import get_entities, precision_recall_fscore_support
from sklearn import metrics

OUT = FIXTURES / "metrics"
SEED = 2201
warnings.simplefilter("ignore")


def plain(value: float) -> float | None:
    """None stands for an undefined metric."""
    return None if math.isnan(value) else float(value)


def averages(actual, predicted, names: tuple[str, ...], **options) -> dict:
    out = {}
    for name in names:
        p, r, f, _ = metrics.precision_recall_fscore_support(
            actual, predicted, average=name, zero_division=0, **options
        )
        out |= {f"precision_{name}": p, f"recall_{name}": r, f"f1_{name}": f}
    return {k: plain(v) for k, v in out.items()}


def per_class(actual, predicted, labels: list[int]) -> list[dict]:
    rows = metrics.precision_recall_fscore_support(actual, predicted, labels=labels, average=None, zero_division=0)
    keys = ("precision", "recall", "f1", "support")
    return [dict(zip(keys, map(float, row), strict=True)) for row in zip(*rows, strict=True)]


def single_label() -> list[dict]:
    draw = np.random.default_rng(SEED)

    def case(name: str, classes: int, scores: np.ndarray, actual: list[int]) -> dict:
        scores = np.asarray(scores, np.float32)
        predicted = scores.argmax(-1)
        found = averages(actual, predicted, ("macro", "weighted"))
        found |= {
            "accuracy": metrics.accuracy_score(actual, predicted),
            "f1_micro": metrics.f1_score(actual, predicted, average="micro"),
            "matthews_correlation": metrics.matthews_corrcoef(actual, predicted),
        }
        return {
            "name": name,
            "classes": classes,
            "scores": [float(x) for x in scores.ravel()],
            "targets": [int(x) for x in actual],
            "metrics": {k: plain(v) for k, v in found.items()},
            "confusion": metrics.confusion_matrix(actual, predicted, labels=range(classes)).tolist(),
            "per_class": per_class(actual, predicted, list(range(classes))),
        }

    right = draw.integers(0, 4, 60)
    noisy = draw.normal(size=(60, 4)) + 1.5 * np.eye(4)[right]
    two = draw.integers(0, 2, 31)
    return [
        case("four classes", 4, noisy, right),
        case("two classes", 2, draw.normal(size=(31, 2)) + np.eye(2)[two], two),
        case("all right", 3, np.eye(3)[[0, 1, 2, 1]], [0, 1, 2, 1]),
        case("all wrong", 3, np.eye(3)[[1, 2, 0, 0]], [0, 1, 2, 1]),
        case("equal scores", 3, np.zeros((6, 3)), [0, 1, 2, 0, 1, 0]),
        case("a class that never occurs", 4, np.eye(4)[[0, 1, 0, 1, 1]], [0, 1, 1, 1, 0]),
        case("a class that is only predicted", 4, np.eye(4)[[0, 3, 0, 1, 3]], [0, 1, 1, 1, 0]),
        case("a class that is never predicted", 3, np.eye(3)[[0, 0, 1, 1]], [0, 2, 1, 2]),
        case("one class in the data", 2, np.eye(2)[[1, 1, 1]], [1, 1, 1]),
        case("one class predicted", 2, np.eye(2)[[1, 1, 1, 1]], [1, 0, 1, 0]),
        case("one row", 5, [[0, 0, 3, 0, 0]], [2]),
    ]


def multi_label() -> list[dict]:
    draw = np.random.default_rng(SEED + 1)

    def case(name: str, scores: np.ndarray, actual: np.ndarray) -> dict:
        scores, actual = np.asarray(scores, np.float32), np.asarray(actual, int)
        # At least 0.5 after the sigmoid.
        predicted = (scores >= 0).astype(int)
        found = averages(actual, predicted, ("micro", "macro", "weighted"))
        found["accuracy"] = metrics.accuracy_score(actual, predicted)
        return {
            "name": name,
            "classes": actual.shape[1],
            "scores": [float(x) for x in scores.ravel()],
            "targets": actual.ravel().tolist(),
            "metrics": {k: plain(v) for k, v in found.items()},
            "per_class": per_class(actual, predicted, list(range(actual.shape[1]))),
        }

    actual = (draw.random((40, 5)) < 0.3).astype(int)
    return [
        case("five labels", draw.normal(size=(40, 5)) + 2 * actual - 1, actual),
        case("all right", [[1, -1, 1], [-1, -1, -1]], [[1, 0, 1], [0, 0, 0]]),
        case("all wrong", [[-1, 1, -1], [1, 1, 1]], [[1, 0, 1], [0, 0, 0]]),
        case("a label that never applies", [[1, -1, -1], [-1, -1, 1]], [[1, 0, 0], [1, 0, 1]]),
        case("nothing applies, nothing said", -np.ones((3, 2)), np.zeros((3, 2))),
        case("on the threshold", [[0, 0], [0, -0.0]], [[1, 0], [0, 1]]),
    ]


def regression() -> list[dict]:
    draw = np.random.default_rng(SEED + 2)

    def case(name: str, predicted, actual) -> dict:
        predicted, actual = (np.asarray(x, np.float32).astype(float) for x in (predicted, actual))
        enough = len(actual) > 1
        return {
            "name": name,
            "scores": predicted.tolist(),
            "targets": actual.tolist(),
            "metrics": {
                "mse": metrics.mean_squared_error(actual, predicted),
                "mae": metrics.mean_absolute_error(actual, predicted),
                "pearson": plain(stats.pearsonr(predicted, actual).statistic) if enough else None,
                "spearman": plain(stats.spearmanr(predicted, actual).statistic) if enough else None,
            },
        }

    x = draw.normal(size=50)
    return [
        case("a cloud", x + draw.normal(size=50), x),
        case("a line", 3 * x + 1, x),
        case("a line the other way", -x, x),
        case("a curve", np.exp(x), x),
        case("ties", [1, 1, 2, 2, 3, 3, 3], [2, 1, 1, 3, 3, 2, 3]),
        case("constant predictions", np.full(5, 2.0), [1, 2, 3, 4, 5]),
        case("one number", [1.5], [2.0]),
    ]


def entities() -> list[dict]:
    draw = random.Random(SEED + 3)
    kinds = ("PER", "LOC", "ORG-X", "MISC")
    tags = ["O", *(f"{mark}-{kind}" for kind in kinds for mark in "BI")]

    def noise(rows: list[list[str]], share: float) -> list[list[str]]:
        return [[draw.choice(tags) if draw.random() < share else tag for tag in row] for row in rows]

    def sentence() -> list[str]:
        row: list[str] = []
        while len(row) < 12:
            if draw.random() < 0.5:
                row.append("O")
            else:
                kind = draw.choice(kinds)
                row += [f"B-{kind}", *[f"I-{kind}"] * draw.randint(0, 3)]
        return row

    def case(name: str, predicted: list[list[str]], expected: list[list[str]]) -> dict:
        labels = sorted({tag for rows in (predicted, expected) for row in rows for tag in row} | {"O", "B-PER"})
        types = sorted({e[0] for rows in (predicted, expected) for row in rows for e in get_entities(row)})
        per_type = precision_recall_fscore_support(expected, predicted, average=None, zero_division=0)
        keys = ("precision", "recall", "f1", "support")
        rows = [dict(zip(keys, map(float, r), strict=True)) for r in zip(*per_type, strict=True)] if types else []
        return {
            "name": name,
            "labels": labels,
            "predicted": predicted,
            "expected": expected,
            "entities": [[[k, a, b + 1] for k, a, b in get_entities(row)] for row in expected],
            "metrics": {
                "precision": float(seqeval.precision_score(expected, predicted, zero_division=0)),
                "recall": float(seqeval.recall_score(expected, predicted, zero_division=0)),
                "f1": float(seqeval.f1_score(expected, predicted, zero_division=0)),
                "f1_macro": float(seqeval.f1_score(expected, predicted, average="macro", zero_division=0)) if types else 0.0,
                "f1_weighted": float(seqeval.f1_score(expected, predicted, average="weighted", zero_division=0)) if types else 0.0,
                "accuracy": float(seqeval.accuracy_score(expected, predicted)),
            },
            "types": types,
            "per_class": rows,
        }

    good = [sentence() for _ in range(25)]
    loose = [[tag.replace("B-", "I-") for tag in row] for row in good]
    wild = [[draw.choice(tags) for _ in range(10)] for _ in range(20)]
    return [
        case("some wrong", noise(good, 0.15), good),
        case("all right", good, good),
        case("all wrong", [["O"] * len(row) for row in good[:3]], good[:3]),
        case("names where there are none", good[:3], [["O"] * len(row) for row in good[:3]]),
        case("no names at all", [["O", "O"], ["O"]], [["O", "O"], ["O"]]),
        case("IOB1", noise(loose, 0.1), loose),
        case("tags at random", noise(wild, 0.3), wild),
        case("I- without B-", [["I-PER", "I-PER", "O", "I-LOC"]], [["B-PER", "I-PER", "O", "B-LOC"]]),
        case("another kind inside", [["B-PER", "I-LOC", "I-LOC"]], [["B-PER", "I-PER", "B-LOC"]]),
        case("names end with their texts", [["O", "B-PER"], ["I-PER", "O"]], [["O", "B-PER"], ["I-PER", "O"]]),
        case(
            "BIOES",
            [["S-LOC", "B-PER", "I-PER", "E-PER", "O", "B-LOC", "E-LOC"]],
            [["S-LOC", "B-PER", "I-PER", "E-PER", "O", "B-LOC", "I-LOC"]],
        ),
        case("only I- after S- and E-", [["S-PER", "I-PER", "E-PER", "I-PER"]], [["S-PER", "S-PER", "B-PER", "E-PER"]]),
    ]


def normalized(text: str) -> str:
    """From SQuAD's evaluate-v1.1.py, https://rajpurkar.github.io/SQuAD-explorer/."""
    text = "".join(ch for ch in text.lower() if ch not in set(string.punctuation))
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def texts() -> dict:
    pairs = [
        ("the cat sat on the mat", "the cat is on the mat"),
        ("The quick, brown fox!", "the QUICK brown fox"),
        ("", "something"),
        ("something", ""),
        ("", ""),
        ("...", "!!!"),
        ("a b c d e", "e d c b a"),
        ("one one one two", "one two two"),
        ("It's 3.14 o'clock", "it s 3 14 o clock"),
        ("żółw and ünder", "zolw and under"),
        ("привет мир", "привет мир"),
        ("running runs ran", "run run run"),
        ("police killed the gunman", "police kill the gunman"),
        ("the gunman kill police", "police killed the gunman"),
        ("under_score and hy-phen", "underscore and hyphen"),
    ]
    scorer = RougeScorer(["rougeL"], use_stemmer=False)
    rouge = []
    for written, expected in pairs:
        score = scorer.score(expected, written)["rougeL"]
        rouge.append([written, expected, score.precision, score.recall, score.fmeasure])
    answers = [
        "The Answer.",
        "an  answer",
        "a",
        "A-b, the c",
        "\tTHE\nend ",
        "Theatre and banana",
        "l'été à la plage",
        "the à a",
        "“quoted” text",
        "it's (not) a_b the_c",
        "",
        "The the THE",
    ]
    return {"rouge_l": rouge, "normalized": [[text, normalized(text)] for text in answers]}


if __name__ == "__main__":
    write_json(
        OUT / "metrics.json",
        {
            "made_by": "tests/oracle/make_metric_fixtures.py",
            "versions": versions("scikit-learn", "scipy", "seqeval", "rouge-score"),
            "tolerance": "1e-9: both compute in double precision; null is a figure that is not defined",
            "single_label": single_label(),
            "multi_label": multi_label(),
            "regression": regression(),
            "entities": entities(),
            "texts": texts(),
        },
    )
