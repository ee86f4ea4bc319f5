"""Breaks each promise on purpose, one after the other: a runner that never says BROKEN says nothing."""
import json, os, random, shutil, signal, time

from upstream import Article
from world import World


def look(world, when, kind):
    """Reads until such a fault is found, at most for some seconds."""
    until = time.monotonic() + 10
    while kind not in dict(world.faults) and time.monotonic() < until:
        world.check(when)
        time.sleep(0.1)


def lose(world, _):
    """An article goes between two rounds."""
    name = world.upstream.sources[0][-1].name
    found = world.command("item", "find", "Article %s," % name, "--json")
    world.command("item", "withdraw", "--why", "to be missed", json.loads(found.stdout)[0]["info_code"])
    look(world, "an article was taken out", "lost")


def go_back(world, rng):
    """The store is the one of a moment ago, and newspapers list nothing any more."""
    store, copy = os.path.join(world.data, "store"), os.path.join(world.home, "copy")
    world.stop()
    shutil.copytree(store, copy)
    world.must_start("go back")
    for _ in range(10):
        world.upstream.edit(rng)
    world.settle("go back")
    world.stop(signal.SIGKILL)
    shutil.rmtree(store)
    shutil.move(copy, store)
    world.upstream.listed = 1
    world.must_start("go back")
    look(world, "go back", "older")


def double(world, _):
    """A newspaper gives an article once more that no rule can tell from another one."""
    with world.upstream.lock:
        twin = Article(world.upstream.sources[0][-1].name, 1_600_000_000)
        twin.entry = lambda: Article.entry(twin).replace("urn:article:", "urn:other:").replace("/%s" % twin.name, "/other").replace("what it has", "anything but what it had")
        world.upstream.sources[0].append(twin)
        world.upstream.versions[0] += 1
    look(world, "a twin", "doubled")


def begin_anew(world, _):
    """Everything is thrown away; ids are made with another name, and newspapers date their articles anew."""
    world.stop()
    shutil.rmtree(world.data)
    os.makedirs(world.data)
    world.authority = "other.example,2026"
    for articles in world.upstream.sources:
        for article in articles:
            article.date -= 3_600
    world.must_start("begin anew")
    look(world, "begin anew", "date")


def tear(world, _):
    """A published file is cut off."""
    world.stop()
    path = os.path.join(world.data, "public", "feed", "c0.xml")
    os.truncate(path, os.path.getsize(path) // 2)
    world.check_files("a torn file")


def forge(world, _):
    """A published file has a byte too many, and another one lies beside it."""
    world.stop()
    for name in ("index.html", "more.html"):
        with open(os.path.join(world.data, "public", name), "a") as file:
            file.write("\n</html>")
    world.check_bytes()


def dawdle(world, _):
    """No start can be as soon as this."""
    world.stop()
    world.ready_limit = 0.0
    world.must_start("dawdle")


def stop_it(world, _):
    """The daemon ends where it must not."""
    os.killpg(world.daemon.pid, signal.SIGKILL)
    world.daemon.wait()
    world.alive("it was stopped")


# What is done, and the faults that have to be found.
BREAKS = (
    (lose, {"lost"}),
    (go_back, {"older"}),
    (double, {"doubled", "id"}),
    (begin_anew, {"id", "date"}),
    (tear, {"torn"}),
    (forge, {"bytes"}),
    (dawdle, {"late"}),
    (stop_it, {"ended"}),
)


def prove(binary, home):
    """Gives what was not found."""
    unseen = []
    for does, wanted in BREAKS:
        where, rng = os.path.join(home, does.__name__), random.Random(does.__name__)
        os.mkdir(where)
        world = World(binary, where, sources=3, categories=1, quiet=True)
        try:
            world.change(rng, 20)
            world.must_start("at first")
            world.settle("at first")
            does(world, rng)
        finally:
            world.close()
        found = {kind for kind, _ in world.faults}
        unseen += sorted(wanted - found)
        print("%-10s %s" % (does.__name__, "seen: " + ", ".join(sorted(wanted)) if wanted <= found else "NOT SEEN: %s" % sorted(wanted - found)), flush=True)
    return unseen
