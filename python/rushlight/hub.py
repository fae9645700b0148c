"""torch.hub: weights from an address, kept in a folder. Models of repositories on GitHub need PyTorch itself."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import sys
import tempfile
from typing import Any
from urllib.parse import urlparse
from urllib.request import Request, urlopen

from rushlight.serialization import load as _load

__all__ = ["download_url_to_file", "get_dir", "help", "list", "load", "load_state_dict_from_url", "set_dir"]

_dir: list[str] = []
_HASH = re.compile(r"-([a-f0-9]*)\.")


def get_dir() -> str:
    """Where downloads are kept: what set_dir() was told, else $TORCH_HOME/hub or ~/.cache/torch/hub."""
    if _dir:
        return _dir[0]
    cache = os.getenv("XDG_CACHE_HOME", "~/.cache")
    return os.path.join(os.path.expanduser(os.getenv("TORCH_HOME", os.path.join(cache, "torch"))), "hub")


def set_dir(d: str | os.PathLike) -> None:
    """Keeps downloads in d."""
    _dir[:] = [os.path.expanduser(d)]


def download_url_to_file(url: str, dst: str, hash_prefix: str | None = None, progress: bool = True) -> None:
    """Writes what lies at url to the file dst.

    Raises:
        RuntimeError: the SHA-256 of it does not begin with hash_prefix.
    """
    dst = os.path.expanduser(dst)
    digest = hashlib.sha256()
    handle, part = tempfile.mkstemp(dir=os.path.dirname(dst) or ".", prefix=os.path.basename(dst), suffix=".partial")
    try:
        with os.fdopen(handle, "wb") as file, urlopen(Request(url, headers={"User-Agent": "torch.hub"})) as answer:
            while block := answer.read(1 << 17):
                file.write(block)
                digest.update(block)
        if hash_prefix and not digest.hexdigest().startswith(hash_prefix):
            raise RuntimeError(f'invalid hash value (expected "{hash_prefix}", got "{digest.hexdigest()}")')
        os.replace(part, dst)
    finally:
        if os.path.exists(part):
            os.remove(part)


def load_state_dict_from_url(
    url: str,
    model_dir: str | None = None,
    map_location: Any = None,
    progress: bool = True,
    check_hash: bool = False,
    file_name: str | None = None,
    weights_only: bool = False,
) -> dict[str, Any]:
    """torch.load of the file at url, downloaded unless model_dir (get_dir()/checkpoints) has it.

    Args:
        check_hash (bool): the name ends in "-", the first digits of the file's SHA-256, and an extension.
        file_name (str): its name in model_dir. Default: that in url
    """
    folder = model_dir or os.path.join(get_dir(), "checkpoints")
    os.makedirs(folder, exist_ok=True)
    name = file_name or os.path.basename(urlparse(url).path)
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        sys.stdout.write(f'Downloading: "{url}" to {path}\n')
        found = _HASH.search(name) if check_hash else None
        download_url_to_file(url, path, found.group(1) if found else None, progress)
    return _load(path, map_location=map_location, weights_only=weights_only)


def _module(repo_or_dir: str, source: str) -> Any:
    """The file hubconf.py of a folder."""
    if source != "local":
        raise NotImplementedError(
            f"torch.hub: {repo_or_dir!r} would be fetched from GitHub and run with rushlight as torch; clone it and pass "
            "its folder with source='local'"
        )
    path = os.path.join(repo_or_dir, "hubconf.py")
    spec = importlib.util.spec_from_file_location("hubconf", path)
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, os.fspath(repo_or_dir))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(os.fspath(repo_or_dir))
    return module


def load(repo_or_dir: str, model: str, *args: Any, source: str = "github", **kwargs: Any) -> Any:
    """What the function `model` of the folder's hubconf.py returns; source must be "local".

    Raises:
        NotImplementedError: source="github".
        RuntimeError: there is no such function.
    """
    for option in ("trust_repo", "force_reload", "verbose", "skip_validation"):
        kwargs.pop(option, None)
    found = getattr(_module(repo_or_dir, source), model, None)
    if not callable(found):
        raise RuntimeError(f"Cannot find callable {model} in hubconf")
    return found(*args, **kwargs)


def list(github: str, *options: Any, **ignored: Any) -> Any:
    """Raises NotImplementedError: repositories on GitHub are not fetched."""
    return _module(github, "github")


def help(github: str, model: str, *options: Any, **ignored: Any) -> Any:
    """Raises NotImplementedError: repositories on GitHub are not fetched."""
    return _module(github, "github")
