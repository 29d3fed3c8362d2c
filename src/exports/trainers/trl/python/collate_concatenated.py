EMPTY = {"chosen_ids": [PAD, PAD], "rejected_ids": [PAD, PAD], "chosen_prompt": 1, "rejected_prompt": 1}


def collate(rows):
    """Better and other answers behind their prompts; a row of padding stands for an empty micro-batch."""
    given = rows or [EMPTY]
    batch = {"targets": torch.tensor([len(rows)])}
    for side in ("chosen", "rejected"):
        ids = [row[f"{side}_ids"] for row in given]
        labels = [[-100] * row[f"{side}_prompt"] + row[f"{side}_ids"][row[f"{side}_prompt"] :] for row in given]
        batch |= {f"{side}_{key}": values for key, values in tokens_of(ids).items()}
        batch[f"{side}_labels"] = padded(labels, -100)
    return batch
