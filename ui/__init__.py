"""The pages of Prumo; the only importer of NiceGUI.

main      starts the web process and names the pages
session   who is asking: the cookie, the guard before every request, current_actor()
sockets   what comes by a socket belongs to the page the socket was opened for
calls     the one way from a page into core: off the event loop, one Work, errors into words
live      what workers tell, handed to the pages that look at it
frame     menu, header and the sheet that every page is drawn on
theme     tokens, stylesheets, typeface, chart colours
words     the catalogues, and how numbers, dates and phones are written
parts     pieces shared by two pages or more
pages     a file each

Write `from ui.frame import page_frame`, never `import ui`: NiceGUI's `ui` is the one we want under that name.
"""
