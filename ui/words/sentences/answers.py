"""Conversations: why somebody cannot be answered, and what became of an answer meanwhile."""

from ui.words import N_

SENTENCES = {
    "note_without_lead": N_("This person is not a lead of the team. Notes are kept with leads."),
    "too_many_quick_replies": N_("A team has {n} quick replies at most. Remove one that is not used."),
    "changed:opted_out": N_("This person asked not to be written to any more."),
    "changed:number_removed": N_("The number they wrote to was disconnected for good. Nobody can answer from it."),
    "changed:number_away": N_("The number they wrote to is not connected. Connect it, and answer then."),
    "changed:number_stopped": N_("The number they wrote to was stopped, to protect it. Its page says why."),
    "changed:window_closed": N_("They have not written for too long. WhatsApp lets only approved templates go now."),
    "changed:hidden": N_("It is not known yet whose number this is."),
    "changed:done": N_("Somebody called it done a moment ago."),
    "changed:open": N_("It is open by now."),
    "changed:queued": N_("It waits for its turn by now."),
    "changed:sending": N_("It is on its way already."),
    "changed:sent": N_("It was sent by now."),
    "changed:unconfirmed": N_("It may be on its way. What became of it is being looked for."),
    "changed:held": N_("It may have arrived. Look at the phone, and say so."),
    "changed:failed": N_("It could not be sent."),
    "changed:skipped": N_("It was left at that by now."),
}
