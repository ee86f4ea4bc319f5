#!/usr/bin/env python3
"""Has Jekyll itself build a site of the Jekyll sink, of items that try to be executed:

    jekyll_site.py FEEDMILL OUT

Exit 0 when it builds, nothing is executed, and every text is whole.
"""
import html, html.parser, http.server, pathlib, re, subprocess, sys, threading

feedmill, out = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
TEXTS = [
    '{{ site.time }} and {{ page | inspect }}',
    '{% include secret.html %} {% raw %} {% assign x = 1 %}',
    '{: onclick="alert(1)" .evil #evil }',
    '{::options parse_block_html="true" /} {::comment} gone {:/comment}',
    '[x](javascript:alert(1)) ![y](javascript:alert(2)) <javascript:alert(3)>',
    '# no heading * no list 1. no list | no | table ~~~ no code ``` no code',
    '--- title: other --- key: value',
    '$$ x^2 $$ *[HTML]: no abbreviation [^1] [^1]: no footnote',
    'a: b # c - d ? e & f ! g % h @ i ` j " k \' l \\ m',
]
items = ''.join(
    f'<item><guid>g-{n}</guid><title>{html.escape(text)}</title><link>https://paper.example/{n}?a=1&amp;b={{{{x}}}}</link>'
    f'<category>tag: with {{{{ x }}}} spaces</category>'
    f'<pubDate>Fri, 01 May 2026 0{n}:00:00 GMT</pubDate><description>{html.escape(html.escape(text))}</description>'
    f'<content:encoded xmlns:content="http://purl.org/rss/1.0/modules/content/">{html.escape(f"<p>BEGIN {html.escape(text)} END</p><pre>{html.escape(text)}</pre>")}</content:encoded></item>'
    for n, text in enumerate(TEXTS)
)
FEED = f'<?xml version="1.0"?><rss version="2.0"><channel><title>x</title>{items}</channel></rss>'.encode()


class Marks(html.parser.HTMLParser):
    """Elements and attributes that only executed text can have made."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            script = name in ('href', 'src') and (value or '').strip().lower().startswith('javascript')
            if name.startswith('on') or script or (name in ('id', 'class') and value == 'evil'):
                self.found.append(f'<{tag} {name}="{value}">')
        if tag in ('table', 'math', 'script', 'sup', 'abbr'):
            self.found.append(f'<{tag}>')


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header('Content-Type', 'application/rss+xml')
        self.end_headers()
        self.wfile.write(FEED)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Answer)
threading.Thread(target=server.serve_forever, daemon=True).start()
(out / 'config/sources.d').mkdir(parents=True, exist_ok=True)
(out / 'config/feedmill.toml').write_text('''
[site]
url = "https://news.example.org/"
id_authority = "news.example.org,2026"
[output.jekyll]
path = "../jekyll"
tag_suffix = " 新闻: \\"x\\" - {{ y }}"
footer = "[返回{tag}](//news.example.org/category/{slug}.html)"
[output.jekyll.tags]
true = "no: yes"
[fetch]
allow = ["127.0.0.1"]
[[category]]
slug = "20260501"
name = "数字日报"
[[category]]
slug = "true"
name = "真晚报"
''')
url = f'http://127.0.0.1:{server.server_address[1]}/feed.xml'
(out / 'config/sources.d/x.toml').write_text(
    f'[[source]]\nid = "a"\nurl = "{url}"\ncategory = "20260501"\n[[source]]\nid = "b"\nurl = "{url}?b"\ncategory = "true"\n')
subprocess.run([feedmill, '--config', str(out / 'config/feedmill.toml'), 'poll'], check=True, capture_output=True)
jekyll = out / 'jekyll'
(jekyll / '_config.yml').write_text('title: x\nmarkdown: kramdown\npermalink: /:categories/:year/:month/:day/:title.html\nexclude: [.feedmill]\ntimezone: Asia/Shanghai\nfuture: true\n')
(jekyll / '_layouts').mkdir(exist_ok=True)
(jekyll / '_includes').mkdir(exist_ok=True)
(jekyll / '_includes/secret.html').write_text('EXECUTED-INCLUDE')
(jekyll / '_layouts/post.html').write_text('<h1>{{ page.title | escape }}</h1><p>{{ page.categories | join: "," | escape }}|{{ page.tags | join: "," | escape }}</p><main>{{ content }}</main>')
(jekyll / '_layouts/category.html').write_text('{% for post in site.categories[page.category] %}<a href="{{ post.url }}">{{ post.title | escape }}</a>{% endfor %}')
built = subprocess.run(['jekyll', 'build', '-s', str(jekyll), '-d', str(out / 'built')], capture_output=True, text=True)
print(built.stdout.strip().splitlines()[-1:], built.stderr.strip()[:500])
faults = [] if built.returncode == 0 else ['jekyll failed']
pages = list((out / 'built').glob('**/2026/05/01/*.html'))
if len(pages) != 2 * len(TEXTS):
    faults.append(f'{len(pages)} pages of {2 * len(TEXTS)}')
seen = set()
for page in pages:
    text = page.read_text()
    marks = Marks()
    marks.feed(text)
    faults += [f'{page.name}: {mark}' for mark in marks.found]
    if 'EXECUTED-INCLUDE' in text:
        faults.append(f'{page.name}: an include was executed')
    plain = html.unescape(re.sub(r'<[^>]*>', '', text))
    for n, wanted in enumerate(TEXTS):
        if f'BEGIN {wanted} END' in ' '.join(plain.split()) or f'BEGIN {wanted} END' in plain:
            seen.add((n, '20260501' in str(page)))
            if plain.count(wanted) < 3:
                faults.append(f'{page.name}: title, digest, text and listing hold it {plain.count(wanted)} times')
    if not re.search(r'<p>(20260501|true)\|', text):
        faults.append(f'{page.name}: its category is {text[:300]}')
faults += [f'text {n} is not whole' for n in range(len(TEXTS)) for number in (True, False) if (n, number) not in seen]
for slug in ('20260501', 'true'):
    listed = (out / f'built/category/{slug}.html').read_text()
    if listed.count('<a ') != len(TEXTS):
        faults.append(f'category {slug} lists {listed.count("<a ")}')
print(f'{len(pages)} pages, {len(faults)} faults')
print('\n'.join(faults[:20]))
sys.exit(1 if faults else 0)
