"""The sentence for each key that core puts into BadInput or StateChanged, in English, a file per area.

A file holds one dict, SENTENCES: key → sentence with named gaps.  For StateChanged the key is `changed:<now>`.
The Portuguese stands in `ui/words/pt_BR/`, like every other sentence.
"""
