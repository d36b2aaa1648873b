"""The demonstration studio: layouts land, and credited backgrounds are in review minutes later."""

from haikei.demo.show import DemoOptions, run_demo

__all__ = ["DemoOptions", "run_demo"]
