"""What Prumo knows and decides; imports neither ui nor workers.

accounts    teams, users, roles: who may do what
leads       the businesses of a team: phones, duplicates, filters
optouts     who must never be written to again
searches    asking the map, and what came back
instances   the WhatsApp numbers of a team and their connection
campaigns   what is to be said, to whom, and the life of a campaign
replies     conversations with those who wrote, and what is answered to them
sending     one recipient at a time: pace, claim, outcome, receipts, rescue

Each of the eight has `rules` (decisions, pure), `queries` (questions to the database, by name) and `service` (the verbs
a person may ask for: check the actor, ask the rules, write, queue).  What happens without anyone asking stands in a
module of its own beside them.  `tables` holds the columns, `ports` what we ask of the world, `integrations` the ports
made real, `work` one transaction, `runtime` what builds it all, `sparing` a log that stays short.  `queues` is an
administrator's look at the workers.
"""
