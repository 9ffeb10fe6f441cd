"""Official numbers: what is wrong with the credentials that somebody entered."""

from ui.words import N_

SENTENCES = {
    "not_an_id_of_meta": N_("An id of Meta's is a long number, as it stands in WhatsApp Manager."),
    "not_a_token_of_meta": N_("This is no access token. It is one long word that mostly begins with EAA."),
    "not_a_secret_of_meta": N_("The app's secret has 32 characters, from 0 to 9 and from a to f."),
    "same_id_twice": N_("The number and its account have different ids."),
    "callback_not_https": N_(
        "Meta cannot reach this Prumo yet. Whoever runs it has to give it an https address for official numbers."
    ),
    "another_number": N_("This is the id of another number. Connect that one as a new number."),
    "not_official": N_("This number is not an official one: it is connected by its code."),
}
