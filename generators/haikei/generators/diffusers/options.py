"""The options of a stage that a diffusion model makes."""

import math
from dataclasses import dataclass, fields, replace
from typing import Self

from haikei.errors import SettingsError
from haikei.generators.contract import StageOrder
from haikei.generators.diffusers.families import PARAMETERS, Family

_RANGES = {
    "guidance": (0.0, 50.0),
    "true_cfg": (0.0, 50.0),
    "image_guidance": (1.0, 20.0),
    "control_scale": (0.0, 2.0),
}
_GENERATOR = "the generator 'diffusers'"


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffusersOptions:
    """
    How a diffusion model redraws the picture of the stage before.

    None stands for what the model's family does not take, or leaves to the pipeline.
    """

    strength: float | None = None  #: how much is redrawn: more than 0, up to 1
    steps: int = 0  #: of the whole schedule; `strength` of them are run
    guidance: float | None = None  #: how closely the prompt is followed
    true_cfg: float | None = None  #: the same, beside a guidance that was distilled in
    image_guidance: float | None = None  #: how closely the picture is followed
    control_scale: str = ""  #: how closely lines are followed; one number, or one a ControlNet
    scheduler: str = ""  #: a name in the family's `schedulers`; empty keeps the model's own
    max_side: int = 0  #: pixels; a longer picture is made smaller and enlarged after; 0 never
    executed: int = 0  #: steps that are run

    @classmethod
    def of(cls, stage: StageOrder, family: Family, *, controls: int) -> Self:
        """
        Return the options of a stage for a model of `family` with so many ControlNets.

        Raises:
            SettingsError: an option is unknown, not taken by the model, of the wrong kind or out
                of range.
        """
        taken = {"steps", "max_side", *family.options}
        if family.schedulers:
            taken.add("scheduler")
        known = {one.name for one in fields(cls)} - {"executed"}
        given: dict[str, str | int | float] = {"steps": family.steps}
        given |= {name: value for name, value in family.options.items() if value is not None}
        for name, value in stage.options:
            if name not in known:
                raise SettingsError(
                    f"{_GENERATOR.capitalize()} has no option {name!r}.",
                    advice=f"Its options are {', '.join(sorted(known))}.",
                )
            if name not in taken:
                raise SettingsError(
                    f"The model {stage.model!r} ({family.name}) takes no option {name!r}.",
                    advice=f"Remove it from the stage. It takes {', '.join(sorted(taken))}.",
                )
            given[name] = _typed(name, value)
        scales = str(given.pop("control_scale", ""))
        options = cls(**given, control_scale=scales)  # type: ignore[arg-type] # each was checked
        options._check(family, controls)
        options = replace(options, executed=options._executed(family))
        if options.executed < 1:
            raise SettingsError(
                f"{options.steps} steps at strength {options.strength} leave nothing to do.",
                advice="Raise one of them so that their product is at least 1.",
            )
        return options

    def scales(self) -> tuple[float, ...]:
        """Return the control scales as they were written: one, or one for each ControlNet."""
        return tuple(float(part) for part in self.control_scale.split(",") if part.strip())

    def call(self) -> dict[str, float]:
        """Return what the pipeline is called with, control scales apart, by its own names."""
        numbers = {name: getattr(self, name) for name in PARAMETERS if name != "control_scale"}
        return {PARAMETERS[name]: value for name, value in numbers.items() if value is not None}

    def negates(self, family: Family) -> bool:
        """Tell whether a negative prompt acts."""
        if family.negative is None:
            return False
        value = getattr(self, family.negative[0])
        # The class's own default, where nothing is said, is for guidance that acts.
        return value is None or bool(value > family.negative[1])

    def _executed(self, family: Family) -> int:
        if self.strength is None or family.counted == "all":
            return self.steps
        if family.counted == "down":
            return min(int(self.steps * self.strength), self.steps)
        return self.steps - int(max(self.steps - self.steps * self.strength, 0))

    def _check(self, family: Family, controls: int) -> None:
        if self.strength is not None and not 0.0 < self.strength <= 1.0:
            raise _wrong("strength", self.strength, "more than 0 and at most 1")
        if not 1 <= self.steps <= 500:
            raise _wrong("steps", self.steps, "from 1 to 500")
        for name, (low, high) in _RANGES.items():
            values = self.scales() if name == "control_scale" else (getattr(self, name),)
            for value in values:
                if value is not None and not low <= value <= high:
                    raise _wrong(name, value, f"from {low:g} to {high:g}")
        if len(self.scales()) not in {0, 1, controls}:
            raise _wrong(
                "control_scale",
                self.control_scale,
                f"one number, or {controls} with commas between",
            )
        if self.scheduler and self.scheduler not in family.schedulers:
            raise _wrong(
                "scheduler",
                self.scheduler,
                f"one of {', '.join(family.schedulers)} for {family.name}",
            )
        if self.max_side and not 64 <= self.max_side <= 16384:
            raise _wrong("max_side", self.max_side, "0, or from 64 to 16384")


def _typed(name: str, value: str | float) -> str | int | float:
    if name == "control_scale" and isinstance(value, str):
        try:
            whole = all(math.isfinite(float(part)) for part in value.split(","))
        except ValueError:
            whole = False
        if whole:
            return value
        raise _wrong(name, value, "a number, or numbers with commas between")
    kind = {"scheduler": str, "steps": int, "max_side": int}.get(name, float)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)  # TOML writes whole numbers without a point
    if type(value) is not kind:
        raise _wrong(name, value, f"a value of type {kind.__name__}")
    return value


def _wrong(name: str, value: object, allowed: str) -> SettingsError:
    return SettingsError(
        f"The option {name!r} of {_GENERATOR} is {value!r}.", advice=f"It must be {allowed}."
    )
