def with_adapter(model):
    """The adapter as it is before the first step. DeepSpeed's ZeRO-3 needs adapter and model in one type (trl#6089)."""
    cast = not is_deepspeed_zero3_enabled()
    return PeftModel.from_pretrained(model, HERE / "init_adapter", is_trainable=True, autocast_adapter_dtype=cast)
