def collate(rows):
    """Better answers behind their prompts, then the others; a row of padding stands for an empty micro-batch."""
    given = rows or [{"chosen_ids": [PAD], "rejected_ids": [PAD], "margin": 0.0}]
    batch = tokens_of([row[f"{side}_ids"] for side in ("chosen", "rejected") for row in given])
    if "margin" in given[0]:
        batch["margin"] = torch.tensor([row["margin"] for row in given])
    return {**batch, "targets": torch.tensor([len(rows)])}
