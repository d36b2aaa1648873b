{
 "statement": {
  "purpose": "haikei-report/1",
  "report": "no-ai",
  "file": "no-ai.pdf",
  "sha256": "6a115e4535df4344fca883ed024bbd70e5ef990a172b1f343d44c417cbf0cc18",
  "studio": "Demonstration Studio",
  "scope": "PORT",
  "ledger_size": 27,
  "made_at": "2026-11-22T11:50:41.593527+00:00"
 },
 "signature": {
  "algorithm": "ed25519",
  "key_kind": "development",
  "public_key": "FOvBi4KinKHmnCja6R+SDnbE/WTD5zPYSAPr24S0Mag=",
  "value": "k+Nx2Y2L2Q5b7MGzJ65s5FeRQ27Msbo621Mn4tkS2ds13clwY77fnkyW5Rf9fhVPp8O/oFo8E+ug+HBWC14mCA=="
 }
}
