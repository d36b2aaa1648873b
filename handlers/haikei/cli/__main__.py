"""`python -m haikei.cli` is `haikei`."""

from haikei.cli import main

main()
