"""A pyblish plug-in: layouts that were integrated are handed to Haikei."""
# pyright: basic

import pyblish.api

from haikei.client import Client


class HandLayoutToHaikei(pyblish.api.InstancePlugin):
    """Hands a layout in, after all integrators; a refusal is the plug-in's error."""

    label = "Hand the layout to Haikei"
    order = pyblish.api.IntegratorOrder + 0.4
    families = ["layout"]  # noqa: RUF012 - pyblish reads it so

    def process(self, instance):
        """Hand one instance in, by the place that its data gives, or that its path says."""
        place = {name: instance.data.get(name, "") for name in ("project", "sequence", "shot")}
        found = Client().submit(instance.data["publishedPath"], **place)
        instance.data["haikeiKey"] = found.key
        log = self.log  # pyright: ignore[reportAttributeAccessIssue]
        log.info("Haikei took %s (%s)", found.path, found.key)
