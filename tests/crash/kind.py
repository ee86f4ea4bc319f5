"""A kind of round."""
import collections

# What a round does (with the daemon up, which it leaves up), the usual number of rounds, why it cannot run here if so, how its
# world differs, the environment of its daemon, and whether its files lie on the small disk.
Kind = collections.namedtuple("Kind", "round rounds why_not world env small", defaults=(lambda _: None, {}, lambda _: None, False))
