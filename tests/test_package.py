"""The package: what importing costs and loads, the command line, torch's name."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import rushlight

# A child finds the package that this process has found.
ENV = {**os.environ, "PYTHONPATH": str(Path(rushlight.__file__).parent.parent)}


def run(*args: str, **kwargs) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, *args], check=False, capture_output=True, text=True, timeout=120, env=ENV, **kwargs)


def python(code: str, *options: str) -> str:
    done = run(*options, "-c", textwrap.dedent(code))
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_import_loads_nothing_heavy():
    heavy = python("""
        import sys
        before = set(sys.modules)
        import rushlight
        rushlight.ones(2).sum().item()
        print([m for m in ("numpy", "torch", "inspect", "asyncio", "unittest") if m in set(sys.modules) - before])
    """)
    assert heavy == "[]"


def test_import_is_quick():
    times = [
        float(python("""
            import time
            start = time.perf_counter()
            import rushlight
            print(time.perf_counter() - start)
        """))
        for _ in range(3)
    ]
    assert min(times) < 0.040


def test_extension_is_small():
    """docs/architecture.md, "What keeps the extension small". x86-64, with the flags of a release: 1.97 MB when this was
    written, and an eighth more for operators to come; a kernel instantiated once more than it need be shows here."""
    data = Path(rushlight._C.__file__).read_bytes()
    if b".symtab" in data:
        pytest.skip("not stripped: a build for debugging, sanitizers or coverage")
    assert len(data) < 2_220_000


def test_parts_come_on_first_use():
    assert python("""
        import sys
        import rushlight
        print("rushlight.optim" in sys.modules, end=" ")
        rushlight.optim.SGD
        print("rushlight.optim" in sys.modules)
    """) == "False True"


def test_missing_names():
    assert "rushlight does not implement it" in python("""
        import rushlight
        try:
            rushlight.no_such_operator
        except AttributeError as error:
            print(error)
        assert not hasattr(rushlight, "no_such_function")
    """)


def test_absent_devices():
    assert python("""
        import rushlight as torch
        print(torch.cuda.is_available(), torch.cuda.device_count(), torch.backends.mps.is_available(),
              torch.accelerator.is_available(), torch.accelerator.current_accelerator(), torch.version.cuda,
              torch.backends.cudnn.is_available(), torch.mps.device_count())
        torch.cuda.manual_seed_all(1)
        torch.backends.cudnn.deterministic = True
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        print(torch.ones(1, device=device).device)
        try:
            torch.cuda.current_device()
        except AssertionError as error:
            print(error)
    """).splitlines() == ["False 0 False False None None False 0", "cpu", "Torch not compiled with CUDA enabled"]


@pytest.mark.parametrize("names", ["torch", "torch.nn", "torch.nn.functional", "torch.optim", "torch.utils.data", "torch.nn.modules.linear"])
def test_install_as_torch(names):
    out = python(f"""
        import rushlight
        rushlight.install_as_torch()
        rushlight.install_as_torch()
        import importlib
        module = importlib.import_module("{names}")
        real = importlib.import_module("rushlight" + "{names}"[5:])
        assert module is real and module.__name__ == "rushlight" + "{names}"[5:], module
        assert real.__spec__.name == real.__name__
        import torch
        from torch import nn
        assert torch is rushlight and nn is rushlight.nn
        print(torch.__version__)
    """)
    assert out.startswith("2.13.0+rushlight.")


def test_missing_module_says_so():
    assert "torch is rushlight here" in python("""
        import rushlight
        rushlight.install_as_torch()
        try:
            import torch.no_such_module
        except ModuleNotFoundError as error:
            print(error)
            assert error.name == "torch.no_such_module"
    """)


def test_not_after_torch():
    pytest.importorskip("torch")
    assert "already imported" in python("""
        import torch
        import rushlight
        try:
            rushlight.install_as_torch()
        except RuntimeError as error:
            print(error)
    """)


def test_command_line(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent("""
        import sys
        import torch
        import helper
        print(torch.__version__.split("+")[1].startswith("rushlight"), sys.argv[1:], __name__, helper.x.tolist())
    """))
    (tmp_path / "helper.py").write_text("import torch\nx = torch.ones(2)\n")
    done = run("-m", "rushlight", str(script), "a", "-b")
    assert done.stdout.strip() == "True ['a', '-b'] __main__ [1.0, 1.0]", done.stderr
    done = run("-m", "rushlight", "-m", "script", "c", cwd=tmp_path)
    assert done.stdout.strip() == "True ['c'] __main__ [1.0, 1.0]", done.stderr
    done = run("-m", "rushlight", "-c", "import torch; print(torch.zeros(1))")
    assert done.stdout.strip() == "tensor([0.])", done.stderr
    assert run("-m", "rushlight").returncode == 2
    assert run("-m", "rushlight", str(tmp_path / "none.py")).returncode == 2
    failing = tmp_path / "failing.py"
    failing.write_text("import torch\ntorch.ones(2, 3) @ torch.ones(2, 3)\n")
    done = run("-m", "rushlight", str(failing))
    assert done.returncode == 1 and "mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)" in done.stderr


def test_generated_files_are_fresh():
    generator = Path(__file__).parent.parent / "tools/gen_ops.py"
    done = run(str(generator), "--check")
    assert done.returncode == 0, done.stderr


def test_spawned_processes():
    assert python("""
        import rushlight.multiprocessing as mp

        def work(i, t, queue):
            queue.put(t[i].item())

        if __name__ == "__main__":
            import rushlight
            queue = mp.get_context("fork").SimpleQueue()
            mp.start_processes(work, (rushlight.tensor([1.0, 2.0]), queue), nprocs=2, start_method="fork")
            print(sorted([queue.get(), queue.get()]))
            try:
                mp.start_processes(work, (None, queue), nprocs=1, start_method="fork")
            except mp.ProcessRaisedException as error:
                print("not subscriptable" in str(error), error.error_index)
            try:
                mp.start_processes(lambda i: __import__("os")._exit(3), nprocs=2, start_method="fork")
            except mp.ProcessExitedException as error:
                print(error.exit_code)
    """).splitlines() == ["[1.0, 2.0]", "True 0", "3"]


def test_distributed_says_no():
    import rushlight.distributed as dist

    assert not dist.is_available() and not dist.is_initialized()
    with pytest.raises(ValueError, match="Default process group has not been initialized"):
        dist.get_world_size()
    with pytest.raises(AttributeError, match="one process"):
        dist.init_process_group("gloo")


def test_nothing_is_compiled():
    """torch.jit as PyTorch has it with PYTORCH_JIT=0: the same program gives the same text."""
    program = """
        import torch
        from typing import Dict, List, Optional, Tuple

        @torch.jit.script
        def double(x):
            return x * 2

        class Net(torch.nn.Module):
            @torch.jit.export
            def more(self, x):
                return x + 1

            @torch.jit.unused
            def less(self, x):
                return x - 1

            def forward(self, x):
                return self.more(double(x)) if not torch.jit.is_scripting() else x

        net = torch.jit.script(Net())
        x = torch.ones(2)
        print(net(x), torch.jit.trace(net, (x,))(x), torch.jit.annotate(int, 3), torch.jit.is_tracing())
        print([torch.jit.isinstance(v, t) for v, t in (
            ([1, 2], List[int]), (["a"], List[int]), ({"a": 1}, Dict[str, int]), ((1, "a"), Tuple[int, str]),
            (None, Optional[int]), (1, Optional[int]), (1, (float, int)))])
    """
    code = textwrap.dedent(program)
    ours = python("import rushlight\nrushlight.install_as_torch()\n" + code)
    assert ours.splitlines()[0] == "tensor([3., 3.]) tensor([3., 3.]) 3 False"
    pytest.importorskip("torch")
    assert ours == python('import os\nos.environ["PYTORCH_JIT"] = "0"\n' + code)


def test_classes_have_pytorchs_names():
    """What programs print of types; files hold the same names with and without install_as_torch()."""
    lines = python("""
        import io
        import rushlight
        rushlight.install_as_torch()
        import torch
        from torch import nn
        from torch.cuda.amp import GradScaler, autocast
        for kind in (nn.Linear, nn.Parameter, nn.MultiheadAttention, torch.optim.SGD, torch.utils.data.DataLoader,
                     torch.distributions.Normal, torch.optim.lr_scheduler.StepLR, autocast,
                     torch.Size, type(torch.float32), torch.device, torch.Generator):
            print(kind)
        print(torch.Tensor.__module__)
        file = io.BytesIO()
        torch.save(nn.Linear(2, 1), file)
        file.seek(0)
        print(torch.load(file, weights_only=False))
    """).splitlines()
    assert lines == [
        "<class 'torch.nn.modules.linear.Linear'>",
        "<class 'torch.nn.parameter.Parameter'>",
        "<class 'torch.nn.modules.activation.MultiheadAttention'>",
        "<class 'torch.optim.sgd.SGD'>",
        "<class 'torch.utils.data.dataloader.DataLoader'>",
        "<class 'torch.distributions.normal.Normal'>",
        "<class 'torch.optim.lr_scheduler.StepLR'>",
        "<class 'torch.cuda.amp.autocast'>",
        "<class 'torch.Size'>",
        "<class 'torch.dtype'>",
        "<class 'torch.device'>",
        "<class 'torch._C.Generator'>",
        "torch",
        "Linear(in_features=2, out_features=1, bias=True)",
    ]


def test_cuda_can_be_named():
    assert python("""
        import rushlight
        print(rushlight.cuda.FloatTensor, rushlight.cuda.amp.autocast.__name__)
        for call in (lambda: rushlight.cuda.FloatTensor([1]), rushlight.cuda.reset_peak_memory_stats):
            try:
                call()
            except (TypeError, AssertionError) as error:
                print(error)
    """).splitlines()[1:] == [
        "type torch.cuda.FloatTensor not available. Torch not compiled with CUDA enabled.",
        "Torch not compiled with CUDA enabled",
    ]


def test_compiler_changes_nothing():
    @rushlight.compiler.disable
    def twice(x):
        return 2 * x

    @rushlight.compiler.disable(recursive=False)
    def thrice(x):
        return 3 * x

    assert (twice(1), thrice(1)) == (2, 3)
    assert not rushlight.compiler.is_compiling() and rushlight.compiler.list_backends() == []


def test_set_anomaly_enabled():
    rushlight.set_anomaly_enabled(True, False)
    assert rushlight.is_anomaly_enabled() and not rushlight.is_anomaly_check_nan_enabled()
    rushlight.set_anomaly_enabled(False)
    assert not rushlight.is_anomaly_enabled()


def test_spawned_processes_import_rushlight_as_torch(tmp_path):
    """... and write to the model that they share."""
    script = tmp_path / "hogwild.py"
    script.write_text(textwrap.dedent("""
        import torch
        import torch.multiprocessing as mp

        def work(x, weight):
            x += 1
            weight.data.fill_(5)

        if __name__ == "__main__":
            x, layer = torch.zeros(2).share_memory_(), torch.nn.Linear(1, 1).share_memory()
            process = mp.get_context("spawn").Process(target=work, args=(x, layer.weight))
            process.start()
            process.join()
            print(process.exitcode, x.tolist(), layer.weight.item())
    """))
    done = run("-m", "rushlight", str(script))
    assert done.stdout == "0 [1.0, 1.0] 5.0\n", done.stderr
