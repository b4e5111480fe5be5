"""The packaged daemon killed with SIGKILL, again and again: ``python -m tests.kills --kills 300``.

Three processes: ``trackers`` serves the simulated trackers and survives; ``lockstep run`` is killed, at random instants
or while the n-th of its writes is in flight, by the tracker that it writes to; this one starts it again, plays the
``people`` over the trackers' own APIs, and counts (``checker``) over what those APIs show.
"""
