EMPTY = {"chosen_ids": [PAD, PAD], "rejected_ids": [PAD, PAD], "chosen_prompt": 1, "rejected_prompt": 1}


def collate(rows):
    """Better answers behind their prompts, then the others; a row without an answer stands for an empty micro-batch."""
    given = rows or [EMPTY]
    ids = [row[f"{side}_ids"] for side in ("chosen", "rejected") for row in given]
    prompts = [row[f"{side}_prompt"] for side in ("chosen", "rejected") for row in given]
    answers = [[0] * prompt + [1] * (len(own) - prompt) for own, prompt in zip(ids, prompts, strict=True)]
    return {**tokens_of(ids), "completion_mask": padded(answers, 0), "targets": torch.tensor([len(rows)])}
