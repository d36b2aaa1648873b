"""
Files below a watched folder that fit no template: most are none of our business, and some are
layouts with a wrong name. Which is which, and which part of the template did not match.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

from haikei.errors import PlaceUnknown, SettingsError
from haikei.settings import PathTemplate
from haikei.sources.watch.root import LayoutNames, Outputs, WatchedRoot
from haikei.sources.watch.scan import Listing, Stamp

_TOKEN = re.compile(r"\{(\w+)")
#: What a segment of a template writes as it is: all but tokens, wildcards and brackets.
_NOT_LITERAL = re.compile(r"\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}|[*\[\]]")


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderFit:
    """How a folder compares with a template that ends in file names."""

    template: str
    right: bool  #: files of this template lie in such folders
    certain: bool  #: the template names such folders itself, by a word or a file's name
    part: str  #: of the template, which did not match; the file's where the folder is right
    found: str  #: what stands there instead
    repeated: Mapping[str, str]  #: what the folders say that a file's name must say again

    def near(self, name: str) -> bool:
        """Tell whether a file of another name was meant as a layout, judged by its path alone."""
        folded = name.casefold()
        return self.right and (
            self.certain or any(value.casefold() in folded for value in self.repeated.values())
        )

    def reason(self, name: str) -> str:
        """Return which part of the template a file does not match."""
        if not self.right:
            return f"{self.found} where the template {self.template!r} has {self.part!r}"
        missing = [
            f"{{{token}}} is {value!r} in its folders and not in its name"
            for token, value in self.repeated.items()
            if value.casefold() not in name.casefold()
        ]
        detail = f" ({'; '.join(missing)})" if missing else ""
        return f"the name {name!r} is not {self.part!r} of the template {self.template!r}{detail}"


def folder_fits(root: WatchedRoot, folder: str) -> tuple[FolderFit, ...]:
    """Compare a folder with each template of its root; naming rules say nothing of folders."""
    relative = root.relative(folder) or ""
    return tuple(
        _compare(rule.text, relative)
        for rule in (*root.rules, *root.touch_ups)
        if isinstance(rule, PathTemplate)
    )


def misfit(root: WatchedRoot, path: str, names: LayoutNames) -> str:
    """Return why no rule reads a path as a layout, or as a paint-over; empty where one does."""
    folder, _, name = path.rpartition("/")
    try:
        root.place_of(path)
    except PlaceUnknown as error:
        fits = folder_fits(root, folder)
        if not fits or _is_read(root, path):
            return str(error)
        nearest = next((fit for fit in fits if fit.right), fits[0])
        said = nearest.reason(name)
        return f"{said[0].upper()}{said[1:]}, below {root.path}."
    if not names.has_ending(name):
        return (
            f"The ending of {name!r} is not among those that are read "
            "(watch.extensions): save the layout in one of these formats."
        )
    return ""


def _is_read(root: WatchedRoot, path: str) -> bool:
    """Tell whether a rule reads a path, or fails over it, without giving its place."""
    relative = root.relative(path) or ""
    try:
        return any(rule.match(relative) is not None for rule in (*root.rules, *root.touch_ups))
    except Exception:  # noqa: BLE001 - a studio's code: that it fails must not be left unsaid
        return True


def _compare(text: str, relative: str) -> FolderFit:
    parts = relative.split("/") if relative else []
    best: tuple[int, FolderFit] | None = None
    for variant in _variants(text):
        *folders, name = variant.split("/")
        depth = len(parts) if any("**" in one for one in folders) else len(folders)
        matched = _matched(folders, parts)
        right = matched is not None and (len(parts) == depth or not folders)
        right = right and (bool(folders) or not parts)
        again = {*_TOKEN.findall(name)} & {*_TOKEN.findall("/".join(folders))}
        values = matched or {}
        names = {token: _canonical(token) for token in sorted(again)}
        repeated = {token: values[one] for token, one in names.items() if one in values}
        literal = any(re.search(r"\w", _NOT_LITERAL.sub("", one)) for one in folders)
        part, found, agree = name, "", len(folders)
        if not right:
            part, found, agree = _difference(folders, parts)
        fit = FolderFit(
            template=text,
            right=right,
            certain=literal,
            part=part,
            found=found,
            repeated=repeated,
        )
        score = agree + 1000 * right
        if best is None or score > best[0]:
            best = score, fit
    if best is None:
        return FolderFit(
            template=text, right=False, certain=False, part=text, found=relative, repeated={}
        )
    return best[1]


def _matched(folders: list[str], parts: list[str]) -> Mapping[str, str] | None:
    """Return what folders say by a template's folders, None when they are others."""
    template = _probe("/".join([*folders, "{ext}"]))
    if template is None:
        return None
    return template.match("/".join([*parts, "x"]))


