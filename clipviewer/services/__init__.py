"""Application services: what routes, event handlers and jobs call."""
