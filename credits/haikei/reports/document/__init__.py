"""What a report says, apart from how it looks: blocks, charts, phrases, pictures."""
