"""Pieces shared by two pages or more.

safe      everything that could let a stranger's text run as script, in one place
text      a line of text, a heading, an icon
button    the kinds of button, and icon-only ones with a name
toast     one dark line at the bottom right, with Undo where there is one
form      fields with their label, help and error
confirm   the question before what cannot be undone
states    empty, error, no permission, loading
note      what a person must know, in the page
card      a sheet within the sheet, with a title
kpi       a strip of large numbers; a meter
status    one chip per state of a search, a number, a campaign, a recipient
avatar    initials on a tint
phone     a phone number as it is read, with its WhatsApp state
"""
