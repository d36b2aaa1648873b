"""Files of a site: uploads, downloads, thumbnails, local storages."""
