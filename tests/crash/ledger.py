"""What readers have seen, and what must stay true of it: an article that a reader saw once is acknowledged."""
import collections, datetime, email.utils, json, xml.etree.ElementTree as ET

from upstream import TITLE

ATOM = "{http://www.w3.org/2005/Atom}"
Entry = collections.namedtuple("Entry", "name edition id published")


def entry(title, id, date):
    found = TITLE.fullmatch((title or "").strip())
    return Entry(found[1], int(found[2]), id, date) if found else None


def iso(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def entries(form, body):
    """The articles in a feed; ValueError where it is not whole."""
    try:
        if form == "json":
            found = [entry(item["title"], item["id"], iso(item["date_published"])) for item in json.loads(body)["items"]]
        elif form == "rss":
            found = [
                entry(item.findtext("title"), item.findtext("guid"), email.utils.parsedate_to_datetime(item.findtext("pubDate")).timestamp())
                for item in ET.fromstring(body).iter("item")
            ]
        else:
            found = [
                entry(item.findtext(ATOM + "title"), item.findtext(ATOM + "id"), iso(item.findtext(ATOM + "published")))
                for item in ET.fromstring(body).iter(ATOM + "entry")
            ]
    except (ET.ParseError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(str(error)) from error
    if None in found:
        raise ValueError("an article without its title")
    return found


def check_whole(name, body):
    """ValueError where a published file is not whole."""
    if name.endswith((".xml", ".rss", ".svg")):
        try:
            ET.fromstring(body)
        except ET.ParseError as error:
            raise ValueError(str(error)) from error
    elif name.endswith(".json"):
        json.loads(body)
    elif name.endswith(".html") and not body.rstrip().endswith(b"</html>"):
        raise ValueError("no </html> at its end")


class Ledger:
    """`fault(kind, text)` is called for each broken promise."""

    def __init__(self, fault):
        self.fault = fault
        self.ids, self.names, self.dates = {}, {}, {}
        # By feed: the newest edition that a reader saw of each article, and what the last read showed.
        self.seen, self.shown = collections.defaultdict(dict), collections.defaultdict(dict)
        # While a damaged store is mended a feed may show less; it has to be back in the end, as World.settle asks.
        self.mending, self.went_back = False, 0

    def saw(self, feed, found, when):
        for name, times in collections.Counter(one.name for one in found).items():
            if times > 1:
                self.fault("doubled", "%s, %s: article %s stands there %d times" % (when, feed, name, times))
        for one in found:
            self.same(self.ids, one.name, one.id, "id", when)
            self.same(self.names, one.id, one.name, "id", when)
            self.same(self.dates, one.name, one.published, "date", when)
        shown = {one.name: one.edition for one in found}
        self.shown[feed] = shown
        seen = self.seen[feed]
        lost = [name for name in seen if name not in shown]
        older = [name for name, edition in shown.items() if edition < seen.get(name, 0)]
        if self.mending:
            self.went_back += len(lost) + len(older)
        else:
            if lost:
                self.fault("lost", "%s, %s: %d of %d articles: %s" % (when, feed, len(lost), len(seen), sorted(lost)[:5]))
            if older:
                self.fault("older", "%s, %s: %s show an older edition" % (when, feed, sorted(older)[:5]))
            for name in lost:
                del seen[name]
        for name, edition in shown.items():
            seen[name] = max(edition, seen.get(name, 0)) if self.mending else edition

    def same(self, known, key, value, kind, when):
        before = known.setdefault(key, value)
        if before != value:
            self.fault(kind, "%s: %s was %s and is %s" % (when, key, before, value))
            known[key] = value

    def missing(self, feed, wanted):
        """What the last read of a feed has not: of what is wanted, and of what any reader saw."""
        shown, seen = self.shown[feed], self.seen[feed]
        # What no newspaper lists may be an older edition after a mend, if that is said.
        least = dict.fromkeys(seen, 1) if self.mending else seen
        return [name for name in {**seen, **wanted} if shown.get(name, 0) < max(wanted.get(name, 0), least.get(name, 0))]

    def mended(self):
        """A mend is over; gives the articles of which newer editions are lost by it."""
        self.mending, older = False, set()
        for feed, shown in self.shown.items():
            older |= {name for name, edition in self.seen[feed].items() if shown.get(name, edition) < edition}
            self.seen[feed] = dict(shown)
        return older

    def acknowledged(self):
        return len(self.ids)
