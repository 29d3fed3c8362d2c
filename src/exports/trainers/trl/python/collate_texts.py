def collate(rows):
    """Texts with their labels; a row of padding stands for an empty micro-batch."""
    given = rows or [{"input_ids": [PAD], "labels": NO_LABELS}]
    labels = torch.tensor([row["labels"] for row in given], dtype=LABEL_TYPE)
    return {**tokens_of([row["input_ids"] for row in given]), "labels": labels, "targets": torch.tensor([len(rows)])}
