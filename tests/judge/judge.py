#!/usr/bin/env python3
"""An independent judge of a published site: judge.py FOLDER [--node FOLDER_WITH_NODE_MODULES]

Reads every feed with three parsers that know nothing of feedmill (lxml with the RELAX NG of
RFC 4287 or the rules of the RSS profile; feedparser; feedsmith on Node) and JSON Feeds against
their JSON Schema; they must agree on id, title, link and date of every entry. Exit 0: no errors.
Needs `pip install feedparser lxml jsonschema` and `npm install feedsmith`.
"""
import argparse, calendar, collections, datetime, email.utils, html, json, pathlib, re, subprocess, sys
import feedparser, jsonschema
from lxml import etree, html as lhtml

HERE = pathlib.Path(__file__).parent
ATOM, AT = '{http://www.w3.org/2005/Atom}', '{http://purl.org/atompub/tombstones/1.0}'
RFC822 = re.compile(r'^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d (\+0000|GMT)$')
URL = re.compile(r"^https?://[!#-;=?-\[\]_a-z~%]+$")
ILLEGAL = re.compile('[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]')
errors, warnings = [], collections.Counter()


def error(path, message):
    errors.append(f'{path}: {message}')


def moment(text):
    """A date of any of the formats, as seconds."""
    if text is None:
        return None
    try:
        return int(datetime.datetime.fromisoformat(text.replace('Z', '+00:00')).timestamp())
    except ValueError:
        return int(email.utils.parsedate_to_datetime(text).timestamp())


def squeezed(text):
    return ' '.join((text or '').split())


def judge_html(path, markup):
    """No relative address, no script, nothing illegal."""
    if ILLEGAL.search(markup):
        error(path, 'a character that XML cannot carry in HTML')
    if not markup.strip():
        return
    for element in lhtml.fragment_fromstring(markup, create_parent=True).iter():
        if not isinstance(element.tag, str):
            continue
        if element.tag in ('script', 'style', 'iframe', 'object', 'embed', 'form'):
            error(path, f'<{element.tag}> in content')
        for name, value in element.attrib.items():
            if name in ('href', 'src', 'poster', 'cite') and not re.match(r'^(https?://|mailto:)', value):
                error(path, f'{name}="{value[:80]}" in content is not absolute')
            if name.startswith('on'):
                error(path, f'{name} in content')


def own_url(path, base):
    return base + str(path)


def atom(path, root, base):
    link = lambda node, rel: [l.get('href') for l in node.findall(ATOM + 'link') if l.get('rel', 'alternate') == rel]
    if link(root, 'self') != [own_url(path, base)]:
        error(path, f'self is {link(root, "self")}')
    authored = root.find(ATOM + 'author') is not None
    entries = []
    for entry in root.findall(ATOM + 'entry'):
        get = lambda name: entry.findtext(ATOM + name)
        if not authored and entry.find(ATOM + 'author') is None:
            error(path, 'an entry without author in a feed without one (4.1.2)')
        if not squeezed(get('title')):
            error(path, 'an empty title')
        if len(link(entry, 'alternate')) != 1 and entry.find(ATOM + 'content') is None:
            error(path, 'neither content nor alternate link (4.1.2)')
        content = entry.find(ATOM + 'content')
        if content is not None:
            judge_html(path, content.text or '')
        if entry.find(ATOM + 'summary') is None and content is None:
            warnings['an entry without summary and content: its source gave neither'] += 1
        source = entry.find(ATOM + 'source')
        if source is not None and source.find(ATOM + 'updated') is None:
            warnings['atom:source without updated: the time of the source is not known and is not made up'] += 1
        if source is not None and source.find(ATOM + 'id') is None:
            warnings['atom:source without id: an API has no feed address that readers may know'] += 1
        published, updated = get('published'), get('updated')
        if (moment(updated) or 0) < (moment(published) or 0):
            error(path, 'updated before published')
        entries.append((get('id'), get('title'), (link(entry, 'alternate') or [None])[0], published))
    ids = [entry[0] for entry in entries]
    if len(ids) != len(set(ids)):
        error(path, 'an id twice')
    gone = [gone.get('ref') for gone in root.findall(AT + 'deleted-entry')]
    if set(gone) & set(ids):
        error(path, 'an entry that is deleted as well')
    for when in (gone.get('when') for gone in root.findall(AT + 'deleted-entry')):
        moment(when)
    return entries


