"""Where events come from: folders, the tracker's event log, webhooks, commands."""
