"""A person with a certificate of their own signs for their step; readers see whether it holds."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path

import encypher_c2pa
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from typer.testing import CliRunner

from haikei.cli import app
from haikei.credits import Contribution, ImageKind, Person, Relation, Role, SourceType
from haikei.errors import SettingsError, SigningUnavailable
from haikei.provenance import (
    FileMarks,
    MarkedIngredient,
    MarkSigner,
    MarksState,
    SignedIdentity,
    mark,
    read_marks,
    trusted_roots,
)
from haikei.settings import Settings
from support.certificates import Authority, PrivateKey, key_pem, pem, time_stamp_authority
from support.signing import (
    DREW,
    PAINTED_OVER,
    SATO,
    TANAKA,
    mark_request,
    signing_settings,
    write_noise,
)

MAIL = (ExtendedKeyUsageOID.EMAIL_PROTECTION,)


def certified(folder: Path, *people: tuple[str, PrivateKey], **signing: object) -> Settings:
    """Return settings in which these people have certificates by an authority of their own."""
    authority = Authority.make("Guild of Painters")
    entries: list[dict[str, object]] = []
    for number, (id_, key) in enumerate(people):
        chain, private = folder / f"{number}.pem", folder / f"{number}.key"
        leaf = authority.issue(key, name=f"Certificate of {id_}", usages=MAIL)
        chain.write_bytes(pem(leaf) + authority.root_pem.encode())
        private.write_bytes(key_pem(key))
        entries.append(
            {
                "id": id_,
                "name": f"Entry {number}",
                "certificate_file": str(chain),
                "certificate_key_file": str(private),
            }
        )
    given = signing_settings(folder, **signing).model_dump(mode="json")
    return Settings.model_validate({**given, "people": entries})


def layout_by_tanaka(folder: Path, settings: Settings, ending: str = "png") -> Path:
    source = write_noise(1, folder / f"source.{ending}")
    request = mark_request(source, folder / f"layout.{ending}")
    return mark(request, MarkSigner.from_settings(settings)).path


def touch_up_by_sato(folder: Path, settings: Settings, layout: Path) -> Path:
    request = mark_request(
        write_noise(2, folder / "over.png"),
        folder / "touch_up.png",
        kind=ImageKind.TOUCH_UP,
        source_type=SourceType.HUMAN_EDITS,
        contributions=(PAINTED_OVER,),
        credited=(DREW, PAINTED_OVER),
        ingredients=(MarkedIngredient(path=layout, relation=Relation.PARENT, title="The layout"),),
    )
    return mark(request, MarkSigner.from_settings(settings)).path


def marks_of(path: Path, settings: Settings, *, people: bool = True) -> FileMarks:
    roots = trusted_roots(settings)
    return read_marks(
        path,
        trust_pem=roots.signers,
        timestamp_trust_pem=roots.time_stamps,
        people_trust_pem=roots.people if people else "",
    )


def identities(marks: FileMarks) -> Sequence[tuple[SignedIdentity, ...]]:
    return [step.identities for step in marks.steps]


def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@pytest.mark.parametrize("ending", ["png", "jpg", "tif", "exr"])
def test_a_layout_carries_the_identity_of_who_drew_it(tmp_path: Path, ending: str) -> None:
    settings = certified(tmp_path, (TANAKA.id, ec_key()))
    marks = marks_of(layout_by_tanaka(tmp_path, settings, ending), settings)

    assert marks.state is MarksState.TRUSTED, marks
    (found,) = identities(marks)
    assert found == (
        SignedIdentity(
            name=f"Certificate of {TANAKA.id}", roles=("cawg.creator",), holds=True, trusted=True
        ),
    )


def test_each_step_of_a_chain_keeps_its_own_identity(tmp_path: Path) -> None:
    settings = certified(
        tmp_path, (TANAKA.id, ec_key()), (SATO.id, ed25519.Ed25519PrivateKey.generate())
    )
    layout = layout_by_tanaka(tmp_path, settings)
    marks = marks_of(touch_up_by_sato(tmp_path, settings, layout), settings)

    assert marks.state is MarksState.TRUSTED, marks
    (first,), (second,) = identities(marks)
    assert (first.name, first.roles) == (f"Certificate of {TANAKA.id}", ("cawg.creator",))
    assert (second.name, second.roles) == (f"Certificate of {SATO.id}", ("cawg.editor",))
    assert first.holds
    assert second.holds
    assert second.trusted


def test_an_issuer_that_nobody_knows_leaves_the_files_own_marks_trusted(tmp_path: Path) -> None:
    settings = certified(tmp_path, (TANAKA.id, ec_key()))
    marks = marks_of(layout_by_tanaka(tmp_path, settings), settings, people=False)

    assert marks.state is MarksState.TRUSTED, marks
    ((found,),) = identities(marks)
    assert found.holds
    assert not found.trusted


def test_a_persons_issuer_signs_no_files_of_the_studio(tmp_path: Path) -> None:
    settings = certified(tmp_path, (TANAKA.id, ec_key()))
    path = layout_by_tanaka(tmp_path, settings)
    marks = read_marks(path, trust_pem=trusted_roots(settings).people)
    assert marks.state is MarksState.UNTRUSTED


def test_nobody_else_and_nobody_who_is_withheld_is_named_by_a_certificate(tmp_path: Path) -> None:
    settings = certified(tmp_path, (SATO.id, ec_key()), (TANAKA.id, ec_key()))
    signer = MarkSigner.from_settings(settings)
    hidden = replace(DREW, actor=replace(TANAKA, opt_out="letter"))
    source = write_noise(1, tmp_path / "source.png")
    request = mark_request(
        source, tmp_path / "layout.png", contributions=(hidden,), credited=(hidden,)
    )
    assert identities(marks_of(mark(request, signer).path, settings)) == [()]


def test_an_identity_that_was_changed_does_not_hold(tmp_path: Path) -> None:
    settings = certified(tmp_path, (TANAKA.id, ec_key()))
    path = layout_by_tanaka(tmp_path, settings)
    data = path.read_bytes()
    assert data.count(b"cawg.creator") == 1
    path.write_bytes(data.replace(b"cawg.creator", b"cawg.creatoR"))
    marks = marks_of(path, settings)
    assert marks.state is MarksState.BROKEN


def test_a_file_with_an_identity_is_time_stamped_as_others_are(tmp_path: Path) -> None:
    stamping = Authority.make("Stamping Root")
    (tmp_path / "stamping.pem").write_text(stamping.root_pem)
    with time_stamp_authority(tmp_path, stamping) as url:
        settings = certified(
            tmp_path,
            (TANAKA.id, ec_key()),
            timestamp_url=url,
            timestamp_trust_file=str(tmp_path / "stamping.pem"),
        )
        made = mark(
            mark_request(write_noise(1, tmp_path / "source.png"), tmp_path / "layout.png"),
            MarkSigner.from_settings(settings),
        )
        assert made.time_stamped
        assert marks_of(made.path, settings).state is MarksState.TRUSTED


def test_a_file_with_an_identity_waits_for_its_time_stamp(tmp_path: Path) -> None:
    url = "http://127.0.0.1:9/"
    settings = certified(tmp_path, (TANAKA.id, ec_key()), timestamp_url=url)
    with pytest.raises(SigningUnavailable, match="gave no token"):
        layout_by_tanaka(tmp_path, settings)
    assert not (tmp_path / "layout.png").exists()


def test_a_key_that_is_not_the_certificates_is_refused_by_the_persons_name(tmp_path: Path) -> None:
    settings = certified(tmp_path, (TANAKA.id, ec_key()))
    (tmp_path / "0.key").write_bytes(key_pem(ec_key()))
    with pytest.raises(SettingsError, match="The identity of Entry 0: The key"):
        MarkSigner.from_settings(settings)


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ("certificate_key_file", "A certificate of Entry 0 is set, but no key"),
        ("certificate_file", "A key of Entry 0 is set, but no certificate"),
    ],
)
def test_a_certificate_without_a_key_or_a_key_alone_is_refused(
    tmp_path: Path, missing: str, words: str
) -> None:
    settings = certified(tmp_path, (TANAKA.id, ec_key()))
    entry = settings.people[0].model_copy(update={missing: None})
    with pytest.raises(SettingsError, match=words):
        MarkSigner.from_settings(settings.model_copy(update={"people": (entry,)}))


def test_a_key_service_is_asked_for_the_person_and_files_wait_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, asked, away = ec_key(), list[str](), [False]

    def make(_settings: Settings, *, person: str) -> Callable[[bytes], bytes]:
        asked.append(person)

        def sign(data: bytes) -> bytes:
            if away[0]:
                message = "no route to the service"
                raise OSError(message)
            return key.sign(data, ec.ECDSA(hashes.SHA256()))

        return sign

    point = EntryPoint(name="guild", value="guild:make", group="haikei.signers")

    def load(_point: EntryPoint) -> object:
        return make

    def installed(group: str) -> list[EntryPoint]:
        return [point] if group == point.group else []

    monkeypatch.setattr(EntryPoint, "load", load)
    monkeypatch.setattr("haikei.provenance.signer.entry_points", installed)
    settings = certified(tmp_path, (TANAKA.id, key))
    entry = settings.people[0].model_copy(update={"certificate_key_file": None, "signer": "guild"})
    settings = settings.model_copy(update={"people": (entry,)})

    assert marks_of(layout_by_tanaka(tmp_path, settings), settings).state is MarksState.TRUSTED
    assert asked == [TANAKA.id]
    away[0] = True
    with pytest.raises(SigningUnavailable, match="The signer of Entry 0's certificate failed"):
        layout_by_tanaka(tmp_path, settings)


def test_verify_says_who_signed_for_a_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = certified(tmp_path, (TANAKA.id, ec_key()))
    path = layout_by_tanaka(tmp_path, settings)
    (tmp_path / "haikei.toml").write_text(
        f"""
