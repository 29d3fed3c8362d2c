EMPTY = {"ids": [PAD, PAD], "prompt": 1, "beyond": [], "limit": 2, "good": True}


def collate(rows):
    """Answers behind their prompts, and each prompt with the answer of the row before (the first with the last one's), from which
    the divergence is estimated. A row of padding stands for an empty micro-batch."""
    given = rows or [EMPTY]
    others = given[-1:] + given[:-1]
    mismatched = [
        (row["ids"][: row["prompt"]] + other["ids"][other["prompt"] :] + other["beyond"])[: row["limit"]]
        for row, other in zip(given, others, strict=True)
    ]
    batch = {"label": torch.tensor([row["good"] for row in given]), "targets": torch.tensor([len(rows)])}
    for prefix, lists in (("", [row["ids"] for row in given]), ("KL_", mismatched)):
        answers = [
            [0] * row["prompt"] + [1] * (len(ids) - row["prompt"]) for row, ids in zip(given, lists, strict=True)
        ]
        batch |= {f"{prefix}{key}": values for key, values in tokens_of(lists).items()}
        batch[f"{prefix}completion_mask"] = padded(answers, 0)
    return batch
