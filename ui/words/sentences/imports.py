"""Files of leads: why one cannot be read, what a choice lacks, why a row was not taken."""

from ui.words import N_

SENTENCES = {
    "file_empty": N_("This file is empty."),
    "file_without_rows": N_("This file has names of columns and nothing below them."),
    "file_too_large": N_("This file is too large. Files of up to {mb} MB can be imported; split it."),
    "file_too_many_rows": N_("This file has more than {n} rows. Split it."),
    "file_too_many_columns": N_("This file has more than {n} columns. Take out those that you do not need."),
    "file_stray_cell": N_(
        "There is something in the cell {cell}, far from the list. Delete the rows and columns there and save it again."
    ),
    "file_old_excel": N_("This is an Excel file of an old kind, or one with a password. Save it as XLSX without one."),
    "file_locked": N_("This file has a password. Save it without one."),
    "file_not_a_table": N_("This is not a CSV or XLSX file that can be read."),
    "file_compressed": N_("This file is compressed. Unpack it and choose the CSV or XLSX in it."),
    "file_of_another_kind": N_("This is a {kind} file. Save the list as CSV or XLSX and choose that one."),
    "file_open_quote": N_("A quotation mark opens near line {line} and is never closed."),
    "file_quote_over_rows": N_(
        "A quotation mark opens near line {line} and is closed by another row only. Close it in its own, or delete it."
    ),
    "imports_waiting": N_("{n} files are being imported already. Wait for one of them."),
    "kept_failing": N_("This file was tried several times and something broke each time. Nothing of it was kept."),
    "column_unknown": N_("The columns of the file have changed. Choose it again."),
    "column_name_needed": N_("Choose the column with the name of the business."),
    "column_phone_needed": N_("Choose the column with the phone, or take rows without one, too."),
    "column_twice": N_("This column is chosen twice."),
    "country_unknown": N_("Choose a country."),
    "column_phone_or_name_needed": N_("Choose the column with the phone, or the one with the name."),
    "pasted_empty": N_("Paste a list first: a phone in each line."),
    "pasted_without_rows": N_("There are names of columns and no line below them."),
    "pasted_too_long": N_("This is too long: up to {n} characters can be pasted. Bring it in as a file."),
    "pasted_too_many_lines": N_("These are {lines} lines: up to {n} can be pasted. Bring them in as a file."),
    "pasted_too_many_columns": N_("Line {line} has more than {n} columns. Take out those that you do not need."),
    "row_without_name": N_("There is no name in this row."),
    "row_name_too_long": N_("The name has more than {n} characters."),
}
