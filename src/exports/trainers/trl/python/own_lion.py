class OwnOptimizer:
    """For a Trainer: Lion, which torch does not have."""

    @staticmethod
    def get_optimizer_cls_and_kwargs(args, model=None):
        return Lion, {"lr": args.learning_rate, "betas": (args.adam_beta1, args.adam_beta2)}
