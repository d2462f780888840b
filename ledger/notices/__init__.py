"""Events, told to whom subscribed: webhooks and e-mail, each event at once or many in a digest."""
