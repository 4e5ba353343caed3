"""Time: the queue, the hosts engines run in, and the one Session a window talks to."""
