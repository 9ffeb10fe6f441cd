"""Numbers: why one cannot be added or set so."""

from ui.words import N_

SENTENCES = {
    "terms_not_accepted": N_("Tick the box to go on."),
    "gateway_not_set_up": N_("No gateway is set up yet. Whoever runs Prumo has to add one."),
    "too_many_numbers": N_("A team has {most} numbers at most. Disconnect one that is not used."),
    "changed:connected": N_("It is connected by now."),
    "changed:scanning": N_("It waits for its code to be scanned."),
    "changed:disconnected": N_("It is disconnected by now."),
}
