def with_head_alone(model):
    """Everything but the head stays as it is."""
    head = set(load_file(HERE / "init_tensors.safetensors"))
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name in head)
