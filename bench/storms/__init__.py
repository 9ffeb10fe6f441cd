"""What `./run chaos` is made of: real processes that are killed, real servers that go away, and the ledger as judge.

world       a team with its numbers and everybody who is to be written to, as rows;  servers: where the rows lie
processes   senders, timetable and receiver: started, killed, started again;  worker: the entry they are started by
points      where a sender can be killed exactly: a commit, a call, an answer
link        a bad line between the senders and the gateway
judge       the ledger of what left against the rows, and what the ledger's times say
round       one campaign from its first message until everything has come to rest
stories     the storms, each by its name
"""
