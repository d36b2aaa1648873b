{
 "statement": {
  "purpose": "haikei-report/1",
  "report": "no-ai",
  "file": "no-ai.pdf",
  "sha256": "0497a7ea239e8478891eb49036ab700d28efccbf1f7fb7633f340b20deae9b8a",
  "studio": "Demonstration Studio",
  "scope": "PORT",
  "ledger_size": 27,
  "made_at": "2026-11-30T16:57:52.418477+00:00"
 },
 "signature": {
  "algorithm": "ed25519",
  "key_kind": "development",
  "public_key": "F6Wgi3KkCbG/Ck3j0R0yF9xFzAr03Rvn6zUZfM8z4xE=",
  "value": "GFhcfdkGAkX2Djlb7vJWUZKHPMSJ0NY7+cHvxraZAY6STtMJ4sPEEIyNSgvt0CWIGi/4rgiOwnI3XJeTuJoiAA=="
 }
}
