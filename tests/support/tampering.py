"""What somebody with a bundle in hand may do to its members."""

import json
import re


def rename(members: dict[str, bytes]) -> None:
    names = json.loads(members["names.json"])
    next(iter(names.values()))["name"] = "Somebody Else"
    members["names.json"] = json.dumps(names).encode()


def edit_a_record(members: dict[str, bytes]) -> None:
    name = min(name for name in members if name.startswith("entries/") and "json" in name)
    members[name] = members[name].replace(b"layout", b"retake", 1)


def swap_two_records(members: dict[str, bytes]) -> None:
    one, two = sorted(name for name in members if re.fullmatch(r"entries/.*\.json", name))[:2]
    members[one], members[two] = members[two], members[one]


def leave_out_a_record(members: dict[str, bytes]) -> None:
    del members[min(name for name in members if name.endswith(".tlog-proof"))]


def leave_out_all_records(members: dict[str, bytes]) -> None:
    for name in [name for name in members if name.startswith("entries/")]:
        del members[name]


def shorten_a_proof(members: dict[str, bytes]) -> None:
    name = min(name for name in members if name.endswith(".tlog-proof"))
    head, _, note = members[name].partition(b"\n\n")
    members[name] = head[: head.rindex(b"\n")] + b"\n\n" + note


def lengthen_a_proof(members: dict[str, bytes]) -> None:
    name = min(name for name in members if name.endswith(".tlog-proof"))
    head, _, note = members[name].partition(b"\n\n")
    members[name] = head + head[head.rindex(b"\n") :] + b"\n\n" + note


def move_a_proof(members: dict[str, bytes]) -> None:
    name = min(name for name in members if name.endswith(".tlog-proof"))
    members[name] = re.sub(rb"index \d+", b"index 1", members[name])


def change_a_root(members: dict[str, bytes]) -> None:
    name = max(name for name in members if re.fullmatch(r"checkpoints/\d+\.txt", name))
    lines = members[name].split(b"\n")
    lines[2] = lines[2].swapcase()
    members[name] = b"\n".join(lines)


def change_a_consistency_proof(members: dict[str, bytes]) -> None:
    name = max(name for name in members if name.endswith(".consistency"))
    members[name] = members[name].swapcase()


def leave_out_a_consistency_proof(members: dict[str, bytes]) -> None:
    del members[max(name for name in members if name.endswith(".consistency"))]


def leave_out_all_checkpoints(members: dict[str, bytes]) -> None:
    for name in [name for name in members if name.startswith("checkpoints/")]:
        del members[name]


def paint_over_a_file(members: dict[str, bytes]) -> None:
    name = max(name for name in members if name.startswith("files/"))
    members[name] += b"!"


def swap_two_files(members: dict[str, bytes]) -> None:
    first, last = (
        next(name for name in members if name.endswith(f"files/show/c001/c012_{stem}"))
        for stem in ("layout.png", "final.png")
    )
    members[first], members[last] = members[last], members[first]


def put_one_file_in_the_place_of_another(members: dict[str, bytes]) -> None:
    members["files/show/c001/c012_final.png"] = members["files/show/c001/c012_layout.png"]


def add_a_sealed_file_under_another_path(members: dict[str, bytes]) -> None:
    members["files/show/c002/c012_final.png"] = members["files/show/c001/c012_final.png"]


def remove_record(members: dict[str, bytes], kind: str) -> None:
    """Remove a record of this kind with its proof and its file."""
    name, record = next(
        (name, json.loads(content))
        for name, content in members.items()
        if re.fullmatch(r"entries/.*\.json", name) and f'"kind":"{kind}"'.encode() in content
    )
    for gone in (name, name.replace(".json", ".tlog-proof"), f"files/{record['path']}"):
        del members[gone]


def remove_the_layout(members: dict[str, bytes]) -> None:
    remove_record(members, "layout")


def remove_a_generation(members: dict[str, bytes]) -> None:
    remove_record(members, "generation")


def remove_what_was_painted_over(members: dict[str, bytes]) -> None:
    remove_record(members, "background")


def remove_the_touch_up(members: dict[str, bytes]) -> None:
    remove_record(members, "touch_up")


def edit_a_sidecar(members: dict[str, bytes]) -> None:
    name = min(name for name in members if name.endswith(".xmp"))
    assert b"Yuki Tanaka" in members[name]
    members[name] = members[name].replace(b"Yuki Tanaka", b"Somebody Else")


def remove_a_sidecar(members: dict[str, bytes]) -> None:
    del members[min(name for name in members if name.endswith(".xmp"))]


def remove_a_manifest_beside(members: dict[str, bytes]) -> None:
    del members[min(name for name in members if name.endswith(".c2pa"))]


def edit_the_readme(members: dict[str, bytes]) -> None:
    members["README.txt"] += b"Trust us.\n"


def add_a_member(members: dict[str, bytes]) -> None:
    members["vkey-2.txt"] = b"another key"


def break_the_names(members: dict[str, bytes]) -> None:
    members["names.json"] = b"[1"
