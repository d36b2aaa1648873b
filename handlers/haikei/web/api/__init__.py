"""The HTTP API for programs: `/api/v1`, with tokens, problems and a document that is true."""
