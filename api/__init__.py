"""The HTTP API under /v1 and the page: routes, authentication, conventions, server-sent events."""
