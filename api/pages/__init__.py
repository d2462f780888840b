"""The page: server-rendered, works without scripts, updates by server-sent events where there are."""
