#!/usr/bin/env python3
"""Kills, stops and damages a running feedmill, and looks after each round whether its promises hold: no article that a
reader saw is lost, none stands there twice, ids and dates stay, feeds are whole for whoever reads meanwhile, the daemon
is soon there again and says what it mended. Exit code 0 only if all of that is so.

    crash.py --feedmill target/release/feedmill                  every kind, with its usual number of rounds
    crash.py --feedmill target/release/feedmill kill=1000 two    these kinds, so many rounds
    crash.py --feedmill target/release/feedmill --prove          breaks each promise on purpose: each has to be seen"""
import argparse, os, random, shutil, signal, sys, tempfile, time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import clocks, disks, proof, stops
from world import World

KINDS = {**stops.KINDS, **disks.KINDS, **clocks.KINDS}
MOST_FAULTS = 20


def run(name, rounds, args, home, deadline):
    """Rounds of one kind; gives their faults."""
    kind = KINDS[name]
    reason = kind.why_not(args)
    if reason:
        print("%-9s skipped: %s" % (name, reason), flush=True)
        return []
    os.mkdir(home)
    begun, rng, done = time.monotonic(), random.Random("%s %s" % (args.seed, name)), 0
    place = tempfile.mkdtemp(dir=args.small) if kind.small else home
    world = World(os.path.abspath(args.feedmill), home, place, ready=args.ready, env=kind.env(home), **kind.world)
    try:
        if begin(world, rng):
            with world.readers():
                while done < (rounds or kind.rounds) and len(world.faults) < MOST_FAULTS and time.monotonic() < deadline:
                    kind.round(world, rng)
                    done += 1
            world.check_end()
    finally:
        world.close()
        if kind.small:
            shutil.rmtree(place)
    print("%-9s %4d rounds %s   %d s   %s" % (name, done, world.figures(), time.monotonic() - begun, world.verdict()), flush=True)
    return world.faults


def begin(world, rng):
    """A daemon that has taken in so much that articles have left their lists; whether it runs."""
    for _ in range(6):
        world.change(rng, 15)
        if world.daemon is None and not world.must_start("at first"):
            return False
        world.settle("at first")
    return True


def main():
    parser = argparse.ArgumentParser(formatter_class=argparse.RawDescriptionHelpFormatter, description=__doc__)
    parser.add_argument("kinds", nargs="*", metavar="KIND[=ROUNDS]", help=", ".join(KINDS))
    parser.add_argument("--feedmill", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=60, help="no round begins later")
    parser.add_argument("--ready", type=float, default=10, help="seconds in which a start has to answer")
    parser.add_argument("--dir", help="where folders for the runs are made, else where temporary files are")
    parser.add_argument("--small", help="a folder on a small file system of its own, for diskfull")
    parser.add_argument("--prove", action="store_true")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    wanted = {}
    for word in args.kinds or KINDS:
        name, _, rounds = word.partition("=")
        if name not in KINDS or (rounds and not rounds.isdigit()):
            parser.error("no kind of round: " + word)
        wanted[name] = int(rounds or 0)
    home = tempfile.mkdtemp(prefix="feedmill-crash-", dir=args.dir)
    begun, faults = time.monotonic(), []
    if args.prove:
        faults = proof.prove(os.path.abspath(args.feedmill), home)
    else:
        for name, rounds in wanted.items():
            faults += run(name, rounds, args, os.path.join(home, name), begun + 60 * args.minutes)
    print("%s after %d s" % ("%d BROKEN; see %s" % (len(faults), home) if faults else "all held", time.monotonic() - begun))
    if not faults:
        shutil.rmtree(home)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
