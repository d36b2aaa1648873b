"""Signatures against vectors that were made with openssl, from the documented rules."""

from haikei.trackers.shotgrid.requests import is_same, menu_signature, webhook_signature


def test_a_webhook_is_signed_over_its_raw_body() -> None:
    # printf 'The quick brown fox jumps over the lazy dog' | openssl dgst -sha1 -hmac key
    body = b"The quick brown fox jumps over the lazy dog"

    assert webhook_signature("key", body) == "sha1=de7c9b85b8b78aa6bc8a7a36f70a90701c9db4d9"


def test_a_menu_item_is_signed_over_its_sorted_fields_and_empty_ones() -> None:
    # printf 'cols=\r\nentity_type=Shot\r\nids=1,2\r\n' | openssl dgst -sha1 -hmac secret
    fields = {"ids": "1,2", "signature": "left out", "entity_type": "Shot", "cols": ""}

    assert menu_signature("secret", fields) == "54eed156d35059daffdf2b3630007786f0b78006"


def test_a_signature_matches_in_either_case_and_no_other_way() -> None:
    right = webhook_signature("key", b"")

    assert is_same(right.upper(), right)
    assert is_same(f" {right} ", right)
    assert not is_same(right[:-1], right)
    assert not is_same("", right)
