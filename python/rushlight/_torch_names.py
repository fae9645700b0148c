"""Names of modules here and in PyTorch, where classes lie elsewhere."""

# What lies elsewhere in PyTorch: module, or module and name -> PyTorch's module, which stands in files.
_HOMES = {
    "rushlight.nn.modules.attention": "torch.nn.modules.activation",
    "rushlight.nn.modules.likelihood": "torch.nn.modules.loss",
    "rushlight.nn.modules.likelihood.LinearCrossEntropyOptions": "torch.nn.modules.linear_cross_entropy_options",
    "rushlight.nn.modules.margin": "torch.nn.modules.loss",
    "rushlight.nn.parallel": "torch.nn.parallel.data_parallel",
    "rushlight.optim._adafactor": "torch.optim",
    "rushlight.optim._muon": "torch.optim",
}
_OURS = {
    "torch.nn.parallel.data_parallel": "rushlight.nn.parallel",
    "torch.nn.modules.linear_cross_entropy_options": "rushlight.nn.modules.likelihood",
}


def torch_name(module: str, name: str = "") -> str:
    """Our modules under PyTorch's name, as they stand in files, and in what is printed after install_as_torch()."""
    if module.startswith("rushlight.optim.lr_scheduler."):
        return "torch.optim.lr_scheduler"
    home = _HOMES.get(f"{module}.{name}") or _HOMES.get(module)
    if home:
        return home
    return "torch" + module[len("rushlight") :] if module.split(".")[0] == "rushlight" else module


def our_name(module: str) -> str:
    """PyTorch's name of a module as ours."""
    if module in _OURS:
        return _OURS[module]
    return "rushlight" + module[len("torch") :] if module.split(".")[0] == "torch" else module
