"""One run: what setup() returns, what is taken of it, and the file that it is written to."""
