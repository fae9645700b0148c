"""The profiler's counts against what the program does, its nesting and its files; Timer and Compare."""

import gzip
import json
import re
import time
import zlib

import pytest

import rushlight
from rushlight import nn
from rushlight.profiler import ProfilerAction, profile, record_function, schedule


def step(ns):
    model = ns.nn.Sequential(ns.nn.Linear(8, 16), ns.nn.ReLU(), ns.nn.Linear(16, 3))
    optimizer = ns.optim.SGD(model.parameters(), lr=0.1)
    x = ns.ones(4, 8)
    return model, optimizer, x


def run(ns, model, optimizer, x):
    record = ns.profiler.record_function
    with record("forward"):
        loss = model(x).sum()
    loss.backward()
    optimizer.step()
    return loss.item()


def test_counts_are_pytorchs():
    torch = pytest.importorskip("torch")
    counts = []
    for ns in (rushlight, torch):
        things = step(ns)
        with ns.profiler.profile(activities=[ns.profiler.ProfilerActivity.CPU], record_shapes=True) as prof:
            run(ns, *things)
        counts.append({(e.key, str(e.input_shapes)): e.count for e in prof.key_averages(group_by_input_shape=True)})
    ours, theirs = counts
    for name in ("aten::linear", "aten::relu", "forward", "Optimizer.step#SGD.step", "aten::item"):
        mine = {k: n for k, n in ours.items() if k[0] == name}
        assert sum(mine.values()) == sum(n for k, n in theirs.items() if k[0] == name), name
    assert {k for k in ours if k[0] == "aten::linear"} == {k for k in theirs if k[0] == "aten::linear"}
    for name in ("AddmmBackward0", "ReluBackward0", "SumBackward0"):
        assert sum(n for k, n in ours.items() if k[0] == name) == sum(n for k, n in theirs.items() if k[0] == name)


def test_times_nest_and_add_up():
    things = step(rushlight)
    with profile() as prof:
        with record_function("outer"):
            with record_function("inner"):
                time.sleep(0.01)
            run(rushlight, *things)
    by_name = {e.name: e for e in prof.events()}
    outer, inner = by_name["outer"], by_name["inner"]
    assert inner.cpu_parent is outer
    assert by_name["forward"].cpu_parent is outer
    assert by_name["aten::linear"].cpu_parent is by_name["forward"]
    assert by_name["AddmmBackward0"].cpu_parent is by_name["aten::backward"]
    assert inner.cpu_time_total >= 1e4
    assert outer.cpu_time_total == pytest.approx(
        outer.self_cpu_time_total + sum(c.cpu_time_total for c in outer.cpu_children)
    )
    events = prof.events()
    assert events.self_cpu_time_total == pytest.approx(sum(e.cpu_time_total for e in events if e.cpu_parent is None))


def test_memory():
    with profile(profile_memory=True) as prof:
        kept = rushlight.zeros(1 << 18)
        kept.exp()
    events = {e.name: e for e in prof.events()}
    assert events["aten::zeros"].cpu_memory_usage == 1 << 20
    assert "1.00 MB" in prof.key_averages().table()


def test_table():
    things = step(rushlight)
    with profile(with_stack=True, record_shapes=True) as prof:
        run(rushlight, *things)
    averages = prof.key_averages()
    lines = averages.table(sort_by="count", row_limit=2).splitlines()
    assert re.split(r"  +", lines[1].strip())[:7] == [
        "Name", "Self CPU %", "Self CPU", "CPU total %", "CPU total", "CPU time avg", "# of Calls",
    ]  # fmt: skip
    assert len(lines) == 7
    assert int(lines[3].split()[6]) >= int(lines[4].split()[6])
    assert "test_profiler.py" in prof.key_averages(group_by_stack_n=3).table(row_limit=-1)
    assert "[[4, 8], [16, 8], [16]]" in prof.key_averages(group_by_input_shape=True).table()
    assert "header line" in averages.table(header="header line")


