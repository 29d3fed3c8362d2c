def padded(lists, value):
    """[rows, longest], filled up on the right."""
    width = max(map(len, lists))
    return torch.tensor([row + [value] * (width - len(row)) for row in lists])


def tokens_of(lists):
    """What a model reads of lists of tokens."""
    return {"input_ids": padded(lists, PAD), "attention_mask": padded([[1] * len(ids) for ids in lists], 0)}


def targets_of(batch):
    """How many targets the loss of a batch is a mean over."""
    return int(batch["targets"].sum())
