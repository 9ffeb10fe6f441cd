"""Answers of people, and ours to them.

rules       what a conversation may be, who may be answered, how fast
listening   keeps a conversation's row true, from the messages
outbox      puts an answer on its way, and the one message after an opt-out
queries     the list, a conversation, quick replies, by name
service     what people do: read, answer, look after, decide about what is held

How an answer leaves stands in core/sending/answers.py, beside how a campaign's message does.
"""
