"""The enricher: brings in files of leads, and reads the websites of businesses."""
