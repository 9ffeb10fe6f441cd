"""Lists of people who must not be written to."""

from ui.words import N_

SENTENCES = {
    "list_too_long": N_("A list holds {n} phones at most. Bring it in in parts."),
    "list_without_phones": N_("There is no column of phones in this file."),
}
