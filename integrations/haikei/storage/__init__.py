"""Where published files go: templates, version numbers and atomic writes."""
