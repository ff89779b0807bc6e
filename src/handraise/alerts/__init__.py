"""Tell the team about handoffs: webhooks, Slack and e-mail, each in a file of its own behind one small protocol."""
