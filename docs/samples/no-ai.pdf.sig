{
 "statement": {
  "purpose": "haikei-report/1",
  "report": "no-ai",
  "file": "no-ai.pdf",
  "sha256": "ce9c00655dec0b6f8285324e305567f89a890c2891e23e716de129b771df3760",
  "studio": "Demonstration Studio",
  "scope": "PORT",
  "ledger_size": 27,
  "made_at": "2026-11-22T08:07:36.084827+00:00"
 },
 "signature": {
  "algorithm": "ed25519",
  "key_kind": "development",
  "public_key": "ja+ush9wr4z99Ls+XuBofrnKONmEd8oiOVvWKluD4Hs=",
  "value": "5+T/yvmVqvTaVAw58EfRXv8KIr/PZ8i/K13s6+jb/fOHDlsET5+6WmDxJJKx6tCG0aCfxn+4P/t4ET6L/eH9Cg=="
 }
}
