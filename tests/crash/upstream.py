"""Newspapers on loopback whose articles are made up: they come, are edited, and leave the list, as real ones do."""
import http.server, re, threading, time

TITLE = re.compile(r"Article (\d+-\d+), edition (\d+)")
ENTRY = (
    '<entry><id>urn:article:{name}</id><title>Article {name}, edition {edition}</title><updated>{date}</updated>'
    '<link href="https://newspaper.example/{name}"/><content type="html">&lt;p&gt;{text}&lt;/p&gt;</content></entry>'
)
FEED = (
    '<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><id>urn:source:{number}</id><title>s{number}</title>'
    "<updated>2026-11-02T10:00:00Z</updated>{entries}</feed>"
)
# feedmill counts further changes of an article and does not publish them (RULES 1.5).
MOST_EDITIONS = 20


class Article:
    def __init__(self, name, date):
        self.name, self.date, self.edition = name, date, 1

    def entry(self):
        date = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.date))
        text = "Article %s says in edition %d what it has to say. " % (self.name, self.edition)
        return ENTRY.format(name=self.name, edition=self.edition, date=date, text=text * 12)


class Upstream:
    """Serves /0, /1, …: the newest articles of each source in Atom, with an ETag. `asked` counts the requests."""

    def __init__(self, sources, listed=30):
        self.listed, self.added, self.asked = listed, 0, 0
        self.sources = [[] for _ in range(sources)]
        self.versions = [0] * sources
        self.lock = threading.Lock()
        handler = type("Handler", (Handler,), {"upstream": self})
        self.server = Server(("127.0.1.1", 0), handler)
        self.base = "http://127.0.1.1:%d" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def add(self, rng):
        """A new article, dated within the last two days, so that its date does not depend on when it is seen."""
        with self.lock:
            source = rng.randrange(len(self.sources))
            article = Article("%d-%d" % (source, self.added), time.time() - 60 - rng.randrange(2 * 86_400))
            self.added += 1
            self.sources[source].append(article)
            self.versions[source] += 1

    def edit(self, rng):
        """A new edition of an article that is listed."""
        with self.lock:
            source = rng.randrange(len(self.sources))
            listed = [one for one in self.sources[source][-self.listed :] if one.edition < MOST_EDITIONS]
            if listed:
                rng.choice(listed).edition += 1
                self.versions[source] += 1

    def wanted(self):
        """What a reader must find in the end, by source: the names and editions that are listed."""
        with self.lock:
            return [{one.name: one.edition for one in articles[-self.listed :]} for articles in self.sources]

    def document(self, number):
        with self.lock:
            self.asked += 1
            listed, version = self.sources[number][-self.listed :], self.versions[number]
            entries = "".join(article.entry() for article in reversed(listed))
        return '"%d-%d"' % (number, version), FEED.format(number=number, entries=entries).encode()


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, *_):
        """Clients that are killed in the middle of an answer are the point here."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        try:
            tag, body = self.upstream.document(int(self.path.lstrip("/")))
        except (IndexError, ValueError):
            self.send_error(404)
            return
        if self.headers.get("If-None-Match") == tag:
            self.send_response(304)
            self.send_header("ETag", tag)
            self.end_headers()
            return
        self.send_response(200)
        for header, value in (("Content-Type", "application/atom+xml"), ("ETag", tag), ("Content-Length", str(len(body)))):
            self.send_header(header, value)
        self.end_headers()
        self.wfile.write(body)