def test_trace_files(tmp_path):
    things = step(rushlight)
    with profile(record_shapes=True, with_stack=True) as prof:
        run(rushlight, *things)
    prof.export_chrome_trace(str(tmp_path / "trace.json"))
    trace = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    calls = [e for e in trace if e["ph"] == "X"]
    assert len(calls) == len(prof.events())
    linear = next(e for e in calls if e["name"] == "aten::linear")
    assert linear["args"]["Input Dims"] == [[4, 8], [16, 8], [16]]
    assert linear["dur"] > 0
    prof.export_chrome_trace(str(tmp_path / "trace.json.gz"))
    assert json.loads(gzip.open(tmp_path / "trace.json.gz").read())["traceEvents"] == trace
    prof.export_stacks(str(tmp_path / "stacks"))
    assert "test_profiler.py" in (tmp_path / "stacks").read_text()


def test_schedule_against_pytorch():
    torch = pytest.importorskip("torch")
    for options in (
        {"wait": 1, "warmup": 1, "active": 2},
        {"wait": 0, "warmup": 2, "active": 1, "repeat": 2, "skip_first": 3},
        {"wait": 2, "warmup": 1, "active": 1, "skip_first": 1, "skip_first_wait": 1},
    ):
        ours, theirs = schedule(**options), torch.profiler.schedule(**options)
        assert [ours(i).name for i in range(15)] == [theirs(i).name for i in range(15)]


def test_steps_of_a_schedule():
    ready = []
    plan = schedule(wait=1, warmup=1, active=2, repeat=2)
    with profile(schedule=plan, on_trace_ready=lambda p: ready.append((p.step_num, len(p.events())))) as prof:
        for _ in range(10):
            rushlight.ones(3).exp()
            prof.step()
    assert ready == [(4, 4), (8, 4)]
    assert plan(3) is ProfilerAction.RECORD_AND_SAVE


def test_errors():
    with pytest.raises(AssertionError, match="finish"):
        profile().events()
    with profile(), pytest.raises(RuntimeError, match="another"), profile():
        pass
    with pytest.raises(ZeroDivisionError), profile():
        1 / 0  # noqa: B018
    with pytest.warns(UserWarning, match="with_flops"):
        profile(with_flops=True)
    with rushlight.autograd.profiler.profile(enabled=False) as prof:
        rushlight.ones(3)
    with pytest.raises(AssertionError):
        prof.events()


def test_functions_in_python_keep_their_names():
    class Double(rushlight.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    x = rushlight.ones(3, requires_grad=True)
    with profile() as prof:
        Double.apply(x).sum().backward()
    assert "DoubleBackward" in {e.name for e in prof.events()}


# ---- utils.benchmark ----


def test_timer_and_compare():
    from rushlight.utils.benchmark import Compare, Measurement, Timer, select_unit

    assert select_unit(3e-7) == ("ns", 1e-9)
    assert select_unit(0.02) == ("ms", 1e-3)
    layer = nn.Linear(4, 4)
    clock = iter(range(10**9))
    # a clock that moves on by one at each look: every run takes one second
    exact = Timer("pass", timer=lambda: next(clock)).timeit(10)
    assert exact.mean == exact.median == 0.1
    timed = Timer("layer(x)", "x = torch.ones(2, 4)", globals={"layer": layer}, label="Linear", sub_label="4 x 4",
                  description="now", num_threads=1)  # fmt: skip
    result = timed.blocked_autorange(min_run_time=0.01)
    assert 0 < result.median < 1
    assert "Linear: 4 x 4" in repr(result)
    steady = Measurement(number_per_run=2, raw_times=[2.0, 4.0, 6.0], label="a", sub_label="r", description="c")
    assert (steady.median, steady.mean, steady.iqr) == (2.0, 2.0, 1.0)
    assert steady.has_warnings
    table = str(Compare([steady, result]))
    assert "Times are in seconds (s)." in table
    assert "Linear" in table
    with pytest.raises(ValueError, match="Measurement"):
        Compare([1])
    with pytest.raises(ValueError, match="C\\+\\+"):
        Timer(global_setup="x")


def test_measurements_against_pytorch():
    torch = pytest.importorskip("torch")
    times = [1.1e-3, 1.3e-3, 1.2e-3, 1.25e-3]
    rows = []
    for ns in (rushlight, torch):
        bench = ns.utils.benchmark if ns is rushlight else __import__("torch.utils.benchmark").utils.benchmark
        if ns is rushlight:
            m = bench.Measurement(number_per_run=10, raw_times=times, label="l", description="d")
        else:
            spec = bench.utils.common.TaskSpec("pass", "pass", label="l", description="d")
            m = bench.Measurement(number_per_run=10, raw_times=times, task_spec=spec)
        rows.append([m.median, m.mean, m.iqr, m.significant_figures, m.has_warnings, m.title])
    assert rows[0][:3] == pytest.approx(rows[1][:3])
    assert rows[0][3:] == rows[1][3:]


def test_summary_writer(tmp_path):
    pytest.importorskip("tensorboardX")
    from rushlight.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(tmp_path)) as writer:
        writer.add_scalar("loss", rushlight.tensor(0.5, requires_grad=True), 1)
        writer.add_histogram("weights", rushlight.rand(10), 1)
        writer.add_image("image", rushlight.rand(3, 4, 4), 1)
        with pytest.raises(NotImplementedError, match="traced"):
            writer.add_graph(nn.Linear(1, 1))
    (file,) = tmp_path.glob("events*")
    assert b"weights" in file.read_bytes()


