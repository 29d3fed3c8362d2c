class LoraPlus:
    """For a Trainer: LoRA+ (Hayou et al., 2024), in which B learns faster than A."""

    def create_optimizer(self, model=None):
        if self.optimizer is None:
            optimizer_class, settings = self.get_optimizer_cls_and_kwargs(self.args, self.model)
            settings |= {"loraplus_lr_ratio": LORAPLUS_LR_RATIO, "loraplus_weight_decay": self.args.weight_decay}
            self.optimizer = create_loraplus_optimizer(self.model, optimizer_class, **settings)
        return self.optimizer
