"""Autograd: no_grad, enable_grad, inference_mode."""

import pytest

import rushlight as rl

from graphs import both, leaf


def test_modes_nest():
    def run(ns):
        states = [ns.is_grad_enabled()]
        with ns.no_grad():
            states.append(ns.is_grad_enabled())
            with ns.enable_grad():
                states.append(ns.is_grad_enabled())
                with ns.set_grad_enabled(False):
                    states.append(ns.is_grad_enabled())
                states.append(ns.is_grad_enabled())
            states.append(ns.is_grad_enabled())
        states.append(ns.is_grad_enabled())
        with ns.inference_mode():
            states += [ns.is_grad_enabled(), ns.is_inference_mode_enabled()]
        with ns.inference_mode(False):
            states += [ns.is_grad_enabled(), ns.is_inference_mode_enabled()]
        ns.set_grad_enabled(False)
        states.append(ns.is_grad_enabled())
        ns.set_grad_enabled(True)
        return states

    both(run)


def test_modes_restore_after_errors():
    with pytest.raises(ZeroDivisionError), rl.no_grad():
        raise ZeroDivisionError
    assert rl.is_grad_enabled()


def test_modes_as_decorators():
    def run(ns):
        @ns.no_grad()
        def plain():
            "doc"
            return ns.is_grad_enabled()

        @ns.no_grad
        def bare():
            return ns.is_grad_enabled()

        @ns.set_grad_enabled(False)
        def off():
            return ns.is_grad_enabled()

        @ns.inference_mode
        def inferring():
            return ns.is_inference_mode_enabled()

        @ns.no_grad()
        def steps():
            got = yield ns.is_grad_enabled()
            yield (got, ns.is_grad_enabled())
            return 5

        def outer():
            result = yield from steps()
            yield result

        g = steps()
        states = [next(g), ns.is_grad_enabled(), g.send("x"), ns.is_grad_enabled()]
        g.close()
        states += [
            plain(),
            plain.__doc__,
            plain.__name__,
            bare(),
            off(),
            inferring(),
            ns.is_grad_enabled(),
        ]
        return [*states, list(outer())]

    both(run)


def test_no_grad_records_nothing():
    x = leaf(rl, 1.0)
    with rl.no_grad():
        y = x * 2
    assert not y.requires_grad
    assert y.grad_fn is None


def test_inference_tensors():
    def run(ns):
        with ns.inference_mode():
            t = ns.ones(2)
            v = t[:1]
        n = ns.ones(2)
        return [
            t.is_inference(),
            v.is_inference(),
            n.is_inference(),
            t.clone().is_inference(),
            (n * 2).is_inference(),
        ]

    both(run)
