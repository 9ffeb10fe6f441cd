"""Phones, filters, tags, views, notes, and looking up who is on WhatsApp."""

from ui.words import N_

SENTENCES = {
    "phone_empty": N_("There is no phone number here."),
    "phone_from_spreadsheet": N_(
        "The spreadsheet shortened this number and lost digits. Format the column as text and write it again."
    ),
    "phone_negative": N_(
        "A phone number has no minus before it. In a spreadsheet, format the column as text and write it again."
    ),
    "phone_has_letters": N_("A phone number has no letters. Leave extensions out."),
    "phone_two_numbers": N_("There are two numbers here. Leave one."),
    "phone_is_group": N_("This is a group, not a person's number."),
    "phone_cannot_receive": N_("A number like this cannot receive messages."),
    "phone_placeholder": N_("This number is an example, nobody has it."),
    "phone_old_mobile": N_("The ninth digit is missing. Do you mean {suggestion}?"),
    "filter_unreadable": N_("This filter cannot be read. Choose it again."),
    "cannot_check": N_("This number cannot ask WhatsApp who is there. Choose one that is connected by QR code."),
    "tag_is_there": N_("There is a tag “{name}” already."),
    "too_many_tags": N_("{n} tags are there already. Delete one that nobody needs."),
    "view_is_there": N_("There is a view “{name}” already."),
    "too_many_views": N_("{n} views are there already. Delete one that nobody needs."),
    "rating_range": N_("A rating is between 0 and 5."),
}
