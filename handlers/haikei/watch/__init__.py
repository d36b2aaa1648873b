"""The file-system handler: folders in, `LayoutPublished` out."""
