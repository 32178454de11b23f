"""Runs marathon_calls.py and chronos_calls.py, that is every call of the PyPI packages
marathon and chronos-python, against a `proffer up` of its own: on free ports, in a
directory of its own, which is gone afterwards. `make compat` calls it from the top of the
checkout. It exits 0 when every call behaved, and else says in a sentence which did not.
Python 3.8 or later, the standard library alone; the packages are installed into a virtual
environment below bin/, one for each version of Python. `run.py chronos` walks through that
client alone."""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading

HERE = pathlib.Path(__file__).resolve().parent
BIN = HERE.parent.parent / "bin"
PACKAGES = ["marathon", "chronos-python"]
UP_SECONDS, CALLS_SECONDS, STOP_SECONDS = 60, 300, 60


def environment():
    """The Python of a virtual environment that has the newest releases of the clients."""
    home = BIN / ("compat-venv-%d.%d" % sys.version_info[:2])
    python = home / "bin" / "python"
    try:
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade"] + PACKAGES, check=True)
    except subprocess.CalledProcessError as e:
        sys.exit("compat: the clients cannot be installed, which wants Python's venv and a package index: %s" % e)
    return python


def free(port):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def offset():
    for k in range(5000 + os.getpid() % 100 * 10, 8900, 40):
        if all(free(p + k) for p in (4400, 5050, 5051, 5052, 5061, 7946, 7947, 7957, 8080)):
            return k
    sys.exit("compat: no free ports")


def main():
    python = environment()
    directory = tempfile.mkdtemp(prefix="proffer-compat-")
    os.chmod(directory, 0o755)  # a task's user must reach its sandbox
    k, state = offset(), os.path.join(directory, "up")
    env = dict(os.environ, PROFFER_DIR=state, PROFFER_ADDR="", PROFFER_TOKEN="", PROFFER_TOKEN_FILE="")
    up = subprocess.Popen([str(BIN / "proffer"), "up", "--dir", state, "--agents", "2", "--port-offset", str(k),
                           "--resources", "cpus:4;mem:2048;disk:2048;ports:[%d-%d]" % (21000 + k, 21049 + k),
                           "--resources", "cpus:4;mem:2048;disk:2048;ports:[%d-%d]" % (21050 + k, 21099 + k)],
                          env=env, stderr=subprocess.PIPE, text=True)
    said, serves = [], threading.Event()

    def listen():
        for line in up.stderr:
            said.append(line)
            if "proffer is up" in line:
                serves.set()
        serves.set()

    threading.Thread(target=listen, daemon=True).start()
    code = 1
    try:
        if not serves.wait(UP_SECONDS) or up.poll() is not None:
            sys.exit("compat: `proffer up` does not serve after %d s:\n%s" % (UP_SECONDS, "".join(said)))
        with open(os.path.join(state, "token")) as f:
            token = f.read().strip()
        for calls, published, gateway in (("marathon_calls.py", "http://127.0.0.1:%d" % (8080 + k), "http://127.0.0.1:%d/service/marathonish" % (5050 + k)),
                                          ("chronos_calls.py", "127.0.0.1:%d" % (4400 + k), "127.0.0.1:%d/service/chronosish" % (5050 + k))):
            if sys.argv[1:] and not calls.startswith(sys.argv[1]):
                continue
            print("-- " + calls, flush=True)
            code = subprocess.run([str(python), "-W", "ignore", str(HERE / calls), published, gateway], env=dict(env, TOKEN=token), timeout=CALLS_SECONDS).returncode
            if code:
                break
    except subprocess.TimeoutExpired:
        print("compat: the calls were not done within %d s" % CALLS_SECONDS, file=sys.stderr)
    finally:
        up.send_signal(signal.SIGINT)
        try:
            if up.wait(STOP_SECONDS) != 0:
                print("compat: `proffer up` ended with %d after ctrl-C" % up.returncode, file=sys.stderr)
                code = code or 1
        except subprocess.TimeoutExpired:
            up.kill()
            print("compat: `proffer up` does not end after ctrl-C", file=sys.stderr)
            code = code or 1
        if code:
            print("compat: `proffer up` said:\n%s" % "".join(said), file=sys.stderr)
        shutil.rmtree(directory, ignore_errors=True)
    sys.exit(code)


main()
