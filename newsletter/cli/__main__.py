"""python -m newsletter.cli: the command where its script is not installed."""

from newsletter.cli import main

main(prog_name="newsletter")
