#!/usr/bin/env python3
"""Fails every write, sync and rename of a publish in turn, with strace:

    break_writes.py FEEDMILL OUT [ERROR]

After each failure every file is whole, old or new; the next publish ends what was begun. Exit 0 when so.
"""
import html, http.server, os, pathlib, shutil, subprocess, sys, threading

feedmill, out = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
failure = sys.argv[3] if len(sys.argv) > 3 else 'ENOSPC'
CALLS = {'write': 'write,pwrite64,writev', 'sync': 'fsync,fdatasync,syncfs', 'rename': 'rename,renameat,renameat2'}
titles = [f'第{n}条' for n in range(12)]


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        items = ''.join(f'<item><guid>g-{n}</guid><title>{html.escape(t)}</title><pubDate>Fri, 01 May 2026 0{n % 9}:00:00 GMT</pubDate><description>文{t}</description></item>' for n, t in enumerate(titles))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f'<rss version="2.0"><channel><title>x</title>{items}</channel></rss>'.encode())

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Answer)
threading.Thread(target=server.serve_forever, daemon=True).start()
shutil.rmtree(out, ignore_errors=True)
(out / 'config/sources.d').mkdir(parents=True)
config = out / 'config/feedmill.toml'
text = '[site]\ntitle = "{}"\nurl = "https://news.example.org/"\nid_authority = "news.example.org,2026"\n[output]\narticles = "files"\n[fetch]\nallow = ["127.0.0.1"]\n'
config.write_text(text.format('旧名'))
(out / 'config/sources.d/x.toml').write_text(''.join(
    f'[[source]]\nid = "s{n}"\nurl = "http://127.0.0.1:{server.server_address[1]}/{n}"\ncategory = "报{n}"\n' for n in range(3)))
run = lambda *args, before=(): subprocess.run([*before, feedmill, '--config', str(config), *args], capture_output=True, text=True)
public = out / 'data/public'


def tree():
    return {str(p.relative_to(public)): p.read_bytes() for p in public.rglob('*') if p.is_file() and '.feedmill/' not in str(p.relative_to(public))}


assert run('poll').returncode == 0
old = tree()
# Another title changes every page and feed.
config.write_text(text.format('新名'))
shutil.copytree(out / 'data', out / 'before')
assert run('publish').returncode == 0
new = tree()
faults, failed = [], {}
# Only calls on the outputs, under their last names and before, count: not what wakes a thread.
seen = [public, *public.rglob('*')]
paths = [part for path in seen for name in (path, f'{path}.feedmill-tmp') for part in ('-P', str(name))]
for kind, calls in CALLS.items():
    nth = 0
    while True:
        nth += 1
        shutil.rmtree(out / 'data')
        shutil.copytree(out / 'before', out / 'data')
        strace = ['strace', '-f', '-qq', '-o', '/dev/null', *paths, '-e', f'trace={calls}', '-e', f'inject={calls}:error={failure}:when={nth}']
        done = run('publish', before=[*strace])
        here = tree()
        torn = [p for p, b in here.items() if b not in (old.get(p), new.get(p)) and not p.endswith('.feedmill-tmp')]
        lost = [p for p in old if p in new and p not in here]
        if torn or lost:
            faults.append(f'{kind} {nth}: torn {torn[:3]}, lost {lost[:3]}')
        if done.returncode == 0 and here == new:
            # The call that failed was none of the publish, or there are no more.
            if nth > 3 and failed.get(kind, 0) and nth - failed[kind] > 25:
                break
            if nth > 400:
                break
            continue
        failed[kind] = nth
        again = run('publish')
        after = tree()
        if again.returncode != 0 or {p: b for p, b in after.items() if not p.endswith('.feedmill-tmp')} != new:
            faults.append(f'{kind} {nth}: not complete after the next start: {again.stderr[-200:]}')
        left = [p for p in after if p.endswith('.feedmill-tmp')]
        if left:
            faults.append(f'{kind} {nth}: left behind {left[:2]}')
    print(f'{kind}: {nth} calls failed in turn, the last that mattered was {failed.get(kind)}')
print(len(faults), 'faults', *faults[:20], sep='\n')
sys.exit(1 if faults else 0)
