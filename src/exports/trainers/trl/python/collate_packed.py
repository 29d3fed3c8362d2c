def collate(rows):
    """Right-padded rows of several texts. Positions begin anew with each text and each padding token, which is how transformers
    knows that they do not see each other; an attention mask would hide that. An empty micro-batch is a row without targets."""
    rows = rows or [{"input_ids": [PAD], "labels": [-100], "seq_lengths": [1]}]
    width = max(len(row["input_ids"]) for row in rows)

    def padded(key, value):
        return torch.tensor([row[key] + [value] * (width - len(row[key])) for row in rows])

    positions = [[at for length in row["seq_lengths"] for at in range(length)] for row in rows]
    position_ids = torch.tensor([own + [0] * (width - len(own)) for own in positions])
    return {"input_ids": padded("input_ids", PAD), "labels": padded("labels", -100), "position_ids": position_ids}


def targets_of(batch):
    """Targets of a batch; nothing predicts a text's first token, whose label is -100."""
    return int((batch["labels"][:, 1:] != -100).sum())
