# Sourced by the other scripts: makes .venv from nothing but Python 3.11+ and pip, and keeps it as pyproject.toml wants it.
#   prepare_venv NAME EXTRAS   e.g. prepare_venv test dev,train; EXTRAS may be empty

find_python() {
    local candidate
    for candidate in "${PYTHON:-}" python3.11 python3.12 python3.13 python3 python; do
        if [ -n "$candidate" ] && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "Python 3.11 or newer is needed; install it or set PYTHON=/path/to/python" >&2
    return 1
}

prepare_venv() {
    local name=$1 extras=$2 python wanted stamp quiet=-qq
    if [ ! -x .venv/bin/python ]; then
        python=$(find_python) || return 1
        echo "making .venv with $("$python" --version)" >&2
        "$python" -m venv .venv || return 1
    fi
    wanted=$(.venv/bin/python -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())' < pyproject.toml)
    stamp=.venv/.installed-$name
    if [ "$(cat "$stamp" 2>/dev/null)" = "$wanted $extras $PWD" ]; then
        return 0
    fi
    echo "installing into .venv (${extras:-base only}); this happens once per change of pyproject.toml" >&2
    [ -t 2 ] && quiet=  # a person watches: show progress
    .venv/bin/python -m pip install $quiet --disable-pip-version-check -e ".${extras:+[$extras]}" >&2 || return 1
    echo "$wanted $extras $PWD" > "$stamp"
}
