"""What a loaded model's text encoders made of prompts: the same prompt is not encoded twice."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

#: Prompts that are kept, with as many negative ones; a long one takes some 4 MiB of the device.
KEPT = 32
#: What the pipelines of diffusers call the method.
_METHODS = ("encode_prompt", "_encode_prompt")


class PromptMemory:
    """
    Keeps what `encode_prompt` of one pipeline returned, the least recently used leaves first.

    It belongs to the pipeline, and so to one set of weights. What is asked with anything but words,
    numbers and a device, such as a picture that is read along, is encoded each time.
    """

    def __init__(self, pipe: Any) -> None:
        self._kept: OrderedDict[str, Any] = OrderedDict()
        self.encoded = 0  #: how often a prompt was encoded
        for name in _METHODS:
            method = getattr(pipe, name, None)
            if method is not None:
                setattr(pipe, name, self._remembering(name, method))
                # What is deprecated calls the other one.
                break

    def _remembering(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def encode(*positional: Any, **named: Any) -> Any:
            asked = (name, positional, sorted(named.items()))
            if not _is_plain([*positional, *named.values()]):
                self.encoded += 1
                return method(*positional, **named)
            key = repr(asked)
            if key in self._kept:
                self._kept.move_to_end(key)
            else:
                self.encoded += 1
                self._kept[key] = method(*positional, **named)
                if len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
            # A copy: what a pipeline does with its own is its business.
            return _copy(self._kept[key])

        return encode


def _is_plain(value: object) -> bool:
    if isinstance(value, list | tuple):
        return all(_is_plain(one) for one in value)
    if value is None or isinstance(value, str | bool | int | float):
        return True
    return type(value).__module__ == "torch" and type(value).__name__ in {"device", "dtype"}


def _copy(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(_copy(one) for one in value)
    return value.clone() if hasattr(value, "clone") else value
