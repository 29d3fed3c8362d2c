def collate(rows):
    """Texts with a label on the first token of each word; a row of padding stands for an empty micro-batch."""
    given = rows or [{"input_ids": [PAD], "labels": [0]}]
    targets = sum(label != -100 for row in rows for label in row["labels"])
    # PEFT does not put labels before those of the words for its virtual tokens.
    labels = padded([[-100] * VIRTUAL_TOKENS + row["labels"] for row in given], -100)
    return {**tokens_of([row["input_ids"] for row in given]), "labels": labels, "targets": torch.tensor([targets])}
