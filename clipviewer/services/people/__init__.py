"""Accounts, sessions, tokens, and the way in."""
