class OwnSchedule:
    """For a Trainer: ULMFiT's slanted triangular schedule (Howard and Ruder, 2018), which transformers does not have."""

    def create_scheduler(self, num_training_steps, optimizer=None):
        cut = max(1, math.floor(num_training_steps * CUT_FRACTION))

        def factor(step):
            p = step / cut if step < cut else 1 - (step - cut) / (cut * (1 / CUT_FRACTION - 1))
            return (1 + max(0, p) * (PEAK_TO_LOWEST - 1)) / PEAK_TO_LOWEST

        self.lr_scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer or self.optimizer, factor)
        self._created_lr_scheduler = True
        return self.lr_scheduler
