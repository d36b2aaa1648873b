"""Haikei's items in the tracker's menus: what somebody chose, and the answer."""
