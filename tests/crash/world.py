"""What the runners in this folder share: newspapers on loopback, a daemon under test, and its readers."""
import collections, contextlib, filecmp, http.client, os, shutil, signal, sys, threading, time

from daemon import Daemon
from ledger import Ledger, check_whole, entries
from upstream import Upstream

FORMS = ("xml", "rss", "json")


class World(Daemon):
    """A daemon, its newspapers and its readers, and what must be true of them."""

    def __init__(self, binary, home, data=None, sources=12, categories=3, listed=30, ready=10.0, env=None, quiet=False):
        self.faults, self.reads, self.notes, self.quiet = [], 0, collections.Counter(), quiet
        self.tags, self.lock = {}, threading.RLock()
        self.upstream, self.ledger = Upstream(sources, listed), Ledger(self.found)
        listed_by = [("%s/%d" % (self.upstream.base, n), "c%d" % (n % categories)) for n in range(sources)]
        super().__init__(binary, home, data or home, listed_by, self.found, ready, env)

    def found(self, kind, text):
        """A promise is broken."""
        self.faults.append((kind, text))
        if not self.quiet:
            print("BROKEN %s: %s" % (kind, text[:400]), flush=True)

    def change(self, rng, count):
        """So many articles come or are edited."""
        for _ in range(count):
            self.upstream.add(rng) if rng.random() < 0.7 else self.upstream.edit(rng)

    # ---- readers

    def read(self, path, when):
        """Reads one output as a feed reader does; whether there was an answer."""
        with self.lock:
            turn, up = self.turn, self.up
            try:
                status, tag, body = self.request(path, self.tags.get(path))
            except (OSError, http.client.HTTPException) as error:
                if up and turn == self.turn and self.daemon.poll() is None:
                    self.fault("unserved", "%s: %s: %r" % (when, path, error))
                return False
            self.reads += 1
            if status == 304:
                return True
            if status != 200:
                if turn == self.turn:
                    self.fault("unserved", "%s: %s answers %d" % (when, path, status))
                return False
            try:
                if path.startswith("/feed/"):
                    self.ledger.saw(path, entries(path.rsplit(".", 1)[1], body), when)
                else:
                    check_whole(path, body)
            except ValueError as error:
                self.fault("torn", "%s: %s: %s, %d bytes" % (when, path, error, len(body)))
            self.tags[path] = tag
            return True

    def paths(self):
        return ["/feed/%s.%s" % (name, form) for name in self.categories for form in FORMS]

    def check(self, when):
        """Reads all feeds once."""
        for path in self.paths():
            self.read(path, when)

    @contextlib.contextmanager
    def readers(self):
        """Somebody reads all the time; what they see is judged like all else."""
        over = threading.Event()

        def reading():
            pages = ["/", *("/category/%s.html" % name for name in self.categories)]
            while not over.is_set():
                for path in [*self.paths(), *pages]:
                    if self.up:
                        self.read(path, "meanwhile")
                    if over.wait(0.02):
                        return

        thread = threading.Thread(target=reading)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def missing(self):
        wanted = collections.defaultdict(dict)
        for number, articles in enumerate(self.upstream.wanted()):
            wanted[self.categories[number % len(self.categories)]].update(articles)
        return [(path, name) for path in self.paths() for name in self.ledger.missing(path, wanted[path.split("/")[2].split(".")[0]])]

    def settle(self, when, limit=60):
        """Everything that newspapers list, and that a reader saw once, has to be there in the end."""
        begun = time.monotonic()
        while True:
            self.check(when)
            missing = self.missing()
            if not missing:
                return
            if time.monotonic() - begun > limit:
                self.fault("never arrived", "%s: %d: %s" % (when, len(missing), missing[:5]))
                return
            time.sleep(0.1)

    # ---- files

    def files(self, *folder):
        """Every file below a folder of the daemon's."""
        found = os.walk(os.path.join(self.data, *folder))
        return sorted(os.path.join(where, name) for where, _, names in found for name in names)

    def check_files(self, when):
        """Every published file must be whole, whoever serves it."""
        for path in self.files("public"):
            try:
                with open(path, "rb") as file:
                    check_whole(path, file.read())
            except FileNotFoundError:
                # A running daemon renames what it has written.
                continue
            except ValueError as error:
                self.fault("torn", "%s: %s: %s" % (when, path, error))

    def check_bytes(self):
        """What was published in steps must be what the store publishes into an empty folder. No daemon may run."""
        public, steps = os.path.join(self.data, "public"), os.path.join(self.home, "in-steps")
        shutil.move(public, steps)
        done = self.command("publish")
        if done is None or done.returncode:
            self.fault("publish", str(done and done.stderr[-300:]))
            return
        found = list(differences(filecmp.dircmp(steps, public, ignore=[".feedmill"], hide=[])))
        for line in found:
            self.fault("bytes", line)
        if not found:
            shutil.rmtree(steps)

    def check_end(self):
        """What must be true when all is over: the daemon ends well, its store has no fault, its files are no others."""
        self.settle("at the end")
        code = self.stop()
        if code != 0:
            self.fault("ended badly", "at the end: %s" % code)
        found = self.command("store", "check")
        if found is None or found.returncode:
            self.fault("store check", str(found and found.stdout + found.stderr))
        self.check_bytes()
        for line in self.panics():
            self.fault("panic", line)

    def close(self):
        self.stop(signal.SIGKILL)
        self.upstream.close()

    def figures(self):
        """What a run came to, in one line."""
        starts = sorted(self.starts) or [0.0]
        text = "%5d articles %7d reads   start %.2f s, at most %.2f s" % (
            self.ledger.acknowledged(), self.reads, starts[len(starts) // 2], starts[-1]
        )
        return text + "".join("   %d %s" % (count, name) for name, count in self.notes.items())

    def verdict(self):
        by = collections.Counter(kind for kind, _ in self.faults)
        return "BROKEN: " + ", ".join("%s %d" % one for one in by.items()) if by else "all held"


def differences(found, under=""):
    for name in found.left_only:
        yield "%s is there, and a fresh publish has it not" % os.path.join(under, name)
    for name in found.right_only:
        yield "%s is missing, and a fresh publish has it" % os.path.join(under, name)
    _, other, odd = filecmp.cmpfiles(found.left, found.right, found.common_files, shallow=False)
    for name in other + odd:
        yield "%s has other bytes than in a fresh publish" % os.path.join(under, name)
    for name, below in found.subdirs.items():
        yield from differences(below, os.path.join(under, name))


def skip(why):
    print("skipped: " + why)
    sys.exit(0)
