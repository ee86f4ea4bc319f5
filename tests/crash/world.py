"""What the runners in this folder share: an upstream on loopback, a daemon under test, and what its readers saw."""
import collections, http.server, json, os, re, signal, subprocess, sys, threading, time, urllib.request
import xml.etree.ElementTree as ET

HERE = os.path.dirname(os.path.abspath(__file__))
TITLE = re.compile(rb"<title[^>]*>\s*(ITEM-[A-Za-z0-9-]+)")


class Upstream:
    """Feeds /s/0, /s/1, ... in Atom with an ETag; items are added with add()."""

    def __init__(self, sources):
        self.items = [[] for _ in range(sources)]
        self.lock = threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                try:
                    number = int(self.path.split("/")[2])
                    with outer.lock:
                        items, all_of_them = list(outer.items[number])[-200:], len(outer.items[number])
                except (IndexError, ValueError):
                    self.send_error(404)
                    return
                tag = '"%d-%d"' % (number, all_of_them)
                if self.headers.get("If-None-Match") == tag:
                    self.send_response(304)
                    self.send_header("ETag", tag)
                    self.end_headers()
                    return
                entry = '<entry><id>urn:%s</id><title>%s</title><updated>%s</updated><link href="https://ok.example/%s"/><content>%s</content></entry>'
                entries = "".join(entry % (name, name, at, name, (name + " ") * 60) for name, at in reversed(items))
                body = (
                    '<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><id>urn:s%d</id><title>s%d</title>'
                    "<updated>2026-11-02T10:00:00Z</updated>%s</feed>" % (number, number, entries)
                ).encode()
                self.send_response(200)
                for header, value in (("Content-Type", "application/atom+xml"), ("ETag", tag), ("Content-Length", str(len(body)))):
                    self.send_header(header, value)
                self.end_headers()
                self.wfile.write(body)

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.1.1", 0), Handler)
        self.base = "http://127.0.1.1:%d" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def add(self, source, name):
        with self.lock:
            self.items[source].append((name, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())))


