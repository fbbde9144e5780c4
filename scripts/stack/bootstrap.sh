#!/bin/sh
# Runs `python -m MODULE ARGS…` for the executables beside this folder, with a Python that can.
# Plain sh, so that a machine without such a Python is told what to do instead of failing oddly.
set -u
scripts=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
for candidate in "${THROUGHLINE_PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11 python; do
  [ -n "$candidate" ] || continue
  case $candidate in /*) ;; */*) candidate=$PWD/$candidate ;; esac
  if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null; then
    cd "$scripts/.." || exit 1
    PYTHONPATH=$scripts exec "$candidate" -m "$@"
  fi
done
echo "Throughline needs Python 3.11 to 3.14 and found none: install one, or name it in THROUGHLINE_PYTHON." >&2
exit 1
