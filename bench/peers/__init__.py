"""Other people's map readers, driven against our replay for a comparison side by side.

Each driver is a program of its own: it runs in an environment that has the peer from the package registry and nothing
of ours, so it imports only the standard library, the peer, and `world` beside it.  None of their code is here.
"""
