"""What Studio Kawa adds to Haikei; each module is one entry point of pyproject.toml."""
