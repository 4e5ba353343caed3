#!/bin/sh
# Makes .venv and installs what is pinned in pyproject.toml, once.
#
#   sh scripts/bootstrap.sh run        what the program needs
#   sh scripts/bootstrap.sh check      the same, and the tools of `make check` and the tests
#   sh scripts/bootstrap.sh test       the same, and looks for the system programs the tests start
#   sh scripts/bootstrap.sh packaging  the same, and what freezes it; on a Mac exactly what
#                                      packaging/requirements-macos-arm64.txt locks, by its hashes
#
# PYTHON=/path/to/python chooses the interpreter. pip's own settings (PIP_INDEX_URL and so on) hold.
# A second run with nothing changed calls neither pip nor the network.
set -eu

cd "$(dirname "$0")/.."
want=${1:-run}
here=$(pwd -P)
system=$(uname -s)

stop() { # one clear sentence, then the next step
    printf '\nEasel cannot go on: %s\n' "$1" >&2
    shift
    for line in "$@"; do printf '  %s\n' "$line" >&2; done
    exit 1
}

# --- 1. a machine that Easel can run on -----------------------------------------------------

check_machine() {
    [ "$system" = Darwin ] || return 0
    if [ "$(sysctl -n hw.optional.arm64 2>/dev/null || echo 0)" != 1 ]; then
        stop "this Mac has an Intel processor, and Easel needs Apple silicon (M1 or later)."
    fi
    version=$(sw_vers -productVersion)
    if [ "${version%%.*}" -lt 14 ]; then
        stop "this Mac runs macOS $version, and Easel needs macOS 14 or later." \
            "Update it in System Settings, General, Software Update."
    fi
}

# --- 2. a Python that fits ------------------------------------------------------------------

fits() { # Python 3.11 to 3.13, 64 bits, and arm64 on a Mac (not one that runs under Rosetta)
    "$1" -c '
import platform, sys
fits = (3, 11) <= sys.version_info[:2] <= (3, 13) and sys.maxsize > 2**32
sys.exit(not (fits and (sys.platform != "darwin" or platform.machine() == "arm64")))
' >/dev/null 2>&1
}

how_to_get_python() {
    if [ "$system" = Darwin ]; then
        stop "no Python 3.11, 3.12 or 3.13 for Apple silicon was found (the Mac's own is too old)." \
            "With Homebrew:     brew install python@3.12" \
            "Without Homebrew:  the macOS installer of Python 3.12 from https://www.python.org/downloads/" \
            "Then run the same command again. PYTHON=/path/to/python3.12 make run chooses one yourself."
    fi
    stop "no Python 3.11, 3.12 or 3.13 was found." \
        "Debian 12, Ubuntu 24.04:  sudo apt-get install python3 python3-venv" \
        "Elsewhere:                Python 3.12 from your distribution or https://www.python.org/downloads/" \
        "Then run the same command again. PYTHON=/path/to/python3.12 make run chooses one yourself."
}

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        fits "$PYTHON" || stop "PYTHON=$PYTHON is not a Python 3.11, 3.12 or 3.13 that runs here." \
            "Give the path of another one, or leave PYTHON out and let Easel look."
        python=$PYTHON
        return 0
    fi
    PATH=$PATH:/opt/homebrew/bin # where Homebrew is, also for a shell that was not told
    for name in python3.11 python3.12 python3.13 python3 python; do
        if fits "$name"; then
            python=$name
            return 0
        fi
    done
    how_to_get_python
}

# --- 3. .venv, with everything in it --------------------------------------------------------

stamp() { # what was installed, from what, and where: a moved folder is installed again
    cat pyproject.toml packaging/requirements-macos-arm64.txt 2>/dev/null | cksum
    printf '%s\n' "$here"
}

is_fresh() { # is_fresh EXTRA: true when .venv holds it already
    [ -f ".venv/easel-$1.stamp" ] && [ "$(cat ".venv/easel-$1.stamp")" = "$(stamp)" ] && fits .venv/bin/python
}

make_venv() {
    if [ -f ".venv/easel-venv.stamp" ] && [ "$(cat .venv/easel-venv.stamp)" = "$here" ] && fits .venv/bin/python; then
        return 0
    fi
    find_python
    "$python" -c 'import ensurepip, venv' >/dev/null 2>&1 || stop "$python has no venv module." \
        "Debian, Ubuntu:  sudo apt-get install python3-venv" "Then run the same command again."
    echo "Making .venv with $("$python" --version 2>&1) ($(command -v "$python"))."
    rm -rf .venv
    "$python" -m venv .venv || stop "the virtual environment could not be made (see above)." \
        "Is there room on this disk, and may you write to $here?"
    printf '%s\n' "$here" >.venv/easel-venv.stamp
}

