#!/usr/bin/env python3
"""Faults of input and output: the N-th write, sync or rename of a round fails (strace's fault injection), for N = 1, 2, ...
until a round has none left to fail. After each faulty round one without faults must find everything: nothing lost,
nothing twice, no file torn; and the faulty one must have ended with a message, not with a panic.

Only what goes to the mill's own files fails: a socket or a pipe cannot be full. Needs strace, and the right to trace;
says so and ends well where it has none.

usage: iofaults.py --feedmill target/release/feedmill [--calls write,sync,rename] [--errors ENOSPC,EIO] [--most 1000]"""
import argparse, os, random, re, shutil, signal, subprocess, sys, tempfile, time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from world import World, skip

CALLS = {
    "write": "write,pwrite64,writev,pwritev,ftruncate,fallocate,sync_file_range",
    "sync": "fsync,fdatasync,syncfs",
    "rename": "rename,renameat,renameat2",
}


def once(world, *before, env=None):
    """One round over all sources, in a process of its own."""
    command = [*before, world.binary, "--config", world.config, "poll"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=60, env=env)
    except subprocess.TimeoutExpired:
        return None


def files(world):
    """Every file that the mill writes, and the name under which it is written first."""
    found = []
    for folder, _, names in os.walk(os.path.join(world.data, "data")):
        for name in names:
            path = os.path.join(folder, name)
            found += [path, path + ".feedmill-tmp"]
    return found


def published(world, when):
    """Reads the published files, for no daemon serves here."""
    def read(category):
        try:
            with open(os.path.join(world.data, "data/public/feed/%s.xml" % category), "rb") as file:
                body = file.read()
        except OSError:
            return None
        world.reads += 1
        return [name.decode() for name in re.findall(rb"<title[^>]*>\s*(ITEM-[A-Za-z0-9-]+)", body)]

    world.read = read
    world.check_files(when)
    world.check(when)


def lasting(world, kind, error, n, rng, home):
    """A running daemon meets the fault, and has to go on by itself. strace counts calls by thread, and a daemon has
    many: it is let go at the first fault."""
    when = "daemon, %s %d: %s" % (kind, n, error)
    # A plain write is also how threads wake each other; the store's own have an offset.
    calls = CALLS[kind].removeprefix("write,")
    paths = [part for path in files(world) for part in ("-P", path)]
    inject = "inject=%s:error=%s:when=%d" % (calls, error, n)
    trace, log = os.path.join(home, "trace"), os.path.join(home, "daemon.log")
    logged = os.path.getsize(log)
    open(trace, "w").close()
    command = ["strace", "-f", "-qq", "-p", str(world.daemon.pid), "-o", trace, "-e", "trace=" + calls, "-e", inject, *paths]
    strace = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    hit, until = False, time.time() + 6
    while not hit and time.time() < until:
        world.feed(rng, 1)
        time.sleep(0.2)
        with open(trace) as out:
            hit = "(INJECTED)" in out.read()
    strace.send_signal(signal.SIGINT)
    strace.wait()
    world.settle(when)
    world.check_files(when)
    if world.daemon.poll() is not None:
        world.fault("ended", "%s: %s" % (when, world.daemon.returncode))
        world.start()
    for panic in world.panics(logged):
        world.fault("panic", "%s: %s" % (when, panic))
    return hit


def main():
    args = argparse.ArgumentParser(formatter_class=argparse.RawDescriptionHelpFormatter, description=__doc__)
    args.add_argument("--feedmill", required=True)
    args.add_argument("--calls", default="write,sync,rename")
    args.add_argument("--errors", default="ENOSPC,EIO")
    args.add_argument("--most", type=int, default=1000)
    args.add_argument("--daemon", type=int, default=0, help="so many faults of each kind in a running daemon instead")
    args.add_argument("--port", type=int, default=18791)
    args = args.parse_args()
    if not shutil.which("strace"):
        skip("there is no strace here")
    if subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True).returncode:
        skip("nothing can be traced here")
    home = tempfile.mkdtemp(prefix="feedmill-iofaults-")
    world = World(os.path.abspath(args.feedmill), home, home, args.port, sources=4, categories=2)
    rng, begun, rounds, refused = random.Random(1), time.time(), {}, {}
    kinds = [(kind, error) for kind in args.calls.split(",") for error in args.errors.split(",")]
    if args.daemon:
        world.feed(rng, 8)
        world.start()
        world.settle("first")
        for kind, error in kinds:
            hits = [lasting(world, kind, error, 1 + n % 5, rng, home) for n in range(args.daemon)]
            rounds["%s %s" % (kind, error)] = sum(hits)
        if world.end() != 0:
            world.fault("ended badly", "at the end")
        code = world.report(faults_met=rounds, seconds=round(time.time() - begun))
        if not code:
            shutil.rmtree(home)
        sys.exit(code)
    world.feed(rng, 8)
    first = once(world)
    if first is None or first.returncode:
        world.fault("first round", str(first and first.stderr))
    published(world, "first")
    for kind, error in kinds:
        for n in range(1, args.most + 1):
            world.feed(rng, 2)
            trace = os.path.join(home, "trace")
            paths = [part for path in files(world) for part in ("-P", path)]
            calls = CALLS[kind]
            inject = "inject=%s:error=%s:when=%d" % (calls, error, n)
            faulty = once(world, "strace", "-f", "-qq", "-o", trace, "-e", "trace=" + calls, "-e", inject, *paths)
            with open(trace) as out:
                hit = out.read().count("(INJECTED)")
            when = "%s %d: %s" % (kind, n, error)
            if faulty is None:
                world.fault("hung", when)
            elif faulty.returncode not in (0, 1):
                world.fault("ended badly", "%s: %s: %s" % (when, faulty.returncode, faulty.stderr[-300:]))
            elif faulty.returncode == 1:
                refused[kind] = refused.get(kind, 0) + 1
                if "error: " not in faulty.stderr and "failed" not in faulty.stdout:
                    world.fault("no message", "%s: %s" % (when, faulty.stderr[-300:]))
            if faulty is not None and "panicked at" in faulty.stderr:
                world.fault("panic", "%s: %s" % (when, faulty.stderr[-300:]))
            published(world, when + ", right after")
            good = once(world)
            if good is None or good.returncode:
                world.fault("not sound again", "%s: %s" % (when, good and good.stderr[-300:]))
            published(world, when + ", a round later")
            missing = [
                name
                for number, items in enumerate(world.upstream.items)
                for name, _ in items[-200:]
                if name not in world.seen[world.categories[number % len(world.categories)]]
            ]
            if missing:
                world.fault("never arrived", "%s: %s" % (when, missing[:5]))
            rounds["%s %s" % (kind, error)] = n
            if not hit or len(world.faults) > 20:
                break
    code = world.report(rounds=rounds, ended_with_a_message=refused, seconds=round(time.time() - begun))
    if not code:
        shutil.rmtree(home)
    sys.exit(code)


if __name__ == "__main__":
    main()
