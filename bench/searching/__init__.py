"""The parts of `./run bench search`: the replay, our side, the peers', memory, and what is made of the figures."""
