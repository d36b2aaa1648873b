"""The words of notes: what they ask of a picture, in English and Japanese."""
