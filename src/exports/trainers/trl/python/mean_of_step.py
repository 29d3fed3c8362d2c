class MeanOfStep:
    """For a Trainer whose loss is a mean over a micro-batch. Each micro-batch counts by its targets, so that every target of a
    step weighs the same, in whichever micro-batch and on whichever process it is; one without rows weighs nothing."""

    loss_is_scaled_for_ga = True

    def get_batch_samples(self, epoch_iterator, num_batches, device):
        samples, _ = super().get_batch_samples(epoch_iterator, num_batches, device)
        own = torch.tensor([sum(targets_of(batch) for batch in samples)], device=device)
        return samples, self.accelerator.gather(own).sum()

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        share = inputs.pop("targets").sum() / num_items_in_batch.clamp(min=1)
        # Micro-batches of two processes can differ in size, and cannot be gathered then: figures beside the loss are of each alone.
        accelerator = self.accelerator
        accelerator.gather = accelerator.gather_for_metrics = lambda values, *_, **__: values
        try:
            loss = super().compute_loss(model, inputs)
        finally:
            del accelerator.gather, accelerator.gather_for_metrics
        return loss * share * self.args.world_size
