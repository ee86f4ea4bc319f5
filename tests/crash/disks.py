"""What is done to the daemon's files: no room, no right to write, damage."""
import os, re, shutil, signal, subprocess, tempfile, time

from kind import Kind

# What the daemon logs of a mend, or `feedmill store repair` prints.
MENDED = re.compile("the store was damaged|mended where it stands|a new store was made|nothing could be read")
CHANGES_LOST = re.compile(r"lost\.changes=[1-9]|its last \d+ changes are lost")


def diskfull(world, rng):
    """No byte is free any more. Readers are served; once there is room all that came meanwhile arrives."""
    filler = os.path.join(os.path.dirname(world.data), "filler")
    fill(filler)
    world.change(rng, 10)
    time.sleep(3)
    world.check("on a full disk")
    if rng.random() < 0.5:
        world.stop(signal.SIGKILL)
        if rng.random() < 0.5:
            start_full(world)
    os.remove(filler)
    if world.up:
        world.alive("on a full disk")
    else:
        world.must_start("after a full disk")
    world.settle("after a full disk")
    world.check_files("after a full disk")
    clear_aside(world)


def fill(path):
    try:
        with open(path, "wb", buffering=0) as out:
            while True:
                out.write(bytes(65_536))
    except OSError:
        pass


def start_full(world):
    """A start on a full disk: that is what the ballast is for. Without one, as right after it was used, the daemon may end, but has
    to say why."""
    ballast, since = os.path.exists(os.path.join(world.data, "store", "ballast")), os.path.getsize(world.log)
    code = world.start()
    if code is None:
        world.notes["starts on a full disk"] += 1
    elif ballast or code < 0 or "make room" not in world.logged(since):
        world.fault("start", "on a full disk, %s ballast: the daemon ended with %s: %s" % ("with" if ballast else "without", code, world.logged(since)[-300:]))
    else:
        world.notes["starts refused on a full disk without ballast"] += 1


def clear_aside(world):
    """Deletes what a mend kept, as docs/store.md says for when all is well; gives its names."""
    aside = [folder for folder in os.listdir(world.data) if folder.startswith("store.")]
    for folder in aside:
        shutil.rmtree(os.path.join(world.data, folder))
    return aside


def readonly(world, rng):
    """Nothing can be made, renamed or removed for a while."""
    lock_folders(world, True)
    try:
        world.change(rng, 5)
        time.sleep(1 + 2 * rng.random())
        world.check("read-only")
        world.alive("read-only")
    finally:
        lock_folders(world, False)
    world.settle("after read-only")


def lock_folders(world, locked):
    folders = [where for where, _, _ in os.walk(world.data)]
    if os.geteuid() == 0:
        subprocess.run(["chattr", "+i" if locked else "-i", *folders], check=locked, stderr=subprocess.DEVNULL)
        return
    for folder in folders:
        os.chmod(folder, 0o500 if locked else 0o700)


def no_readonly(args):
    if os.geteuid() != 0:
        return None
    with tempfile.TemporaryDirectory(dir=args.dir) as folder:
        if shutil.which("chattr") and subprocess.run(["chattr", "+i", folder], capture_output=True).returncode == 0:
            subprocess.run(["chattr", "-i", folder], check=True)
            return None
    return "root cannot make a folder immutable here (chattr +i)"


def no_small(args):
    if not args.small:
        return "no --small folder on a file system of its own, such as: mount -t tmpfs -o size=64m none FOLDER"
    disk = os.statvfs(args.small)
    size = disk.f_blocks * disk.f_frsize >> 20
    return "the file system of %s has %d MiB; it has to be one of 48 to 256" % (args.small, size) if not 48 <= size <= 256 else None


def corrupt(world, rng):
    """A file of the store is damaged while no daemon runs. It is mended by the next start or by `feedmill store repair`
    (docs/store.md), which says so wherever something was lost; and everything is back in the end."""
    world.change(rng, 5)
    world.settle("before damage")
    if rng.random() < 0.3:
        made = world.command("store", "export", os.path.join(world.data, "exports", time.strftime("store-%Y%m%dT%H%M%SZ.feedmill", time.gmtime())))
        if made is None or made.returncode:
            world.fault("export", str(made and made.stderr[-300:]))
        world.change(rng, 3)
        world.settle("before damage")
    world.stop(rng.choice((signal.SIGTERM, signal.SIGKILL)))
    path = rng.choice(world.files("store"))
    how = damage(path, rng)
    when = "after %s of %s" % (how, os.path.relpath(path, world.data))
    since, went_back = os.path.getsize(world.log), world.ledger.went_back
    world.ledger.mending = True
    said = ""
    if rng.random() < 0.3:
        done = world.command("store", "repair")
        if done is None or done.returncode not in (0, 1) or "panicked at" in done.stderr:
            world.fault("repair", "%s: %s" % (when, done and (done.returncode, done.stderr[-300:])))
        said = done.stdout + done.stderr if done else ""
    if world.must_start(when):
        world.settle(when)
    said += world.logged(since)
    with world.lock:
        older = world.ledger.mended()
    if older and not CHANGES_LOST.search(said):
        world.fault("older", "%s: nothing was said of lost changes, and these have newer editions: %s" % (when, sorted(older)[:5]))
    world.notes["editions lost and said so"] += len(older)
    world.notes["mends while readers saw less"] += world.ledger.went_back > went_back
    aside = clear_aside(world)
    if MENDED.search(said):
        world.notes["mends said"] += 1
    elif aside or world.ledger.went_back > went_back:
        world.fault("unsaid", "%s: %s, and readers saw less for a moment, but nothing was said" % (when, aside))


def damage(path, rng):
    size = os.path.getsize(path)
    how = rng.choice(("flipped bits", "zeros", "a cut", "emptying", "deletion", "rubbish at the end"))
    if how == "deletion":
        os.remove(path)
        return how
    with open(path, "r+b") as file:
        if how == "flipped bits" and size:
            for _ in range(8):
                at = rng.randrange(size)
                file.seek(at)
                byte = file.read(1)[0]
                file.seek(at)
                file.write(bytes([byte ^ 1 << rng.randrange(8)]))
        elif how == "zeros" and size:
            at = rng.randrange(size)
            file.seek(at)
            file.write(bytes(min(4096, size - at)))
        elif how == "a cut":
            file.truncate(rng.randrange(size + 1))
        elif how == "emptying":
            file.truncate(0)
        else:
            file.seek(0, os.SEEK_END)
            file.write(rng.randbytes(777))
    return how


KINDS = {
    "diskfull": Kind(diskfull, 10, no_small, small=True),
    "readonly": Kind(readonly, 10, no_readonly),
    # Lists so short that most articles have left them: newspapers cannot give these back.
    "corrupt": Kind(corrupt, 20, world={"sources": 4, "categories": 2, "listed": 8}),
}
