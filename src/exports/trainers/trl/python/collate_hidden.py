def collate(rows):
    """Texts in which some tokens are hidden, and what these were; a row of padding stands for an empty micro-batch."""
    given = rows or [{"input_ids": [PAD], "labels": [-100]}]
    targets = sum(label != -100 for row in given for label in row["labels"])
    labels = padded([row["labels"] for row in given], -100)
    if targets == 0:
        labels[0, 0] = PAD  # a mean needs something; it weighs nothing
    return {**tokens_of([row["input_ids"] for row in given]), "labels": labels, "targets": torch.tensor([targets])}
