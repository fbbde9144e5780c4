"""`python -m stack COMMAND`: what every executable in scripts/ runs."""

import sys

from stack.cli import main

sys.exit(main(sys.argv[1:]))
