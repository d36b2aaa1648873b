"""Any program of the studio's as a generator: pictures in files, the request as JSON on stdin."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import IO

import structlog

from haikei.canonical import canonical_json
from haikei.credits import SourceType, System
from haikei.errors import (
    GenerationError,
    GeneratorUnavailable,
    HaikeiError,
    ModelUnusable,
    SettingsError,
)
from haikei.files import sha256_of
from haikei.generators.contract import (
    GenerationRequest,
    GenerationResult,
    Progress,
    ProgressCallback,
    StageOrder,
    StageSystem,
)
from haikei.images import Limits, Picture, read_picture, write_picture
from haikei.settings import GeneratorEntry, Settings

log = structlog.get_logger()

#: What a program says by its exit code: nothing is wrong, and it may work later (sysexits.h).
DONE, TRY_AGAIN = 0, 75
_FILLED = ("layout", "previous", "out", "seed", "width", "height", "device")
_TOKEN = re.compile(r"\{([a-z_]+)\}")
#: All that a program sees of our environment: keys and tokens stay here.
_PASSED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES")
_RUNS = "runs "  #: before the names of scripts, in records
_LOOK = 0.1  # seconds between looks at a program
_TAIL = 12  # lines of its complaints that an error repeats
_LONGEST = 2000
#: Limits memory before the program itself begins; a function between fork and exec could hang.
_LAUNCH = (
    "import os, resource, sys; limit = int(sys.argv[1]); "
    "limit and resource.setrlimit(resource.RLIMIT_AS, (limit, limit)); "
    "os.execvp(sys.argv[2], sys.argv[2:])"
)


class CommandGenerator:
    """
    Runs the program of `[generators.NAME]` for each picture.

    It finds the layout and the picture of the stage before as 16-bit PNG files, reads the request
    as one JSON object on its standard input, and writes a picture of the request's size to `out`.
    Lines of JSON on its standard output (`{"step": 3, "steps": 20}`) tell how far it is; what it
    writes to standard error goes to the log.
    """

    def __init__(self, settings: Settings, name: str) -> None:
        self._settings = settings
        self._name = name
        self._entry: GeneratorEntry = settings.generators[name]

    def describe(self, stage: StageOrder) -> StageSystem:
        """
        Return the program as records name it: with the SHA-256 of its file.

        Raises:
            SettingsError: it has no such option, takes no model, or its arguments are wrong.
            ModelUnusable: the program is not there.
        """
        entry = self._entry
        if stage.model:
            raise SettingsError(
                f"The program {self._name!r} takes no model, but the stage names {stage.model!r}.",
                advice="Leave `model` out of this stage.",
            )
        unknown = sorted({name for name, _ in stage.options} - set(entry.takes))
        if unknown:
            raise SettingsError(
                f"The program {self._name!r} has no option {', '.join(map(repr, unknown))}.",
                advice=f"It takes {', '.join(entry.takes) or 'none'}, as generators.{self._name}"
                ".takes says.",
            )
        wrong = sorted(
            token for part in entry.argv for token in _TOKEN.findall(part) if token not in _FILLED
        )
        if wrong:
            raise SettingsError(
                f"generators.{self._name}.argv has {{{wrong[0]}}}, which nothing is filled in for.",
                advice=f"It may have {', '.join(f'{{{one}}}' for one in _FILLED)}; the rest of the "
                "request is on the program's standard input.",
            )
        source = SourceType.TRAINED if entry.trained else SourceType.ALGORITHMIC
        return StageSystem(
            system=System(
                name=entry.name or self._name,
                version=entry.version,
                source_type=source,
                sha256=sha256_of(self._program()),
                licence=entry.licence,
                data=entry.data,
            ),
            libraries=tuple(sorted((("haikei", version("haikei")), *self._scripts()))),
            negates=entry.reads_words,
            reads=entry.reads_words,
        )

    def generate(
        self,
        request: GenerationRequest,
        *,
        layout: Picture,
        previous: Picture | None,
        progress: ProgressCallback,
    ) -> GenerationResult:
        """
        Run the program once and return what it wrote.

        Raises:
            GenerationError: it failed, took too long, or wrote no picture of this size.
            GenerationCancelled: `progress` asked to stop; the program was ended.
            GeneratorUnavailable: it says that it may work later.
            ModelUnusable: it is another program than the request names.
        """
        program = self._program()
        ran = tuple(pair for pair in request.libraries if pair[0].startswith(_RUNS))
        if sha256_of(program) != request.system.sha256 or ran != self._scripts():
            raise ModelUnusable(
                f"{program} changed after this picture was asked for.",
                advice="Retry the job: its record will name the program as it is now.",
            )
        with TemporaryDirectory(prefix="haikei-") as folder:
            files = {"layout": Path(folder) / "layout.png", "out": Path(folder) / "out.png"}
            write_picture(layout, files["layout"])
            if previous is not None:
                files["previous"] = Path(folder) / "previous.png"
                write_picture(previous, files["previous"])
            self._run(program, request, files, progress)
            return GenerationResult(picture=self._made(request, files["out"]))

    def _program(self) -> Path:
        found = shutil.which(self._entry.argv[0])
        if found is None:
            raise ModelUnusable(
                f"The program {self._entry.argv[0]!r} of the generator {self._name!r} is not there "
                "or cannot be run.",
                advice=f"Install it, or correct generators.{self._name}.argv.",
            )
        return Path(found)

    def _scripts(self) -> tuple[tuple[str, str], ...]:
        """Return the files among the arguments, such as a script, and their SHA-256."""
        files = [Path(part) for part in self._entry.argv[1:] if Path(part).is_file()]
        return tuple(sorted((f"{_RUNS}{file.name}", sha256_of(file)) for file in files))

    def _run(
        self,
        program: Path,
        request: GenerationRequest,
        files: dict[str, Path],
        progress: ProgressCallback,
    ) -> None:
        device = self._settings.engine.devices[0].name
        values = {
            **{name: str(path) for name, path in files.items()},
            "seed": str(request.seed),
            "width": str(request.width),
            "height": str(request.height),
            "device": device,
        }
        argv = [
            _TOKEN.sub(lambda match: values.get(match[1], ""), part)
            for part in self._entry.argv[1:]
        ]
        given = json.loads(canonical_json(request))
        given |= {name: str(path) for name, path in files.items()} | {"device": device}
        limit = str(self._entry.memory_mib << 20)
        with _started([str(program), *argv], limit, files["out"].parent) as process:
            output = _Output(process, self._name)
            _feed(process, json.dumps(given))
            code = self._followed(process, output, progress)
        if code == DONE:
            return
        complaint = "; ".join(output.tail) or "it said nothing"
        if code == TRY_AGAIN:
            raise GeneratorUnavailable(
                f"The program {self._name!r} cannot work now: {complaint[:_LONGEST]}."
            )
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
        raise GenerationError(
            f"The program {self._name!r} {how}: {complaint[:_LONGEST]}.",
            advice="The log holds all that it said; a retry will do the same again.",
        )

    def _followed(
        self, process: "subprocess.Popen[str]", output: "_Output", progress: ProgressCallback
    ) -> int:
        begun = monotonic()
        while True:
            progress(output.progress)
            try:
                code = process.wait(_LOOK)
            except subprocess.TimeoutExpired:
                if monotonic() - begun > self._entry.timeout:
                    raise GenerationError(
                        f"The program {self._name!r} took longer than {self._entry.timeout:g} "
                        "seconds and was ended.",
                        advice=f"Raise generators.{self._name}.timeout if it needs more.",
                    ) from None
            else:
                output.finish()
                return code

    def _made(self, request: GenerationRequest, out: Path) -> Picture:
        if not out.is_file():
            raise GenerationError(
                f"The program {self._name!r} ended well and wrote no picture.",
                advice="It must write the file that `out` names in its request.",
            )
        try:
            picture = read_picture(out, limits=Limits.from_settings(self._settings.watch))
        except HaikeiError as error:
            raise GenerationError(
                f"What the program {self._name!r} wrote is no picture that can be read: "
                f"{error.message}",
                advice=error.advice,
            ) from error
        if (picture.width, picture.height) != (request.width, request.height):
            raise GenerationError(
                f"The program {self._name!r} wrote {picture.width} x {picture.height} pixels "
                f"where {request.width} x {request.height} were asked for."
            )
        return picture


class _Output:
    """What a program says while it runs, read so that it never waits for a reader."""

    def __init__(self, process: "subprocess.Popen[str]", name: str) -> None:
        self.tail: deque[str] = deque(maxlen=_TAIL)
        self.progress = Progress(step=0, steps=1)
        self._name = name
        self._readers = [
            threading.Thread(target=self._errors, args=(process.stderr,), daemon=True),
            threading.Thread(target=self._steps, args=(process.stdout,), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def finish(self) -> None:
        """Wait for the last lines; a grandchild that keeps them open is not waited for."""
        for reader in self._readers:
            reader.join(5.0)

    def _errors(self, stream: IO[str]) -> None:
        for line in stream:
            text = line.strip()[:_LONGEST]
            if text:
                self.tail.append(text)
                log.info("program_said", generator=self._name, line=text)

    def _steps(self, stream: IO[str]) -> None:
        for line in stream:
            try:
                parsed = json.loads(line)
                step, steps = int(parsed["step"]), int(parsed["steps"])
            except (ValueError, TypeError, KeyError):
                continue
            if 0 <= step <= steps and steps > 0:
                self.progress = Progress(step=step, steps=steps)


@contextmanager
def _started(argv: list[str], limit: str, folder: Path) -> Generator["subprocess.Popen[str]"]:
    """Start a program in a session of its own; however this ends, nothing of it is left."""
    environment = {name: os.environ[name] for name in _PASSED if name in os.environ}
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _LAUNCH, limit, *argv],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
        env=environment,
        start_new_session=True,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    try:
        yield process
    finally:
        # Also what it started itself, which may outlive it.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def _feed(process: "subprocess.Popen[str]", text: str) -> None:
    if process.stdin is None:
        raise AssertionError("unreachable: it was asked for")
    try:
        process.stdin.write(text)
        process.stdin.close()
    except BrokenPipeError:
        # It does not read its input, which it need not.
        return
