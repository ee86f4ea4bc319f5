"""The daemon under test: its config, its process, its log."""
import contextlib, http.client, os, signal, socket, subprocess, time

CONFIG = """[site]
title = "crash"
url = "http://feeds.example/"
id_authority = "{authority}"

[store]
path = "{data}/store"
exports = "{data}/exports"
# A run on a small disk of its own has 64 MiB in all.
ballast = "4MiB"
low_water = "8MiB"

[output]
path = "{data}/public"

# Whatever was published once stays in the feed, so that a loss shows.
[output.window]
items = 500
age = "20000d"
most = 5000
max_size = "64MiB"
full_size = "64MiB"

[serve]
listen = "127.0.0.1:{port}"

[status]
listen = "127.0.0.1:0"

[control]
socket = "{data}/control.sock"

[fetch]
allow = ["127.0.0.0/8"]
host_spacing = "0ms"
per_host = 16

[poll]
interval = "1s"
min_interval = "1s"
"""
SOURCE = '\n[[source]]\nid = "s{number}"\nurl = "{url}"\ncategory = "{category}"\n'
# A category with a section of its own has a feed at once, before its first article.
CATEGORY = '\n[[category]]\nname = "{name}"\nslug = "{name}"\n'


class Daemon:
    """A config in `home` and the daemon's files in `data`. `fault(kind, text)` is called for each broken promise."""

    def __init__(self, binary, home, data, sources, fault, ready=10.0, env=None):
        self.binary, self.home, self.data, self.fault = binary, home, os.path.join(data, "data"), fault
        # Sources as address and category.
        self.sources, self.categories = sources, sorted({category for _, category in sources})
        self.ready_limit, self.env, self.authority = ready, {**os.environ, **(env or {})}, "crash.example,2026"
        # `up` while it has to answer; `turn` grows whenever it is stopped.
        self.daemon, self.port, self.up, self.turn, self.starts = None, 0, False, 0, []
        self.config, self.log = os.path.join(home, "feedmill.toml"), os.path.join(home, "daemon.log")
        os.makedirs(self.data, exist_ok=True)
        open(self.log, "ab").close()
        self.write_config()

    def config_text(self, data, port):
        text = CONFIG.format(data=data, port=port, authority=self.authority)
        for number, (url, category) in enumerate(self.sources):
            text += SOURCE.format(number=number, url=url, category=category)
        return text + "".join(CATEGORY.format(name=name) for name in self.categories)

    def write_config(self):
        with open(self.config, "w") as out:
            out.write(self.config_text(self.data, self.port or free_port()))

    def launch(self, before=()):
        """Starts the daemon on a free port without waiting for it; `before` is a command that it runs under."""
        self.port = free_port()
        self.write_config()
        with open(self.log, "ab") as log:
            command = [*before, self.binary, "--config", self.config, "run"]
            self.daemon = subprocess.Popen(command, stdout=log, stderr=log, env=self.env, start_new_session=True)

    def start(self, before=(), tries=2):
        """Starts the daemon and waits until it answers; gives its exit code where it ended instead."""
        since = os.path.getsize(self.log)
        self.launch(before)
        begun = time.monotonic()
        while time.monotonic() - begun < max(self.ready_limit, 30):
            if self.daemon.poll() is not None:
                if tries > 1 and "cannot listen" in self.logged(since):
                    return self.start(before, tries - 1)
                return self.daemon.returncode
            with contextlib.suppress(OSError, http.client.HTTPException):
                if self.request("/healthz", limit=1)[0] == 200:
                    break
            time.sleep(0.01)
        took = time.monotonic() - begun
        self.starts.append(took)
        self.up = True
        if took > self.ready_limit:
            self.fault("late", "the daemon answered after %.1f s" % took)
        return None

    def must_start(self, when):
        code = self.start()
        if code is not None:
            self.fault("start", "%s: the daemon ended with %s: %s" % (when, code, self.logged()[-300:]))
        return code is None

    def stop(self, sig=signal.SIGTERM, limit=15):
        """Ends the daemon by a signal; gives its exit code, or None where it did not end in time and was killed."""
        self.up, self.turn = False, self.turn + 1
        if self.daemon is None:
            return None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.daemon.pid, sig)
        try:
            return self.daemon.wait(limit)
        except subprocess.TimeoutExpired:
            os.killpg(self.daemon.pid, signal.SIGKILL)
            self.daemon.wait()
            return None

    def alive(self, when):
        """The daemon must still run; it is started again where it does not."""
        if self.daemon.poll() is not None:
            self.fault("ended", "%s: the daemon ended with %s: %s" % (when, self.daemon.returncode, self.logged()[-300:]))
            self.up, self.turn = False, self.turn + 1
            self.must_start(when)

    def command(self, *words, before=(), env=None, limit=60):
        """Runs a command of feedmill to its end; None where it did not come."""
        command = [*before, self.binary, "--config", self.config, *words]
        try:
            return subprocess.run(command, capture_output=True, text=True, timeout=limit, env=env or self.env)
        except subprocess.TimeoutExpired:
            return None

    def logged(self, since=0):
        with open(self.log, "rb") as log:
            log.seek(since)
            return log.read().decode(errors="replace")

    def request(self, path, tag=None, limit=10):
        """Status, tag and body; an OSError or HTTPException where the answer did not come whole."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=limit)
        try:
            link.request("GET", path, headers={"If-None-Match": tag} if tag else {})
            answer = link.getresponse()
            return answer.status, answer.headers.get("ETag"), answer.read()
        finally:
            link.close()

    def panics(self, since=0):
        """Panics in the daemon's log; what sled says of damage is caught and told otherwise."""
        return [line for line in self.logged(since).splitlines() if "panicked at" in line]


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]
