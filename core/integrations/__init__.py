"""The ports made real.  Only core/runtime.py imports from here."""
