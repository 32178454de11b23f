"""What the walks through the clients share: numbered steps, bounded waiting, and the end."""
import sys
import time
import traceback

WAIT = 45  # seconds that anything may take
BEGIN = time.time()


def step(what):
    """Begins a step, and says so."""
    step.n = getattr(step, "n", 0) + 1
    step.what = what
    print("%2d  %6.2f s  %s" % (step.n, time.time() - BEGIN, what), flush=True)


def until(what, check):
    """Waits until check gives something true, and gives that."""
    deadline = time.time() + WAIT
    while True:
        got = check()
        if got:
            return got
        assert time.time() < deadline, "%s: not within %d s" % (what, WAIT)
        time.sleep(0.1)


def recorded(kind):
    """The client's class, which also notes which of its calls have been made: in `called`."""
    class Recorded(kind):
        called = set()

        def __getattribute__(self, name):
            if not name.startswith("_") and callable(getattr(kind, name, None)):
                Recorded.called.add(name)
            return super().__getattribute__(name)
    return Recorded


def left_out(kind):
    """The calls of a recorded client that nobody has made."""
    client = kind.__mro__[1]
    return sorted({n for n in vars(client) if not n.startswith("_") and callable(getattr(client, n))} - kind.called)


def main(walk):
    """Runs a walk; what misbehaves ends the program with a sentence."""
    assert __debug__, "asserts are switched off"
    try:
        walk()
    except Exception as e:
        traceback.print_exc()
        sys.exit("compat: step %d misbehaved: %s: %s: %s" % (getattr(step, "n", 0), getattr(step, "what", "the beginning"), type(e).__name__, e))
    print("every call behaves")
