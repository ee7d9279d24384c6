"""How fast mail leaves, against other programs on the same machine in the same minutes: `make bench`."""
