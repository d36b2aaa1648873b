"""`python -m haikei.cli` is `haikei`."""

from haikei.cli.app import main

main()
