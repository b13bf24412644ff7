"""Accounts, sessions, API tokens and signing in."""