[studio]
state = "state"
[storage]
[[storage.roots]]
name = "primary"
path = "."
[[people]]
id = "{TANAKA.id}"
name = "Yuki Tanaka"
certificate_file = "0.pem"
certificate_key_file = "0.key"
""",
        encoding="utf-8",
    )
    monkeypatch.chdir(tmp_path)
    text = CliRunner().invoke(app, ["verify", str(path)]).output
    assert f"Certificate of {TANAKA.id} (cawg.creator) signed for layout" in text, text
    assert "the signature holds, issued by someone known" in text
    told = json.loads(CliRunner().invoke(app, ["verify", str(path), "--json"]).output)
    (identity,) = told["files"][0]["identities"]
    assert identity["holds"] is True
    assert identity["trusted"] is True


MORI = Person(id="HumanUser:22", name="Riku Mori", name_ja="森陸")
PAINTED_TOO = replace(PAINTED_OVER, actor=MORI)


def touch_up_by_both(
    folder: Path, settings: Settings, ending: str = "png", *parts: Contribution
) -> Path:
    made = parts or (PAINTED_OVER, PAINTED_TOO)
    layout = layout_by_tanaka(folder, settings)
    request = mark_request(
        write_noise(2, folder / f"over.{ending}"),
        folder / f"touch_up.{ending}",
        kind=ImageKind.TOUCH_UP,
        source_type=SourceType.HUMAN_EDITS,
        contributions=made,
        credited=(DREW, *made),
        ingredients=(MarkedIngredient(path=layout, relation=Relation.PARENT, title="The layout"),),
    )
    return mark(request, MarkSigner.from_settings(settings)).path


def three(folder: Path, **signing: object) -> Settings:
    return certified(
        folder,
        (TANAKA.id, rsa.generate_private_key(65537, 2048)),
        (SATO.id, ed25519.Ed25519PrivateKey.generate()),
        (MORI.id, ec.generate_private_key(ec.SECP384R1())),
        **signing,
    )


@pytest.mark.parametrize("ending", ["png", "jpg", "tif", "exr"])
def test_everybody_who_painted_signs_for_the_same_picture(tmp_path: Path, ending: str) -> None:
    settings = three(tmp_path)
    path = touch_up_by_both(tmp_path, settings, ending)
    marks = marks_of(path, settings)

    assert marks.state is MarksState.TRUSTED, marks
    drew, painted = identities(marks)
    assert [(one.name, one.holds, one.trusted) for one in (*drew, *painted)] == [
        (f"Certificate of {person.id}", True, True) for person in (TANAKA, SATO, MORI)
    ]
    assert {one.roles for one in painted} == {("cawg.editor",)}
    # The other engine shares no code with the one that signs.
    (outside,) = (one for one in marks.engines if one.engine.startswith("encypher"))
    assert (outside.state, outside.failures) == ("Trusted", ()), outside


def test_one_signature_that_was_changed_breaks_the_marks_and_the_others_hold(
    tmp_path: Path,
) -> None:
    settings = three(tmp_path)
    path = touch_up_by_both(tmp_path, settings)
    data = path.read_bytes()
    second = data.index(b"signer_payload", data.index(b"cawg.identity__1\0"))
    at = data.index(b"cawg.editor", second)
    path.write_bytes(data[:at] + b"cawg.creato" + data[at + 11 :])

    assert marks_of(path, settings).state is MarksState.BROKEN


def test_whose_issuer_is_not_known_is_told_apart_from_the_others(tmp_path: Path) -> None:
    settings = three(tmp_path)
    (tmp_path / "other").mkdir()
    others = certified(tmp_path / "other", (MORI.id, ec_key()))
    mixed = settings.model_copy(update={"people": (*settings.people[:2], *others.people)})
    path = touch_up_by_both(tmp_path, mixed)
    marks = marks_of(path, settings)

    assert marks.state is MarksState.TRUSTED, marks
    _, painted = identities(marks)
    assert [(one.name, one.holds, one.trusted) for one in painted] == [
        (f"Certificate of {SATO.id}", True, True),
        (f"Certificate of {MORI.id}", True, False),
    ]


def test_of_several_who_painted_nobody_signs_who_is_withheld_or_has_no_certificate(
    tmp_path: Path,
) -> None:
    settings = three(tmp_path)
    hidden = replace(PAINTED_TOO, actor=replace(MORI, opt_out="letter"))
    stranger = replace(PAINTED_OVER, actor=Person(id="HumanUser:99", name="Rei Oda"))
    path = touch_up_by_both(tmp_path, settings, "png", PAINTED_OVER, hidden, stranger)
    _, painted = identities(marks_of(path, settings))
    assert [one.name for one in painted] == [f"Certificate of {SATO.id}"]


def test_one_person_in_two_roles_signs_once_for_both(tmp_path: Path) -> None:
    settings = three(tmp_path)
    background = replace(PAINTED_OVER, role=Role.BACKGROUND)
    path = touch_up_by_both(tmp_path, settings, "png", PAINTED_OVER, background)
    _, painted = identities(marks_of(path, settings))
    assert [one.roles for one in painted] == [("cawg.editor", "cawg.creator")]


def test_several_who_sign_are_time_stamped_together(tmp_path: Path) -> None:
    stamping = Authority.make("Stamping Root")
    (tmp_path / "stamping.pem").write_text(stamping.root_pem)
    with time_stamp_authority(tmp_path, stamping) as url:
        trusted = str(tmp_path / "stamping.pem")
        settings = three(tmp_path, timestamp_url=url, timestamp_trust_file=trusted)
        marks = marks_of(touch_up_by_both(tmp_path, settings), settings)
    assert marks.state is MarksState.TRUSTED, marks
    assert [one.note for one in marks.engines] == ["", ""]
    assert all(step.signed_at is not None for step in marks.steps)
    assert [len(some) for some in identities(marks)] == [1, 2]


def test_a_reader_that_shares_no_code_with_the_signing_library_validates_every_signature(
    tmp_path: Path,
) -> None:
    settings = three(tmp_path)
    path = touch_up_by_both(tmp_path, settings)
    report = encypher_c2pa.verify(
        path.read_bytes(),
        "image/png",
        trust_pem=trusted_roots(settings).signers,
        no_default_trust=True,
        online=False,
        telemetry=False,
    )
    found = json.dumps(report)
    named = re.findall(
        r'"cawg\.identity\.well-formed"[^{}]*\{[^{}]*"subject_common_name": "(.*?)"', found
    )
    assert {f"Certificate of {one.id}" for one in (SATO, MORI)} <= set(named)
    assert found.count('"cawg.x509.signature.validated"') >= 2
    assert '"cawg.x509.signature.mismatch"' not in found
