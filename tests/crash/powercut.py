#!/usr/bin/env python3
"""Power cuts: the mill works on an ext4 file system of its own, on a loop device. At a random moment the file system is
shut down without writing its journal (FS_IOC_SHUTDOWN), so that everything which was not synced is lost, as in a power
cut; it is mounted again, and all that a reader had seen must be there, once and whole.

A loop device has no volatile cache of its own and tears no sectors. Needs root and loop devices; says so and ends
well where it has none.

usage: powercut.py --feedmill target/release/feedmill [--cuts 40] [--seed 1]"""
import argparse, fcntl, os, random, shutil, signal, struct, subprocess, sys, tempfile, time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from world import World, skip

SHUTDOWN, WITHOUT_JOURNAL = 0x8004587D, 2


def run(*command):
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def main():
    args = argparse.ArgumentParser(formatter_class=argparse.RawDescriptionHelpFormatter, description=__doc__)
    args.add_argument("--feedmill", required=True)
    args.add_argument("--cuts", type=int, default=40)
    args.add_argument("--seed", type=int, default=1)
    args = args.parse_args()
    rng = random.Random(args.seed)
    if os.geteuid() != 0:
        skip("only root can mount a file system")
    if not (shutil.which("mkfs.ext4") and shutil.which("mount")):
        skip("there is no mkfs.ext4 here")
    home = tempfile.mkdtemp(prefix="feedmill-powercut-")
    image, mounted = os.path.join(home, "disk"), os.path.join(home, "mnt")
    os.mkdir(mounted)
    with open(image, "wb") as disk:
        disk.truncate(256 << 20)
    made = run("mkfs.ext4", "-q", image)
    if made.returncode or run("mount", "-o", "loop", image, mounted).returncode:
        shutil.rmtree(home)
        skip("no loop device can be mounted here")
    world = World(os.path.abspath(args.feedmill), home, mounted, listed=200, ready=15)
    begun, made = time.time(), 0
    try:
        for cut in range(args.cuts):
            if not world.must_start("after cut %d" % cut):
                break
            world.check("after cut %d" % cut)
            # Readers stop first: what they see while the cut is made was not shown to anybody.
            with world.readers():
                until = time.time() + rng.choice([rng.uniform(0, 0.2), rng.uniform(0, 1), rng.uniform(0, 4)])
                while time.time() < until:
                    world.change(rng, rng.randrange(1, 8))
                    time.sleep(0.1)
            folder = os.open(mounted, os.O_RDONLY)
            fcntl.ioctl(folder, SHUTDOWN, struct.pack("I", WITHOUT_JOURNAL))
            os.close(folder)
            world.stop(signal.SIGKILL)
            made += 1
            run("umount", mounted)
            again = run("mount", "-o", "loop", image, mounted)
            if again.returncode:
                world.fault("mount", again.stderr)
                break
            world.check_files("after cut %d" % (cut + 1))
            aside = [name for name in os.listdir(os.path.join(mounted, "data")) if "damaged" in name]
            if aside:
                world.fault("damaged", "after cut %d: %s" % (cut + 1, aside))
                break
        if not world.faults and world.must_start("at the end"):
            world.check_end()
    finally:
        world.close()
        run("umount", mounted)
    print("powercut  %4d cuts %s   %d s   %s" % (made, world.figures(), time.time() - begun, world.verdict()))
    if not world.faults:
        shutil.rmtree(home)
    sys.exit(1 if world.faults else 0)


if __name__ == "__main__":
    main()
