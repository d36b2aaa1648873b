"""The entity types and fields of a site: shipped, custom and changed ones."""
