"""The single-machine mode: everything Prumo needs, started by `./run` on a machine that has only Python.

    __main__.py     the commands of `./run`, once the packages are installed
    house.py        which processes make the house, what each is told, and where its data lies
    supervisor.py   starts processes in order, shows what they say, ends them in reverse order
    postgres.py     a PostgreSQL of our own from the binaries of a Python package
    redis.py        a Valkey of our own, likewise
    account.py      the account these two servers run under when we are root
    chromium.py     where the browser is, and how it is installed
    testing.py      `./run test`: one PostgreSQL and one Valkey around pytest
    doctor.py       `./run doctor`: what is there, what is missing, and the command that mends it
    healthy.py      "does it answer?", for the start and for the health checks of the containers

Nothing here knows the product: it starts modules by name and hands them their settings.
"""
