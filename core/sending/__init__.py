"""One recipient at a time: pace, claim, outcome, receipts, rescue."""
