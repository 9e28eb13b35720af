"""The decisions of the dispatch service; pure: time and ids are arguments."""