def _difference(folders: list[str], parts: list[str]) -> tuple[str, str, int]:
    """Return the first part of a template that differs, what stands there, and how many agree."""
    agree = 0
    for count in range(1, min(len(folders), len(parts)) + 1):
        if _matched(folders[:count], parts[:count]) is None:
            return folders[count - 1], f"The folder {parts[count - 1]!r} stands", agree
        agree = count
    if len(parts) < len(folders):
        return folders[len(parts)], "The file itself stands", agree
    return "a file", f"The folder {parts[len(folders)]!r} stands", agree


@cache
def _probe(text: str) -> PathTemplate | None:
    try:
        return PathTemplate(text)
    except SettingsError:
        return None


@cache
def _canonical(token: str) -> str:
    """Return the name under which a template gives a token's value: {cut} is the shot."""
    template = _probe(f"{{{token}}}")
    return next(iter(template.tokens), token) if template is not None else token


@cache
def _variants(text: str) -> tuple[str, ...]:
    """Return a template with each optional part that holds folders written out, and left out."""
    depth = start = 0
    for at, sign in enumerate(text):
        if sign in "{}":
            depth += 1 if sign == "{" else -1
        elif sign == "[" and not depth:
            start = at + 1
        elif sign == "]" and not depth and start:
            inner = text[start:at]
            if "/" in inner:
                before, after = text[: start - 1], text[at + 1 :]
                return (*_variants(before + inner + after), *_variants(before + after))
            start = 0
    return (text,)


@dataclass(frozen=True, slots=True)
class _Left:
    foreign: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()
    others: int = 0


_NOTHING_LEFT = _Left()


@dataclass(slots=True)
class LeftAlone:
    """
    What is left alone in each folder, as it was listed last: it is counted, and never opened.

    Args:
        names: which endings are read.
        outputs: what Haikei published itself, which is not counted.
    """

    names: LayoutNames
    outputs: Outputs
    count: int = 0  #: files that are none of our business
    _folders: dict[str, _Left] = field(default_factory=dict[str, _Left])

    def sort(
        self,
        root: WatchedRoot,
        listing: Listing,
        known: Mapping[str, Stamp],
        look: Callable[[str], Stamp | None],
    ) -> Iterator[tuple[str, Stamp]]:
        """
        Yield the files of a folder that are new or changed and may be layouts, or nearly so.

        Args:
            root: the folder's.
            listing: what stands in the folder.
            known: what was judged there before.
            look: gives the stamp of a file by its path.
        """
        before = self._folders.get(listing.folder, _NOTHING_LEFT)
        misfits: list[str] = []
        fitting: list[str] = []
        for name, stamp in listing.files.items():
            if known.get(name) == stamp or name in before.own:
                continue
            known_misfit = name in before.foreign
            path = f"{listing.folder}/{name}"
            fits = not known_misfit and (root.fits(path) or _is_read(root, path))
            (fitting if fits else misfits).append(name)
        if not misfits and not listing.others and before is _NOTHING_LEFT:
            for name in fitting:
                yield name, listing.files[name]
            return
        own = frozenset(
            name
            for name in misfits
            if name not in before.foreign and self.outputs.hold(f"{listing.folder}/{name}")
        ) | (before.own & listing.files.keys())
        misfits = [name for name in misfits if name not in own]
        near = set(near_misses(root, listing.folder, misfits, beside=known.keys() | {*fitting}))
        unread = set(self._unread(root, listing))
        left = _Left(
            foreign=frozenset(misfits) - near, own=own, others=len(listing.others) - len(unread)
        )
        self.count += len(left.foreign) + left.others - len(before.foreign) - before.others
        if left.foreign or left.own or left.others:
            self._folders[listing.folder] = left
        else:
            self._folders.pop(listing.folder, None)
        for name in (*fitting, *sorted(near)):
            yield name, listing.files[name]
        for name in sorted(unread):
            seen = look(f"{listing.folder}/{name}")
            if seen is not None and known.get(name) != seen:
                yield name, seen

    def _unread(self, root: WatchedRoot, listing: Listing) -> Iterator[str]:
        """Yield files that stand where a layout should, in a format that is not read."""
        if not listing.others:
            return
        stems = {name.rpartition(".")[0].casefold() for name in listing.files}
        for name in listing.others:
            path = f"{listing.folder}/{name}"
            # What lies beside a layout of its name, such as its notes, is no layout.
            if (
                name.rpartition(".")[0].casefold() not in stems
                and root.fits(path)
                and not self.outputs.hold(path)
            ):
                yield name


def near_misses(
    root: WatchedRoot, folder: str, names: Collection[str], *, beside: Collection[str]
) -> Iterator[str]:
    """Yield the files that were meant as layouts: those where layouts lie, by another name."""
    if not names:
        return
    fits = folder_fits(root, folder)
    among_layouts: bool | None = None
    for name in names:
        if any(fit.near(name) for fit in fits):
            yield name
            continue
        # Where the template's folders may be any, layouts that lie there show that they are right.
        if among_layouts is None:
            possible = any(fit.right and not fit.repeated for fit in fits) or not fits
            among_layouts = possible and any(root.fits(f"{folder}/{one}") for one in beside)
        if among_layouts:
            yield name
