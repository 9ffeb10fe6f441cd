"""One recipient at a time: pace, claim, outcome, receipts, rescue.

rules        which state may follow which, how fast, what an answer means
lease        one sender at a time per number, and the epoch that shuts out who comes late
claiming     the transaction that decides who is next, freezes the text and takes the slot
answers      what people answer to those who wrote: the same path, before the campaigns
engine       claim, commit, call, settle; one number, at its pace
settling     what becomes of a claim: by the answer, or by evidence
reconcile    looks for evidence, and hands to a person what has none
dispatch     which jobs there should be, read from the rows
inbox        stored webhooks, applied;  receipts, addresses: what they mean
service      what people decide: it arrived, send again, skip, retry
"""
