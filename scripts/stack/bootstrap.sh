#!/bin/sh
# Runs `python -m stack COMMAND ARGUMENTS…` in .venv; creates .venv first if it is missing or out of
# date. Every command starts here, so it is plain sh and must be quick.
set -u
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd) || exit 1
venv=$root/.venv

for python in "${THROUGHLINE_PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11 python; do
  [ -n "$python" ] || continue
  version=$("$python" -I -S -c 'import sys
print(sys.version)
sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null) && break
  python=
done
if [ -z "$python" ]; then
  echo "Throughline needs Python 3.11 to 3.14, and none was found. Install one, or set THROUGHLINE_PYTHON to its path." >&2
  exit 1
fi

# The Observatory alone has an environment of its own, and needs nothing of the others.
if [ "${1:-}" = observatory ]; then
  shift
  PYTHONPATH=$root/scripts exec "$python" -P -m stack.setup.observatory "$@"
fi

# stack/setup/bootstrap.py writes these two files once everything is installed.
{ made_with=$(cat "$venv/made-with-python") &&
  [ "$made_with" = "$version" ] &&
  [ -x "$venv/bin/python" ] &&
  cmp -s "$root/requirements.txt" "$venv/installed-requirements.txt"; } 2>/dev/null ||
  PYTHONPATH=$root/scripts "$python" -P -m stack.setup.bootstrap || exit

# -P: don't search the current directory for modules.
PYTHONPATH=$root/scripts:$root:$root/functions exec "$venv/bin/python" -P -m stack "$@"
