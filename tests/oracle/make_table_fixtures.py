"""Writes small Parquet files to tests/fixtures/tables/, one per codec and encoding that people's files have, and what pyarrow
reads from them as rows.json.

    python make_table_fixtures.py
"""

import datetime
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

OUT = Path(__file__).parent.parent / "fixtures" / "tables"
OUT.mkdir(parents=True, exist_ok=True)

turns = lambda i: [{"role": "user", "content": f"Ask {i}? 你好"}, {"role": "assistant", "content": f"Answer {i}."}]
rows = [
    {
        "id": 2**60 + i,
        "text": f"The same words number {i % 3}, “quoted”",
        "label": i % 2,
        "score": 0.5 + i,
        "tags": [f"t{j}" for j in range(i % 3)],
        "messages": turns(i),
        "nested": {"context": f"c{i}", "choices": ["a", "b"]},
        "maybe": None if i % 2 else f"there {i}",
        "when": datetime.datetime(2024, 1, 1 + i, 12, tzinfo=datetime.timezone.utc),
    }
    for i in range(8)
]
features = {"label": {"names": ["neg", "pos"], "_type": "ClassLabel"}, "text": {"dtype": "string", "_type": "Value"}}
table = pa.Table.from_pylist(rows)
named = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})

for codec in ["none", "snappy", "gzip", "zstd", "brotli", "lz4"]:
    pq.write_table(table, OUT / f"{codec}.parquet", compression=codec)
pq.write_table(named, OUT / "class-names.parquet", compression="snappy", row_group_size=3)
pq.write_table(table, OUT / "plain-v2.parquet", compression="zstd", use_dictionary=False, data_page_version="2.0")
pq.write_table(
    pa.table({"text": ["one", "two"], "image": [{"bytes": b"\x89PNG", "path": "a.png"}] * 2}), OUT / "images.parquet"
)
pq.write_table(pa.table({"text": pa.array([], pa.string())}), OUT / "empty.parquet")
for row in rows:
    row["id"] = str(row["id"])
    row["when"] = row["when"].isoformat().replace("+00:00", ".000Z")
(OUT / "rows.json").write_text(json.dumps(rows, ensure_ascii=False, indent=1) + "\n")
