#!/bin/sh
# Runs `python -m stack COMMAND ARGUMENTS…` in .venv, which it makes first where that is missing or
# out of date. Plain sh and quick, because every command begins here.
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
  echo "Throughline needs Python 3.11 to 3.14 and found none: install one, or name it in THROUGHLINE_PYTHON." >&2
  exit 1
fi

# What stack/setup/bootstrap.py leaves in the environment once all is installed.
{ made_with=$(cat "$venv/made-with-python") &&
  [ "$made_with" = "$version" ] &&
  [ -x "$venv/bin/python" ] &&
  cmp -s "$root/requirements.txt" "$venv/installed-requirements.txt"; } 2>/dev/null ||
  PYTHONPATH=$root/scripts "$python" -P -m stack.setup.bootstrap || exit

# -P keeps the folder in which a command is typed out of where modules are looked for.
PYTHONPATH=$root/scripts:$root:$root/functions exec "$venv/bin/python" -P -m stack "$@"
