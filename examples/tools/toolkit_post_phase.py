"""
A hook of Toolkit's publisher (tk-multi-publish2): published layouts are handed to Haikei.

Copy it into the configuration's hooks, and `haikei/client` beside it or onto PYTHONPATH:

    settings.tk-multi-publish2.<engine>:
      post_phase: "{self}/post_phase.py:{config}/tk-multi-publish2/toolkit_post_phase.py"
"""
# pyright: basic

import sgtk  # pyright: ignore[reportMissingImports]

from haikei.client import Client, ClientError

HookBaseClass = sgtk.get_hook_baseclass()
#: Codes of the PublishedFileTypes that are layouts.
LAYOUT_TYPES = frozenset({"Layout"})


class HaikeiPostPhase(HookBaseClass):
    """Runs once all that the artist ticked has been published."""

    def post_publish(self, publish_tree):
        """Hand each layout in; what Haikei refuses is said in the publisher's log."""
        super().post_publish(publish_tree)
        for item in publish_tree:
            published = item.properties.get("sg_publish_data")
            if not published or item.properties.get("publish_type") not in LAYOUT_TYPES:
                continue
            path = published["path"]["local_path"]
            try:
                found = Client().submit(path)
            except ClientError as error:
                # The publish stands, whatever Haikei says of it.
                self.logger.error("Haikei did not take %s: %s", path, error)  # noqa: TRY400 - it says all
            else:
                self.logger.info("Haikei took %s (%s)", path, found.key)
