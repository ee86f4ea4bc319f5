"""What is done to the system's clock, by libfaketime."""
import glob, os, signal, time

from kind import Kind

FAKETIME = "/usr/lib/*/faketime/libfaketimeMT.so.1"


def clock_env(home):
    set_clock(home, "+0")
    return {
        "LD_PRELOAD": glob.glob(FAKETIME)[0],
        "FAKETIME_TIMESTAMP_FILE": os.path.join(home, "clock"),
        "FAKETIME_NO_CACHE": "1",
        # A kernel's monotonic clock never goes back.
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }


def set_clock(home, offset):
    with open(os.path.join(home, "clock.new"), "w") as out:
        out.write(offset + "\n")
    os.replace(os.path.join(home, "clock.new"), os.path.join(home, "clock"))


def clock(world, rng):
    """The system's clock jumps: across a restart, and while the daemon runs. No article is lost or dated anew, and no
    newspaper is asked more often for it."""
    asked, begun = world.upstream.asked, time.monotonic()
    if rng.random() < 0.5:
        world.stop(signal.SIGTERM)
        set_clock(world.home, rng.choice(("+0", "+1d", "-1d", "+20y", "-30y")))
        world.must_start("after the clock was set")
    for _ in range(2):
        set_clock(world.home, rng.choice(("+0", "+1h", "-1h", "+3d", "-3d")))
        world.change(rng, 3)
        time.sleep(0.5 + rng.random())
        world.check("the clock was set")
    world.alive("the clock was set")
    set_clock(world.home, "+0")
    world.settle("after the clock was right again")
    seconds = time.monotonic() - begun
    most = len(world.upstream.sources) * (2 * seconds + 4)
    if world.upstream.asked - asked > most:
        world.fault("storm", "%d requests in %.0f s" % (world.upstream.asked - asked, seconds))


def no_clock(_):
    return None if glob.glob(FAKETIME) else "there is no libfaketime here"


KINDS = {"clock": Kind(clock, 10, no_clock, env=clock_env)}