def rss(path, root, base):
    channel = root.find('channel')
    if root.tag != 'rss' or root.get('version') != '2.0' or channel is None:
        return error(path, 'no RSS 2.0')
    for name in ('title', 'link', 'description'):
        if len(channel.findall(name)) != 1 or not squeezed(channel.findtext(name)):
            error(path, f'channel/{name}')
    own = channel.findall(ATOM + 'link')
    if [l.get('href') for l in own if l.get('rel') == 'self'] != [own_url(path, base)]:
        error(path, 'atom:link rel=self')
    if not RFC822.match(channel.findtext('lastBuildDate') or ''):
        error(path, 'lastBuildDate')
    entries = []
    known = {'title', 'link', 'description', 'author', 'category', 'comments', 'enclosure', 'guid', 'pubDate', 'source'}
    for item in channel.findall('item'):
        counts = collections.Counter(child.tag for child in item)
        for tag, count in counts.items():
            if not tag.startswith('{') and tag not in known:
                error(path, f'item/{tag} is no element of RSS')
            if count > 1 and not tag.startswith('{') and tag != 'category':
                error(path, f'item/{tag} is there {count} times')
        if not squeezed(item.findtext('title')):
            error(path, 'an item without title')
        guid = item.find('guid')
        if guid is None or guid.get('isPermaLink') != 'false':
            error(path, 'guid')
        date = item.findtext('pubDate') or ''
        stated = email.utils.parsedate_to_datetime(date) if RFC822.match(date) else None
        if stated is None or stated.strftime('%a') != date[:3]:
            error(path, f'pubDate {date}')
        enclosure = item.find('enclosure')
        if enclosure is not None:
            if not (URL.match(enclosure.get('url', '')) and enclosure.get('length', '').isdigit() and '/' in enclosure.get('type', '')):
                error(path, f'enclosure {dict(enclosure.attrib)}')
        source = item.find('source')
        if source is not None and not URL.match(source.get('url', '')):
            error(path, 'source without url')
        if source is None:
            warnings['an item without RSS source: it comes from an API, a page or an import'] += 1
        for element in item.iter('{http://search.yahoo.com/mrss/}content', '{http://search.yahoo.com/mrss/}thumbnail'):
            if not URL.match(element.get('url', '')):
                error(path, f'media url {element.get("url")}')
        encoded = item.findtext('{http://purl.org/rss/1.0/modules/content/}encoded')
        if encoded is not None:
            judge_html(path, encoded)
        if item.find('description') is None and encoded is None:
            warnings['an item without description: its source gave no text'] += 1
        link = item.findtext('link')
        if link is not None and not URL.match(link):
            error(path, f'link {link}')
        entries.append((guid.text if guid is not None else None, item.findtext('title'), link, date))
    return entries


def json_feed(path, text, schema, base):
    feed = json.loads(text)
    for fault in schema.iter_errors(feed):
        error(path, f'{"/".join(map(str, fault.absolute_path))}: {fault.message[:160]}')
    if feed['feed_url'] != own_url(path, base):
        error(path, f'feed_url is {feed["feed_url"]}')
    for item in feed['items']:
        judge_html(path, item.get('content_html', ''))
    return [(i.get('id'), i.get('title'), i.get('url'), i.get('date_published')) for i in feed['items']]


def feedparsed(path, data):
    feed = feedparser.parse(data, sanitize_html=False, resolve_relative_uris=False)
    if feed.bozo:
        error(path, f'feedparser: {feed.bozo_exception!r}')
    date = lambda e: calendar.timegm(e.published_parsed) if e.get('published_parsed') else None
    return [(e.get('id'), e.get('title'), e.get('link'), date(e)) for e in feed.entries]


