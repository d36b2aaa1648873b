"""The event-log handler: the tracker's rows in, `LayoutPublished` out."""
