class OwnOptimizer:
    """For a Trainer: Adam, whose weight decay is a part of the gradient; the Trainer knows AdamW only."""

    @staticmethod
    def get_optimizer_cls_and_kwargs(args, model=None):
        betas = (args.adam_beta1, args.adam_beta2)
        return torch.optim.Adam, {"lr": args.learning_rate, "betas": betas, "eps": args.adam_epsilon}
