"""``/sign-in`` and ``/set-up/{token}``: plain forms that work without scripts; a script improves them."""

from __future__ import annotations

import json

import reflex as rx

from clipviewer.components.bundle import bundled

PROBLEMS = {
    "invalid": "Incorrect email or password.",
    "throttled": "Too many attempts. Wait a moment, then try again.",
    "offline": "Network error. Check the connection, then try again.",
    "failed": "Something went wrong. Try again in a moment.",
    "password_short": "Use a password of at least 8 characters.",
    "password_long": "Use a shorter password.",
    "password_guessable": "This password is too easy to guess. Choose another.",
    "email_invalid": "Enter a valid email address.",
    "name_invalid": "Enter a name.",
    "setup_link_invalid": "This link was already used or has expired. Restart clipviewer to get a new one.",
}


def sign_in_page() -> rx.Component:
    return _door(
        "Sign in",
        rx.el.form(
            _field("Email", "email", "email", "username"),
            _field("Password", "password", "password", "current-password"),
            rx.el.input(type="hidden", name="next", value="", read_only=True),
            _problem(),
            rx.button("Sign in", type="submit", size="3"),
            method="post",
            action="/api/auth/sign-in",
            class_name="door-form",
            custom_attrs={"data-door": "sign-in", "data-problems": json.dumps(PROBLEMS)},
        ),
        rx.text("No account yet? clipviewer prints a one-time link for the first account when it starts.", size="1", class_name="quiet"),
    )


def set_up_page() -> rx.Component:
    return _door(
        "Set up clipviewer",
        rx.text("This creates the first account, an admin.", size="2", class_name="quiet"),
        rx.el.form(
            _field("Name", "name", "text", "name"),
            _field("Email", "email", "email", "username"),
            _field("Password", "password", "password", "new-password", min_length=8),
            rx.el.input(type="hidden", name="token", value="", read_only=True),
            _problem(),
            rx.button("Create account", type="submit", size="3"),
            method="post",
            action="/api/auth/set-up",
            class_name="door-form",
            custom_attrs={"data-door": "set-up", "data-problems": json.dumps(PROBLEMS)},
        ),
    )


def _door(title: str, *content: rx.Component) -> rx.Component:
    return rx.el.main(
        bundled("doors/doors.client.js", "doors/doors.css"),
        rx.box(
            rx.box(rx.icon("clapperboard", size=22), rx.el.span("clipviewer"), class_name="brand"),
            rx.el.h1(title, class_name="door-title"),
            *content,
            class_name="door card",
        ),
        class_name="door-page",
    )


def _field(label: str, name: str, kind: str, autocomplete: str, **props) -> rx.Component:
    return rx.el.label(
        rx.el.span(label),
        rx.el.input(name=name, type=kind, auto_complete=autocomplete, required=True, max_length=1024, class_name="field", **props),
        class_name="labelled",
    )


def _problem() -> rx.Component:
    return rx.el.p(role="alert", class_name="problem")
