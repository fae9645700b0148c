"""`python -m benchmarks`: the table of run.py."""

from benchmarks.run import main

main()
