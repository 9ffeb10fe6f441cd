"""A file per page.  Each registers itself with @ui.page when ui/main.py imports it."""
