"""Stand-ins for the world outside: a map site and a WhatsApp gateway, real HTTP servers on this machine.

Our adapters cannot tell them from the real thing, and they know nothing of the product: no import of core, ui,
workers or local.  Everything in them is invented.
"""
