"""Keys that any form may use."""

from ui.words import N_

SENTENCES = {
    "required": N_("Fill this in."),
    "too_long": N_("Too long: {n} characters at most."),
    "too_short": N_("Too short: at least {n} characters."),
    "unstorable_characters": N_("There are characters in it that cannot be stored. Type it again."),
    "not_a_number": N_("Write a number."),
    "too_small": N_("At least {n}."),
    "too_large": N_("{n} at most."),
    "not_one_of_these": N_("Choose one of the options."),
    "not_a_phone": N_("This is not a phone number. Write it with its area code, like (11) 90000-0142."),
    "not_a_url": N_("Write a whole address, like https://example.com."),
    "not_an_email": N_("This is not an e-mail address. It looks like name@company.com."),
    "not_a_date": N_("This is not a date."),
    "in_the_past": N_("This moment has passed."),
}
