"""What is done to the running daemon: it is killed, stopped, doubled, and given faulty configs."""
import os, signal, socket, subprocess, threading, time

from kind import Kind

TERM_LIMIT = 10


def kill(world, rng):
    """SIGKILL at any moment, also in the middle of a start."""
    world.change(rng, rng.randrange(1, 6))
    time.sleep(rng.choice((0.05, 0.5, 2.0)) * rng.random())
    world.stop(signal.SIGKILL)
    world.check_files("after a kill")
    while rng.random() < 0.25:
        world.launch()
        time.sleep(0.3 * rng.random())
        world.stop(signal.SIGKILL)
        world.notes["kills while it started"] += 1
    if world.must_start("after a kill") and rng.random() < 0.25:
        world.settle("after a kill")


def term(world, rng):
    """SIGTERM while an answer is on its way: the answer comes whole, and the daemon ends well and soon."""
    world.change(rng, rng.randrange(1, 6))
    time.sleep(rng.random())
    slow = SlowReader(world.port, world.paths()[0])
    begun = time.monotonic()
    code = world.stop(signal.SIGTERM, TERM_LIMIT)
    took = time.monotonic() - begun
    if code != 0:
        world.fault("ended badly", "SIGTERM: %s after %.1f s" % (code, took))
    if not slow.whole():
        world.fault("cut off", "an answer that was on its way at SIGTERM: %s" % slow.told)
    world.check_files("after SIGTERM")
    if world.must_start("after SIGTERM"):
        world.settle("after SIGTERM")


class SlowReader:
    """Asks, waits a moment, and only then reads on."""

    def __init__(self, port, path):
        self.told, self.body, self.length = "", b"", None
        self.link = socket.create_connection(("127.0.0.1", port), 5)
        self.link.sendall(b"GET %s HTTP/1.1\r\nHost: feeds.example\r\nConnection: close\r\n\r\n" % path.encode())
        head = b""
        while b"\r\n\r\n" not in head:
            piece = self.link.recv(1024)
            if not piece:
                break
            head += piece
        head, _, self.body = head.partition(b"\r\n\r\n")
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                self.length = int(line.split(b":")[1])
        self.thread = threading.Thread(target=self.rest)
        self.thread.start()

    def rest(self):
        try:
            time.sleep(0.2)
            while piece := self.link.recv(65_536):
                self.body += piece
        except OSError as error:
            self.told = repr(error)

    def whole(self):
        self.thread.join(15)
        self.link.close()
        self.told = self.told or "%d of %s bytes" % (len(self.body), self.length)
        return self.length is not None and len(self.body) == self.length


def two(world, rng):
    """A second daemon on one store ends by itself and names the store; the first one goes on. Commands reach the first."""
    config = world.config
    if rng.random() < 0.5:
        # One that shares nothing but the store: no address and no socket is in its way.
        config = os.path.join(world.home, "second.toml")
        text = world.config_text(os.path.join(world.home, "second"), 0)
        with open(config, "w") as out:
            out.write(text.replace('path = "%s/second/store"' % world.home, 'path = "%s/store"' % world.data))
    try:
        second = subprocess.run([world.binary, "--config", config, "run"], capture_output=True, text=True, timeout=20)
    except subprocess.TimeoutExpired:
        world.fault("two daemons", "the second one still ran after 20 s")
    else:
        said = second.stdout + second.stderr
        if second.returncode <= 0 or "panicked at" in said:
            world.fault("two daemons", "the second one ended with %s: %s" % (second.returncode, said[-300:]))
        elif os.path.join(world.data, "store") not in said:
            world.fault("unsaid", "the second daemon did not name the store: %s" % said[-300:])
    status = world.command("status", "--json")
    if status is None or status.returncode:
        world.fault("two daemons", "a command beside them failed: %s" % (status and status.stderr[-300:]))
    world.alive("beside a second daemon")
    world.change(rng, 3)
    world.settle("beside a second daemon")


def reload(world, rng):
    """A config that is faulty, cut off or gone takes nothing down; the good one is used again once it is there."""
    with open(world.config, "rb") as file:
        good = file.read()
    faulty = (b"", b"\xff\xfe\0", good[: len(good) // 2], good + b"\nunknown = = 1\n", good.replace(b"http://", b"htp:/ /"), b"a" * (1 << 20), None)
    bad = rng.choice(faulty)
    os.remove(world.config) if bad is None else write(world.config, bad)
    os.kill(world.daemon.pid, signal.SIGHUP)
    world.change(rng, 3)
    time.sleep(0.5 + rng.random())
    world.alive("a faulty config")
    world.check("a faulty config")
    write(world.config, good)
    os.kill(world.daemon.pid, signal.SIGHUP)
    world.settle("after a faulty config")


def write(path, body):
    with open(path, "wb") as out:
        out.write(body)


KINDS = {
    "kill": Kind(kill, 100),
    "term": Kind(term, 20),
    "two": Kind(two, 10),
    "reload": Kind(reload, 20),
}
