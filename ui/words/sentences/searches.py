"""The form of a search, and why one is not started."""

from ui.words import N_

SENTENCES = {
    "search_term_required": N_("Write at least one thing to look for."),
    "search_too_many_terms": N_("{n} terms at most in one search."),
    "search_term_is_address": N_("Write what to look for, like “dentist”; an address of a site finds nothing."),
    "search_term_without_words": N_("Write what to look for in words, like “dentist”; signs alone find nothing."),
    "search_place_required": N_("Say where: a city or a neighbourhood, or a point on the map."),
    "search_point_unusable": N_("This point is not on the map. Choose another."),
    "not_a_whole_number": N_("Write a whole number."),
    "search_daily_limit": N_("The team has made {n} searches in 24 hours. The next one can start in {minutes} min."),
    "search_too_many_weekly": N_("The team has {n} weekly searches. Stop one before adding another."),
    "changed:search_weekly": N_("It repeats every week already."),
    "changed:search_place_unknown": N_("No map has found the place of this search yet: it cannot repeat by itself."),
    "changed:search_done": N_("This search is over already. What it found is in your leads."),
    "changed:search_failed": N_("This search is over already. What it found is in your leads."),
    "changed:search_cancelled": N_("This search was cancelled a moment ago."),
    "changed:source_may_be_asked": N_("This source may be asked already."),
}
