"""The parts of `bench.send`: the gateway's stand-in, the sides that send through it, the rows that they send from."""
