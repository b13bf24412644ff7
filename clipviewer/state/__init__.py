"""Reflex state: adapters that check access, call one service and assign vars."""