class World:
    """A config in `home`, a mill whose data is in `data`, and what must be true of it."""

    def __init__(self, binary, home, data, port, sources=12, categories=3):
        self.binary, self.home, self.data, self.port = binary, home, data, port
        self.categories = ["c%d" % n for n in range(categories)]
        self.upstream = Upstream(sources)
        self.seen = collections.defaultdict(set)
        self.faults, self.added, self.reads, self.ready = [], 0, 0, []
        os.makedirs(home, exist_ok=True)
        table = os.path.join(home, "sources.tsv")
        with open(table, "w") as out:
            for n in range(sources):
                out.write("s%d\t%s/s/%d\t%s\n" % (n, self.upstream.base, n, self.categories[n % categories]))
        self.config = os.path.join(home, "feedmill.toml")
        with open(self.config, "w") as out:
            subprocess.run([os.path.join(HERE, "config.sh"), table, data, str(port), "1"], stdout=out, check=True)
        self.log = open(os.path.join(home, "daemon.log"), "ab")
        self.daemon = None

    def fault(self, kind, text):
        self.faults.append((kind, text))
        print("BROKEN", kind, text[:300], flush=True)

    def feed(self, random, count):
        for _ in range(count):
            source = random.randrange(len(self.upstream.items))
            self.upstream.add(source, "ITEM-%d-%d" % (source, self.added))
            self.added += 1

    def start(self, before=(), limit=15):
        """Starts the daemon; `before` is a command that it runs under."""
        self.daemon = subprocess.Popen(
            [*before, self.binary, "--config", self.config, "run"], stdout=self.log, stderr=self.log, start_new_session=True
        )
        begun = time.time()
        while time.time() - begun < limit:
            if self.daemon.poll() is not None:
                return self.daemon.returncode
            try:
                with urllib.request.urlopen("http://127.0.0.1:%d/healthz" % self.port, timeout=1) as answer:
                    if answer.status == 200:
                        self.ready.append(time.time() - begun)
                        return None
            except OSError:
                time.sleep(0.01)
        self.fault("not ready", "after %d s" % limit)
        return None

    def end(self, sig=signal.SIGTERM, limit=15):
        """Ends the daemon and all that it runs under; gives how it ended."""
        if self.daemon is None:
            return None
        try:
            os.killpg(self.daemon.pid, sig)
        except ProcessLookupError:
            pass
        try:
            return self.daemon.wait(limit)
        except subprocess.TimeoutExpired:
            os.killpg(self.daemon.pid, signal.SIGKILL)
            self.daemon.wait()
            return "did not end"

    def read(self, category):
        """Names in a published feed, or None where it is not there."""
        try:
            with urllib.request.urlopen("http://127.0.0.1:%d/feed/%s.xml" % (self.port, category), timeout=3) as answer:
                body = answer.read()
        except OSError:
            return None
        self.reads += 1
        try:
            ET.fromstring(body)
        except ET.ParseError as error:
            self.fault("torn", "%s: %s, %d bytes" % (category, error, len(body)))
            return None
        return [name.decode() for name in TITLE.findall(body)]

    def check(self, when):
        """Nothing that a reader saw may be gone, and nothing may be there twice."""
        for category in self.categories:
            names = self.read(category)
            if names is None:
                continue
            twice = [name for name, count in collections.Counter(names).items() if count > 1]
            if twice:
                self.fault("doubled", "%s %s: %s" % (when, category, twice[:5]))
            gone = self.seen[category] - set(names)
            if gone:
                self.fault("lost", "%s %s: %d of %d: %s" % (when, category, len(gone), len(self.seen[category]), sorted(gone)[:5]))
                self.seen[category] -= gone
            self.seen[category] |= set(names)

    def check_files(self, when):
        """Every published file must be whole."""
        for folder, _, names in os.walk(os.path.join(self.data, "data", "public")):
            for name in names:
                path = os.path.join(folder, name)
                try:
                    with open(path, "rb") as file:
                        body = file.read()
                except FileNotFoundError:
                    # A running daemon renames what it has written.
                    continue
                try:
                    if name.endswith(".xml") or name.endswith(".rss"):
                        ET.fromstring(body)
                    elif name.endswith(".json"):
                        json.loads(body)
                    elif name.endswith(".html") and not body.rstrip().endswith(b"</html>"):
                        raise ValueError("no end")
                except (ET.ParseError, ValueError) as error:
                    self.fault("torn", "%s %s: %s" % (when, path, error))

    def settle(self, when, limit=40):
        """Everything that upstream lists has to arrive."""
        wanted = set()
        for number, items in enumerate(self.upstream.items):
            wanted |= {(self.categories[number % len(self.categories)], name) for name, _ in items[-200:]}
        begun = time.time()
        missing = []
        while time.time() - begun < limit:
            self.check(when)
            missing = [want for want in wanted if want[1] not in self.seen[want[0]]]
            if not missing:
                return
            time.sleep(0.1)
        self.fault("never arrived", "%s: %d of %d: %s" % (when, len(missing), len(wanted), missing[:5]))

    def panics(self, since=0):
        """Panics in the daemon's log; sled's own are caught and told as damage."""
        with open(os.path.join(self.home, "daemon.log"), "rb") as log:
            log.seek(since)
            return [line for line in log.read().decode(errors="replace").splitlines() if "panicked at" in line]

    def report(self, **more):
        ready = sorted(self.ready)
        told = {
            "items_added": self.added,
            "acknowledged": sum(len(names) for names in self.seen.values()),
            "reads": self.reads,
            "broken": len(self.faults),
            "by": dict(collections.Counter(kind for kind, _ in self.faults)),
            "ready_p50": round(ready[len(ready) // 2], 3) if ready else None,
            "ready_max": round(ready[-1], 3) if ready else None,
            **more,
        }
        print(json.dumps(told, indent=1))
        return 1 if self.faults else 0


def skip(why):
    print("skipped: " + why)
    sys.exit(0)
