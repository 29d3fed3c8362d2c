class OwnFigures:
    """For TRL's ORPO and CPO, which would mix figures of an evaluation with those of the next step."""

    def store_metrics(self, metrics, train_eval="train"):
        super().store_metrics(metrics, "train" if self.model.training else "eval")
