def without_start(model):
    """PiSSA trains what it takes out of the weights: the base is what remains of them."""
    for module in model.modules():
        if isinstance(module, LoraLayer) and "default" in module.lora_A:
            module.get_base_layer().weight.data -= module.get_delta_weight("default")


def as_plain_lora(folder):
    """As a change of the unchanged base: LoRA of twice the rank, with the start subtracted (PEFT's subtract_mutated_init)."""
    file = folder / "adapter_model.safetensors"
    tensors, start = load_file(file), load_file(HERE / "init_adapter" / "adapter_model.safetensors")
    for name in tensors:
        if ".lora_A." in name:
            tensors[name] = torch.cat([tensors[name], start[name]])
        elif ".lora_B." in name:
            tensors[name] = torch.cat([tensors[name], -start[name]], dim=1)
    save_file(tensors, file, metadata={"format": "pt"})
    config = json.loads((folder / "adapter_config.json").read_text())
    # The scale is alpha / rank, or alpha / sqrt(rank), and stays the same.
    times = math.sqrt(2) if config["use_rslora"] else 2
    config["r"] *= 2
    config["lora_alpha"] *= times
    config["rank_pattern"] = {name: 2 * rank for name, rank in config["rank_pattern"].items()}
    config["alpha_pattern"] = {name: times * alpha for name, alpha in config["alpha_pattern"].items()}
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=2))
