def collate(rows):
    """Right-padded; an empty micro-batch is a row without targets, which weighs nothing."""
    rows = rows or [{"input_ids": [PAD], "labels": [-100]}]
    width = max(len(row["input_ids"]) for row in rows)

    def padded(key, value):
        return torch.tensor([row[key] + [value] * (width - len(row[key])) for row in rows])

    lengths = torch.tensor([len(row["input_ids"]) for row in rows])
    attention_mask = (torch.arange(width) < lengths[:, None]).long()
    return {"input_ids": padded("input_ids", PAD), "labels": padded("labels", -100), "attention_mask": attention_mask}


def targets_of(batch):
    """Targets of a batch; nothing predicts a row's first token."""
    return int((batch["labels"][:, 1:] != -100).sum())