def test_summary_writer_of_tensorboard_alone(tmp_path):
    """What TensorBoard's own reader makes of the files; the picture is read back from its PNG."""
    pytest.importorskip("tensorboard")
    np = pytest.importorskip("numpy")
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
    from tensorboard.util.tensor_util import make_ndarray

    from rushlight.utils.tensorboard._events import SummaryWriter

    with SummaryWriter(str(tmp_path)) as writer:
        writer.add_scalar("loss", rushlight.tensor(0.5, requires_grad=True), 1)
        writer.add_scalar("loss", 0.25, 2)
        writer.add_scalars("both", {"a": 1.0, "b": rushlight.tensor(2.0)}, 3)
        writer.add_histogram("weights", rushlight.tensor([0.0, 1.0, 1.0, -2.0]), 4)
        writer.add_image("image", rushlight.linspace(0, 1, 48).reshape(3, 4, 4), 5)
        writer.add_text("note", "hello", 6)
        with pytest.raises(NotImplementedError, match="tensorboardX"):
            writer.add_audio("sound", rushlight.zeros(1, 10), 44100)
        assert writer.get_logdir() == str(tmp_path)
    found = {}
    for event in EventFileLoader(str(next(tmp_path.glob("events*")))).Load():
        for value in event.summary.value:
            found.setdefault(value.tag, []).append((event.step, make_ndarray(value.tensor)))
    assert [(step, float(value)) for step, value in found["loss"]] == [(1, 0.5), (2, 0.25)]
    ((step, histogram),) = found["weights"]
    assert step == 4 and histogram[:, 2].sum() == 4 and histogram[0, 0] == -2 < histogram[0, 1]
    ((_, (width, height, png)),) = found["image"]
    assert (width, height) == (b"4", b"4") and png.startswith(b"\x89PNG")
    raw = np.frombuffer(zlib.decompress(png[png.index(b"IDAT") + 4 : png.index(b"IEND") - 8]), np.uint8).reshape(4, 13)
    expected = (np.linspace(0, 1, 48).reshape(3, 4, 4).transpose(1, 2, 0).reshape(4, 12) * 255).astype(np.uint8)
    assert np.abs(raw[:, 1:].astype(int) - expected).max() <= 1
    assert found["note/text_summary"][0][1][0] == b"hello"
    assert sorted(p.name for p in tmp_path.iterdir() if p.is_dir()) == ["both_a", "both_b"]