install() { # install EXTRA REQUIREMENT
    echo "Installing what pyproject.toml pins into .venv. This happens once and takes some minutes."
    .venv/bin/python -m pip install --disable-pip-version-check --no-input -e "$2" ||
        stop "pip did not install everything (its own words are above)." \
            "The first run needs the internet and about 3 GB of disk. When both are there, run the same command again."
    stamp >".venv/easel-$1.stamp"
}

install_locked() { # what a Mac freezes: every file of it by its hash, for one Python
    .venv/bin/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' ||
        stop "the app for the Mac is made with Python 3.11, and .venv has another one." \
            "With Homebrew:  brew install python@3.11" \
            "Then:           rm -r .venv && PYTHON=python3.11 sh scripts/bootstrap.sh packaging"
    echo "Installing what packaging/requirements-macos-arm64.txt locks into .venv."
    pip="-m pip install --disable-pip-version-check --no-input"
    # shellcheck disable=SC2086 # several words
    if ! { .venv/bin/python $pip --require-hashes --only-binary :all: \
        -r packaging/requirements-macos-arm64.txt &&
        .venv/bin/python $pip --no-deps --no-build-isolation -e .; }; then
        stop "pip did not install everything (its own words are above)." \
            "When the internet is there, run the same command again."
    fi
    stamp >.venv/easel-packaging.stamp
}

ensure_installed() {
    is_fresh packaging && return 0 # holds all of test, too
    if [ "$want" = packaging ]; then
        make_venv
        if [ "$system" = Darwin ]; then install_locked; else install packaging ".[test,packaging]"; fi
        rm -f .venv/easel-run.stamp .venv/easel-test.stamp
        return 0
    fi
    is_fresh test && return 0 # holds all of run, too
    if [ "$want" = run ]; then
        is_fresh run && return 0
        make_venv
        install run .
    else
        make_venv
        install test ".[test]"
        rm -f .venv/easel-run.stamp
    fi
}

# --- 4. the system's libraries and programs -------------------------------------------------

debian_package() { # libxcb-cursor.so.0 -> libxcb-cursor0, libdbus-1.so.3 -> libdbus-1-3
    case $1 in
    libglib-2.0.so.* | libgthread-2.0.so.*) echo libglib2.0-0 ;;
    libz.so.*) echo zlib1g ;;
    *)
        printf '%s\n' "$1" | tr '[:upper:]_' '[:lower:]-' |
            sed -e 's/\([0-9]\)\.so\.\([0-9]*\).*/\1-\2/' -e 's/\.so\.\([0-9]*\).*/\1/'
        ;;
    esac
}

check_qt() { # check_qt PLUGIN: each library that Qt and its platform plugin need is there
    [ "$system" = Linux ] || return 0
    command -v ldd >/dev/null 2>&1 || return 0
    qt=$(echo .venv/lib/python3.*/site-packages/PySide6/Qt)
    missing=$(ldd "$qt"/lib/libQt6Widgets.so.6 "$qt/plugins/platforms/$1" 2>/dev/null |
        awk '/=> not found/ && $1 !~ /^libQt6/ {print $1}' | sort -u)
    [ -n "$missing" ] || return 0
    packages=$(for library in $missing; do debian_package "$library"; done | sort -u | tr '\n' ' ')
    stop "the window's toolkit, Qt, misses libraries of this system: $(echo "$missing" | tr '\n' ' ')" \
        "Debian, Ubuntu:  sudo apt-get install ${packages% }" "Then run the same command again."
}

check_test_programs() {
    [ "$system" = Linux ] || return 0
    missing=""
    for pair in Xvfb:xvfb xdotool:xdotool pcmanfm:pcmanfm xclip:xclip strace:strace \
        shellcheck:shellcheck xorriso:xorriso 7z:p7zip-full; do
        command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair##*:}"
    done
    [ -z "$missing" ] || stop "the tests open real windows on a screen in memory and write disk images, and programs for that are missing." \
        "Debian, Ubuntu:  sudo apt-get install$missing" "Then run the same command again."
}

case $want in
run | check | test | packaging) ;;
*) stop "there is no set-up called \"$want\"; there are run, check, test and packaging." ;;
esac
check_machine
ensure_installed
case $want in
run) if [ -n "${DISPLAY:-}" ]; then check_qt libqxcb.so; else check_qt libqoffscreen.so; fi ;;
test | packaging) check_qt libqxcb.so && check_test_programs ;;
esac
