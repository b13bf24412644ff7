"""Reflex configuration."""

import reflex as rx
from reflex.plugins import RadixThemesPlugin, SitemapPlugin

from clipviewer.build_plugins import PLACEHOLDER_ORIGIN, PreloadRoom, SameOrigin, ServeOnlyBundled

config = rx.Config(
    app_name="clipviewer",
    api_url=PLACEHOLDER_ORIGIN,
    deploy_url=None,
    telemetry_enabled=False,
    show_built_with_reflex=False,
    state_manager_mode="memory",
    # An empty list keeps Reflex and engine.io from sending any CORS header; the origin guard decides who may connect.
    cors_allowed_origins=[],
    default_color_mode="dark",
    frontend_compression_formats=["gzip"],
    plugins=[
        RadixThemesPlugin(theme=rx.theme(accent_color="iris", gray_color="gray", radius="medium")),
        SameOrigin(),
        ServeOnlyBundled(),
        PreloadRoom(),
    ],
    disable_plugins=[SitemapPlugin],
)
