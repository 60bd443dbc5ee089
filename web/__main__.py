"""`python -m web` is the command `anwen`."""

from web.cli import main

main()