def same(path, who, mine, other):
    """Two readers' (id, title, link, date) of each entry."""
    if len(mine) != len(other):
        return error(path, f'{who} reads {len(other)} entries, not {len(mine)}')
    for one, two in zip(mine, other):
        for name, a, b in zip(('id', 'title', 'link'), one, two):
            # A title that looks like markup is written as HTML that shows it.
            if name == 'title' and str(path).endswith('.rss'):
                a, b = html.unescape(a or ''), html.unescape(b or '')
            if squeezed(a) != squeezed(b):
                error(path, f'{who} reads {name} {b!r}, not {a!r}')
        when = two[3] if isinstance(two[3], (int, type(None))) else moment(two[3])
        if moment(one[3]) != when:
            error(path, f'{who} reads date {two[3]}, not {one[3]}')


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('folder', type=pathlib.Path)
    parser.add_argument('--node', help='folder whose node_modules hold feedsmith')
    parser.add_argument('--base', default='https://news.example.org/')
    given = parser.parse_args()
    root, base = given.folder, given.base
    schema = jsonschema.Draft202012Validator(json.loads((HERE / 'json_feed.schema.json').read_text()))
    grammar = etree.RelaxNG(etree.parse(str(HERE / 'atom.rng')))
    own = [*root.glob('feed/**/*'), *(root / name for name in ('feed.xml', 'rss.xml', 'feed.json', 'opml.xml'))]
    paths = sorted(p.relative_to(root) for p in own if p.is_file() and p.suffix in ('.xml', '.rss', '.json'))
    # Feeds under old slugs are copies; they name themselves by the address that they have now.
    seen, copies = {}, 0
    for path in paths:
        at = re.search(rb'"feed_url": "' + base.encode() + rb'([^"]+)"|rel="self"[^>]*href="' + base.encode() + rb'([^"]+)"', (root / path).read_bytes())
        own = (at.group(1) or at.group(2)).decode() if at else str(path)
        if own != str(path) and (root / own).is_file() and (root / own).read_bytes() == (root / path).read_bytes():
            seen[path] = own
    paths = [path for path in paths if path not in seen]
    copies += len(seen)
    for names, suffix in (('atom.xml feed.atom feed.xml index.xml', 'xml'), ('feed.rss index.rss rss.xml rss/feed.xml', 'rss'), ('feed.json index.json', 'json')):
        for feed in root.glob(f'feed/*.{suffix}'):
            for copy in (root / feed.stem / name for name in names.split()):
                copies += copy.is_file()
                if copy.is_file() and copy.read_bytes() != feed.read_bytes():
                    error(copy, f'no copy of {feed}')
    node = {}
    if given.node:
        asked = '\n'.join(str((root / p).resolve()) for p in paths if p.name != 'opml.xml')
        script = pathlib.Path(given.node) / 'read.mjs'
        script.write_text((HERE / 'read.mjs').read_text())
        done = subprocess.run(['node', str(script.resolve())], input=asked, capture_output=True, text=True, check=True)
        node = {answer['path']: answer for answer in map(json.loads, done.stdout.splitlines())}
    read, entries_in_all, kinds = {}, 0, collections.Counter()
    for path in paths:
        data = (root / path).read_bytes()
        text = data.decode('utf-8')
        if ILLEGAL.search(text):
            error(path, 'a character that XML cannot carry')
        if path.suffix == '.json':
            entries, kind = json_feed(path, text, schema, base), 'JSON Feed'
        else:
            document = etree.fromstring(data)
            if path.name == 'opml.xml':
                for outline in document.iter('outline'):
                    if outline.get('type') != 'rss' or not outline.get('text') or not URL.match(outline.get('xmlUrl', '')):
                        error(path, f'outline {dict(outline.attrib)}')
                    if not (root / outline.get('xmlUrl', '').removeprefix(base)).is_file():
                        error(path, f'{outline.get("xmlUrl")} is not there')
                kinds['OPML'] += 1
                continue
            if document.tag == ATOM + 'feed':
                if not grammar.validate(document):
                    for fault in list(grammar.error_log)[:5]:
                        error(path, f'RELAX NG, line {fault.line}: {fault.message}')
                entries, kind = atom(path, document, base), 'Atom'
            else:
                entries, kind = rss(path, document, base), 'RSS'
            if entries is not None:
                same(path, 'feedparser', entries, feedparsed(path, data))
        kinds[kind] += 1
        entries = entries or []
        entries_in_all += len(entries)
        read[str(path)] = entries
        answer = node.get(str((root / path).resolve()))
        if answer and 'error' in answer:
            error(path, f'feedsmith: {answer["error"]}')
        elif answer:
            same(path, 'feedsmith', entries, [(e['id'], e['title'], e['link'], e['date']) for e in answer['entries']])
    for path, entries in read.items():
        if not path.endswith('.xml') or '/archive/' in path or path.endswith('corrections.xml'):
            continue
        atom_by_id = {e[0]: e for e in entries}
        pair = {'feed.xml': ('rss.xml', 'feed.json')}.get(path, (path[:-3] + 'rss', path[:-3] + 'json'))
        if pair[0] not in read:
            continue
        for other in pair:
            for entry in read[other]:
                twin = atom_by_id.get(entry[0])
                title = html.unescape if other.endswith(('.rss', 'rss.xml')) else str
                if twin and other.endswith('.json') and (safe := re.sub(r'<(?=[A-Za-z/!?])', '＜', twin[1])) != twin[1]:
                    twin = (twin[0], safe, *twin[2:])
                    warnings['a JSON title with a full-width < where a tag would begin: readers take it for markup'] += 1
                if twin is None:
                    error(other, f'{entry[0]} is not in {path}')
                elif (title(squeezed(entry[1])), entry[2], moment(entry[3])) != (title(squeezed(twin[1])), twin[2], moment(twin[3])):
                    error(other, f'{entry[0]} differs from {path}: {entry} {twin}')
        if {e[0] for e in read[pair[1]]} != set(atom_by_id):
            error(pair[1], f'not the entries of {path}')
    for line in errors[:60]:
        print('error:', line)
    for reason, count in sorted(warnings.items()):
        print(f'warning: {count} x {reason}')
    print(f'{sum(kinds.values())} documents ({", ".join(f"{n} {k}" for k, n in sorted(kinds.items()))}), {entries_in_all} entries, {copies} copies, '
          f'{len(errors)} errors, readers: lxml, feedparser {feedparser.__version__}{", feedsmith" if given.node else ""}')
    sys.exit(1 if errors else 0)


main()
