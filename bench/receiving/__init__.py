"""The parts of `bench.receiver`: what is told, who tells it, the world it is told of, and the side beside ours."""
