def with_virtual_tokens(model):
    """Virtual tokens as they are before the first step. PEFT opens saved ones only to use them, so they are made anew and filled."""
    config = PeftConfig.from_pretrained(HERE / "init_adapter")
    config.inference_mode = False
    beginning = getattr(config, "prompt_tuning_init", None)
    if beginning is not None:
        config.prompt_tuning_init = "RANDOM"  # a text needs a tokenizer, and all of it is replaced
    model = get_peft_model(model, config)
    values = load_file(HERE / "init_adapter" / "adapter_model.safetensors")
    network = {name.removeprefix("prompt_encoder."): value for name, value in read_network().items()}
    encoder = model.prompt_encoder["default"]
    if network:
        values["prompt_embeddings"] = network["embedding.weight"]
    set_peft_model_state_dict(model, values)
    if network:
        encoder.load_state_dict(network)
    if beginning is not None:
        config.prompt_tuning_init = beginning
    return model


def read_network():
    """What produces the virtual tokens, where a network does; the adapter has only its output."""
    file = HERE / "init_tensors.safetensors"
    return load_file(file) if file.exists() else {}
