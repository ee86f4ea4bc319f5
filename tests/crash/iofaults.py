#!/usr/bin/env python3
"""Faults of input and output: the N-th write, sync or rename of a round fails (strace's fault injection), for N = 1, 2, ...
until a round has none left to fail. After each faulty round one without faults must find everything: nothing lost,
nothing twice, no file torn; and the faulty one must have ended with a message, not with a panic.

Only what goes to the mill's own files fails: a socket or a pipe cannot be full. Needs strace, and the right to trace;
says so and ends well where it has none.

usage: iofaults.py --feedmill target/release/feedmill [--calls write,sync,rename] [--errors ENOSPC,EIO] [--most 1000]"""
import argparse, collections, os, random, shutil, signal, subprocess, sys, tempfile, time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from ledger import entries
from world import World, skip

CALLS = {
    "write": "write,pwrite64,writev,pwritev,ftruncate,fallocate,sync_file_range",
    "sync": "fsync,fdatasync,syncfs",
    "rename": "rename,renameat,renameat2",
}
MOST_FAULTS = 20


def injected(world, calls, error, n):
    """What strace has to be told, so that the n-th of these calls fails where it goes to a file of the mill's."""
    paths = [part for path in world.files() for part in ("-P", path, "-P", path + ".feedmill-tmp")]
    return ["-e", "trace=" + calls, "-e", "inject=%s:error=%s:when=%d" % (calls, error, n), *paths]


def published(world, when):
    """Reads the published files, for no daemon serves here."""
    world.check_files(when)
    for path in world.paths():
        try:
            with open(os.path.join(world.data, "public", path.lstrip("/")), "rb") as file:
                world.ledger.saw(path, entries(path.rsplit(".", 1)[1], file.read()), when)
                world.reads += 1
        except (FileNotFoundError, ValueError):
            # Not there yet; what is not whole was told above.
            continue


def faulty_round(world, kind, error, n, trace):
    """A round in a process of its own; whether a call was left to fail."""
    when = "%s %d: %s" % (kind, n, error)
    strace = ["strace", "-f", "-qq", "-o", trace, *injected(world, CALLS[kind], error, n)]
    faulty = world.command("poll", before=strace)
    with open(trace) as out:
        hit = "(INJECTED)" in out.read()
    if faulty is None:
        world.fault("hung", when)
    elif faulty.returncode not in (0, 1):
        world.fault("ended badly", "%s: %s: %s" % (when, faulty.returncode, faulty.stderr[-300:]))
    elif faulty.returncode == 1:
        world.notes["rounds ended with a message"] += 1
        if "error: " not in faulty.stderr and "failed" not in faulty.stdout:
            world.fault("unsaid", "%s: %s" % (when, faulty.stderr[-300:]))
    if faulty is not None and "panicked at" in faulty.stderr:
        world.fault("panic", "%s: %s" % (when, faulty.stderr[-300:]))
    published(world, when + ", right after")
    return hit


def sound_round(world, when):
    """A round without faults finds everything."""
    good = world.command("poll")
    if good is None or good.returncode:
        world.fault("not sound again", "%s: %s" % (when, good and good.stderr[-300:]))
    published(world, when)
    missing = world.missing()
    if missing:
        world.fault("never arrived", "%s: %s" % (when, missing[:5]))


def rounds(world, wanted, most, rng, trace):
    """One round after the other, each with one fault more behind it; how many of each kind."""
    done = {}
    world.change(rng, 12)
    sound_round(world, "first")
    for kind, error in wanted:
        for n in range(1, most + 1):
            world.change(rng, 2)
            hit = faulty_round(world, kind, error, n, trace)
            sound_round(world, "a round after %s %d: %s" % (kind, n, error))
            done["%s %s" % (kind, error)] = n
            if not hit or len(world.faults) > MOST_FAULTS:
                break
    return done


def lasting(world, kind, error, n, rng, trace):
    """A running daemon meets the fault, and has to go on by itself; whether it met it. strace counts calls by thread, and
    a daemon has many: it is let go at the first fault."""
    when = "daemon, %s %d: %s" % (kind, n, error)
    # A plain write is also how threads wake each other; the store's own have an offset.
    calls = CALLS[kind].removeprefix("write,")
    logged = os.path.getsize(world.log)
    open(trace, "w").close()
    command = ["strace", "-f", "-qq", "-p", str(world.daemon.pid), "-o", trace, *injected(world, calls, error, n)]
    strace = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    hit, until = False, time.time() + 6
    while not hit and time.time() < until:
        world.change(rng, 1)
        time.sleep(0.2)
        with open(trace) as out:
            hit = "(INJECTED)" in out.read()
    strace.send_signal(signal.SIGINT)
    strace.wait()
    world.settle(when)
    world.check_files(when)
    world.alive(when)
    for panic in world.panics(logged):
        world.fault("panic", "%s: %s" % (when, panic))
    return hit


def in_a_daemon(world, wanted, times, rng, trace):
    """So many faults of each kind in a running daemon; how many it met."""
    met = collections.Counter()
    world.change(rng, 12)
    if world.must_start("at first"):
        world.settle("at first")
        for kind, error in wanted:
            for n in range(times):
                met["%s %s" % (kind, error)] += lasting(world, kind, error, 1 + n % 5, rng, trace)
        world.check_end()
    return dict(met)


def main():
    args = argparse.ArgumentParser(formatter_class=argparse.RawDescriptionHelpFormatter, description=__doc__)
    args.add_argument("--feedmill", required=True)
    args.add_argument("--calls", default="write,sync,rename")
    args.add_argument("--errors", default="ENOSPC,EIO")
    args.add_argument("--most", type=int, default=1000)
    args.add_argument("--daemon", type=int, default=0, help="so many faults of each kind in a running daemon instead")
    args = args.parse_args()
    if not shutil.which("strace"):
        skip("there is no strace here")
    if subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True).returncode:
        skip("nothing can be traced here")
    home = tempfile.mkdtemp(prefix="feedmill-iofaults-")
    world = World(os.path.abspath(args.feedmill), home, sources=4, categories=2, listed=200)
    begun, rng, trace = time.time(), random.Random(1), os.path.join(home, "trace")
    wanted = [(kind, error) for kind in args.calls.split(",") for error in args.errors.split(",")]
    try:
        done = in_a_daemon(world, wanted, args.daemon, rng, trace) if args.daemon else rounds(world, wanted, args.most, rng, trace)
    finally:
        world.close()
    print("iofaults  %s %s   %d s   %s" % (done, world.figures(), time.time() - begun, world.verdict()))
    if not world.faults:
        shutil.rmtree(home)
    sys.exit(1 if world.faults else 0)


if __name__ == "__main__":
    main()
