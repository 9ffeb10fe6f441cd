"""Drafts of campaigns: what cannot be kept, and what stands in the way of a start."""

from ui.words import N_

SENTENCES = {
    "text_too_long": N_("{length} characters are too many: {limit} at most."),
    "text_unreadable": N_("There are characters in it that cannot be stored or read. Type that part again."),
    "brace_open": N_("The brace at character {position} is not closed. Fields look like {{empresa}}."),
    "brace_close": N_("The closing brace at character {position} belongs to no field."),
    "brace_double": N_("One brace is enough, at character {position}: {{empresa}}, not {{{{empresa}}}}."),
    "gap_empty": N_("There is no field between the braces at character {position}."),
    "gap_person": N_("Leads are businesses: {name} is not known. Use {{{suggestion}}}."),
    "gap_unknown": N_("There is no field {name}."),
    "gap_unknown_near": N_("There is no field {name}. Do you mean {{{suggestion}}}?"),
    "timezone_unknown": N_("This time zone is not known."),
    "window_beyond_the_day": N_("Hours are between 00:00 and 24:00."),
    "window_ends_before_it_starts": N_("The window has to end after it starts."),
    "window_never_opens": N_("With these days and holidays it would never send."),
    "weekdays_none": N_("Choose at least one day."),
    "weekdays_unknown": N_("Choose days of the week."),
    "time_unreadable": N_("Write the time like 09:30."),
    "gap_too_short": N_("At least {seconds} s between messages."),
    "gap_backwards": N_("The longest pause is shorter than the shortest."),
    "gap_too_long": N_("{seconds} s at most."),
    "out_of_range": N_("Between {least} and {most}."),
    "too_many_variants": N_("{most} variants at most."),
    "media_empty": N_("There is nothing in this file."),
    "media_too_large": N_("{mb} MB at most for a file of this kind."),
    "media_broken": N_("This picture cannot be opened: the file is damaged. Save it again, then choose it."),
    "media_too_many_points": N_(
        "This picture has {width} × {height} pixels. At most {side} on a side go, and {most} million in all: save it "
        "smaller."
    ),
    "media_unknown": N_(
        "WhatsApp does not show this kind of file. JPEG, PNG, WebP, MP4, MP3, M4A, OGG, PDF, DOCX and XLSX go."
    ),
    "test_enough_today": N_("Enough tests for today: at most {n} of them, to {phones} phones."),
    "test_no_number": N_("None of the chosen numbers can send now."),
    "test_opted_out": N_("This phone asked not to be written to: not even a test goes there."),
    "template_empty": N_("There is no message to keep yet."),
    "template_is_there": N_("There is a template “{name}” already."),
    "too_many_templates": N_("{n} templates at most. Delete one that nobody uses."),
    "moment_is_past": N_("This moment has passed."),
    "moment_too_far": N_("{days} days ahead at most."),
    "nobody": N_("Nobody of this audience can receive it."),
    "text_empty": N_("The message is not written yet."),
    "sender_name_missing": N_("The text says “my name”, and no name is given."),
    "message_too_long": N_("For the longest lead the message has {length} characters; WhatsApp takes {limit}."),
    "caption_too_long": N_(
        "For the longest lead the text has {length} characters; with a file WhatsApp takes {limit}."
    ),
    "no_number": N_("Choose the number it leaves from."),
    "number_removed": N_("{name} was removed. Choose another number."),
    "number_blocked": N_("{name} is blocked by WhatsApp. Choose another number."),
    "blocked_with_waiting": N_("{n} people wait for {name}, which is blocked. Nobody else may write to them."),
    "may_have_got_it_twice": N_(
        "They may have got two messages already, and have not answered: a third does not go. Look at the phone."
    ),
    "nothing_was_sent": N_("Nothing was sent to them: the text had a hole. Try again or leave it at that."),
    "changed:decided": N_("Somebody else has decided about them by now."),
    "changed:starting": N_("Its queue is being prepared already."),
    "changed:edited": N_("Somebody changed this campaign in another window. Load it again before you go on."),
    "changed:draft": N_("It is a draft by now."),
    "changed:scheduled": N_("It is scheduled by now."),
    "changed:running": N_("It is running already."),
    "changed:paused": N_("It is paused by now."),
    "changed:finished": N_("It has finished by now."),
    "changed:cancelled": N_("It was cancelled by now."),
}
