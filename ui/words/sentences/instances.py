"""Numbers: why one cannot be added or set so, why it stands still or may send less, and how well it is."""

from ui.words import N_

SENTENCES = {
    "terms_not_accepted": N_("Tick the box to go on."),
    "gateway_not_set_up": N_("No gateway is set up yet. Whoever runs Prumo has to add one."),
    "too_many_numbers": N_("A team has {most} numbers at most. Disconnect one that is not used."),
    "changed:connected": N_("It is connected by now."),
    "changed:scanning": N_("It waits for its code to be scanned."),
    "changed:disconnected": N_("It is disconnected by now."),
    "number_rests": N_("Nobody can start this number again before {until}: going on sooner would lose it."),
    # why a number stands still; core's StopReason and TroubleReason
    "pause:by_hand": N_("Paused by hand."),
    "pause:refused": N_("Stopped by itself: WhatsApp refused {refused} of the last {of} messages."),
    "pause:undelivered": N_("Stopped by itself: of the last {of} messages only {delivered}% arrived."),
    "pause:opt_outs": N_("Stopped by itself: {opted_out} of {of} people asked not to be written to."),
    "pause:banned": N_("Stopped by itself: WhatsApp blocked this number."),
    "pause:logged_out": N_("Stopped by itself: the device left the account, which is how a block begins."),
    "pause:gateway_refused": N_("Paused by itself: the gateway refuses our key or this number."),
    "pause:outcomes_unknown": N_("Paused by itself: several messages in a row had no clear outcome."),
    # why it may send less today than its team has set; core's CapReason
    "cap:warm_up": N_("Warming up: the cap grows by a little after each good day."),
    "cap:lowered": N_("The cap fell from {lowered_from} to {cap} and climbs back with good days."),
    "cap:tier": N_("WhatsApp lets this business number write first to {cap} people a day."),
    # what its health comes from; core's HealthReason
    "health:well": N_("Replies {replied}% · refused {refused} · {days} days in use"),
    "health:young": N_("Replies {replied}% · refused {refused} · in use for less than two weeks"),
    "health:few_replies": N_("Replies {replied}% of {sent} messages in 14 days"),
    "health:refused": N_("WhatsApp refused {refused} of {sent} messages in 14 days"),
    "health:opt_outs": N_("{opted_out} of {sent} people asked not to be written to in 14 days"),
    "health:undelivered": N_("{delivered}% of {sent} messages in 14 days arrived"),
    # why a message did not go
    "error:refused": N_("WhatsApp refused it"),
    "error:rejected": N_("The gateway refused it"),
    "error:not_on_whatsapp": N_("This number is not on WhatsApp"),
    "error:unreachable": N_("The gateway did not answer"),
    "error:unconfirmed": N_("No clear answer: it may have arrived"),
    "error:not_connected": N_("The number was not connected"),
    "error:throttled": N_("Too fast for WhatsApp"),
    "error:gateway_refused": N_("The gateway refused our key or this number"),
}
