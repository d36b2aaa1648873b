"""The options of a stage that a diffusion model makes."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self

from haikei.errors import SettingsError
from haikei.generators.contract import StageOrder

#: Scheduler names as recipes write them, and the class and configuration in diffusers. All give
#: bit-identical results for the same seed on one machine.
SCHEDULERS: Mapping[str, tuple[str, Mapping[str, object]]] = {
    "ddim": ("DDIMScheduler", {}),
    "dpmpp_2m": ("DPMSolverMultistepScheduler", {}),
    "dpmpp_2m_karras": ("DPMSolverMultistepScheduler", {"use_karras_sigmas": True}),
    "euler": ("EulerDiscreteScheduler", {}),
    "euler_a": ("EulerAncestralDiscreteScheduler", {}),
    "heun": ("HeunDiscreteScheduler", {}),
    "lcm": ("LCMScheduler", {}),
    "tcd": ("TCDScheduler", {}),
    "unipc": ("UniPCMultistepScheduler", {}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffusersOptions:
    """How a diffusion model redraws the picture of the stage before."""

    strength: float = 0.55  #: how much is redrawn: more than 0, up to 1
    steps: int = 20  #: of the whole schedule; `strength` of them are run
    guidance: float = 5.0  #: how closely the prompt is followed; 1 or less ignores it
    control_scale: float = 0.8  #: how closely the layout's lines are followed
    scheduler: str = ""  #: a name in `SCHEDULERS`; empty keeps the model's own
    max_side: int = 0  #: pixels; a longer picture is made smaller and enlarged after; 0 never

    @property
    def executed(self) -> int:
        """Steps that are run."""
        return min(int(self.steps * self.strength), self.steps)

    @classmethod
    def of(cls, stage: StageOrder) -> Self:
        """
        Return the options of a stage.

        Raises:
            SettingsError: an option is unknown, of the wrong kind or out of range.
        """
        known = {field.name: type(field.default) for field in fields(cls)}
        values: dict[str, str | int | float | bool] = {}
        for name, value in stage.options:
            kind = known.get(name)
            if kind is None:
                raise SettingsError(
                    f"The generator 'diffusers' has no option {name!r}.",
                    advice=f"Its options are {', '.join(sorted(known))}.",
                )
            if kind is float and isinstance(value, int) and not isinstance(value, bool):
                value = float(value)  # noqa: PLW2901 - TOML writes whole numbers without a point
            if type(value) is not kind:
                raise _wrong(name, value, f"a value of type {kind.__name__}")
            values[name] = value
        options = cls(**values)  # type: ignore[arg-type] # each was checked above
        options._check()
        return options

    def _check(self) -> None:
        if not 0.0 < self.strength <= 1.0:
            raise _wrong("strength", self.strength, "more than 0 and at most 1")
        if not 1 <= self.steps <= 500:
            raise _wrong("steps", self.steps, "from 1 to 500")
        if not 0.0 <= self.guidance <= 50.0:
            raise _wrong("guidance", self.guidance, "from 0 to 50")
        if not 0.0 <= self.control_scale <= 2.0:
            raise _wrong("control_scale", self.control_scale, "from 0 to 2")
        if self.scheduler and self.scheduler not in SCHEDULERS:
            raise _wrong("scheduler", self.scheduler, f"one of {', '.join(SCHEDULERS)}")
        if self.max_side and not 64 <= self.max_side <= 16384:
            raise _wrong("max_side", self.max_side, "0, or from 64 to 16384")
        if self.executed < 1:
            raise SettingsError(
                f"{self.steps} steps at strength {self.strength} leave nothing to do.",
                advice="Raise one of them so that their product is at least 1.",
            )


def _wrong(name: str, value: object, allowed: str) -> SettingsError:
    return SettingsError(
        f"The option {name!r} of the generator 'diffusers' is {value!r}.",
        advice=f"It must be {allowed}.",
    )
