#!/bin/sh
# Makes the .dmg that people download.
#
#   ./build_dmg.sh                                    on a Mac: an ad-hoc signed, -unsigned .dmg
#   ./build_dmg.sh --identity "Developer ID Application: NAME (TEAM)" --notary-profile PROFILE
#
# On Linux it does the Linux half: freeze, self-test, a skeleton bundle and a test .dmg of it.
#
#   --identity NAME         the certificate in the keychain that signs the app and the .dmg
#   --notary-profile NAME   credentials kept by `xcrun notarytool store-credentials NAME`
#   --keychain FILE         where those credentials are kept, if not in the person's own keychain
#   --no-notarize           sign only
#   --skip-freeze           use the app that lies in dist/ already
#   --dry-run               say what would be done, do nothing
#   --output FOLDER         where the .dmg goes (dist)
#
# It stops at the first fault and says where the log is. docs/release.md has the whole release.
set -eu

cd "$(dirname "$0")"
NAME=Easel
identity=
profile=
keychain=
notarize=yes
freeze=yes
dry=no
output=dist
system=$(uname -s)
python=${PYTHON:-.venv/bin/python}
build=build
app=dist/$NAME.app
logs=$build/logs
step=start

# --- words ----------------------------------------------------------------------------------

say() { printf '%s\n' "$*"; }

stop() { # stop SENTENCE [NEXT STEP...]
    printf '\nbuild_dmg.sh stopped at "%s": %s\n' "$step" "$1" >&2
    shift
    for line in "$@"; do printf '  %s\n' "$line" >&2; done
    exit 1
}

stage() { # stage NAME: what is done from here on
    step=$1
    say "== $1"
}

run() { # run COMMAND...: do it, its words into the stage's log; stop where it fails
    log=$logs/$(printf '%s' "$step" | tr ' ' '-').log
    if [ "$dry" = yes ]; then
        say "   would run: $*"
        return 0
    fi
    if ! "$@" >>"$log" 2>&1; then
        tail -n 20 "$log" >&2 || true
        stop "$1 failed." "All it said is in $log."
    fi
}

again() { # again COMMAND...: as run, five times, for what is busy now and then
    tries=1
    while [ "$dry" = no ] && [ "$tries" -lt 5 ]; do
        if "$@" >>"$logs/$(printf '%s' "$step" | tr ' ' '-').log" 2>&1; then return 0; fi
        tries=$((tries + 1))
        sleep "${EASEL_RETRY_S:-3}"
    done
    run "$@"
}

# --- what is asked --------------------------------------------------------------------------

need() { # need FLAG LEFT: a flag's value is there
    [ "$2" -ge 2 ] || {
        step=arguments
        stop "$1 needs a value."
    }
}

while [ $# -gt 0 ]; do
    case $1 in
    --identity)
        need "$1" $#
        identity=$2
        shift
        ;;
    --notary-profile)
        need "$1" $#
        profile=$2
        shift
        ;;
    --keychain)
        need "$1" $#
        keychain=$2
        shift
        ;;
    --output)
        need "$1" $#
        output=$2
        shift
        ;;
    --no-notarize) notarize=no ;;
    --skip-freeze) freeze=no ;;
    --dry-run) dry=yes ;;
    -h | --help)
        sed -n '2,/^set -eu$/{/^set -eu$/!s/^# \{0,1\}//p;}' "$0"
        exit 0
        ;;
    *)
        step=arguments
        stop "there is no option $1." "./build_dmg.sh --help lists them."
        ;;
    esac
    shift
done
if [ "$system" != Darwin ] && [ -n "$identity$profile" ]; then
    step=arguments
    stop "only a Mac signs and notarises, and this is $system." "Leave --identity and --notary-profile out."
fi
[ -n "$identity" ] || notarize=no
if [ "$notarize" = yes ] && [ -z "$profile" ]; then
    step=arguments
    stop "an identity without --notary-profile cannot notarise." \
        "Add --notary-profile NAME, or --no-notarize."
fi

# --- 1. preflight ---------------------------------------------------------------------------

preflight() {
    stage preflight
    [ -x "$python" ] || stop "there is no $python." \
        "sh scripts/bootstrap.sh packaging makes it, or PYTHON=/path chooses another."
    wanted="shasum"
    if [ "$system" = Darwin ]; then
        wanted="codesign xcrun ditto hdiutil shasum"
        [ "$(uname -m)" = arm64 ] || stop "Easel is built on Apple silicon, and this Mac is not."
    elif [ "$system" != Linux ]; then
        stop "Easel is built on a Mac, and tested on Linux; this is $system."
    fi
    for tool in $wanted; do
        command -v "$tool" >/dev/null 2>&1 || stop "$tool is missing."
    done
    version=$("$python" packaging/version.py) || stop "the version could not be read."
    suffix=-arm64
    [ -n "$identity" ] || suffix=-arm64-unsigned
    [ "$system" = Darwin ] || suffix=-linux-test
    dmg=$output/$NAME-$version$suffix.dmg
    if [ "$dry" = no ]; then
        mkdir -p "$logs" "$output"
        rm -f "$logs"/*.log
    fi
}

# --- 2. freeze ------------------------------------------------------------------------------

freeze_program() { # PyInstaller signs, from the inside out; strict, so that it cannot fail quietly
    stage freeze
    if [ "$freeze" = no ]; then
        frozen=$app
        [ "$system" = Darwin ] || frozen=dist/$NAME
        [ "$dry" = yes ] || [ -d "$frozen" ] || stop "there is no $frozen to skip the freeze with."
        return 0
    fi
    export PYINSTALLER_STRICT_BUNDLE_CODESIGN_ERROR=1
    export PYINSTALLER_VERIFY_BUNDLE_SIGNATURE=1
    if [ -n "$identity" ]; then
        export EASEL_SIGN_IDENTITY="$identity"
    else
        unset EASEL_SIGN_IDENTITY
    fi
    run "$python" -m PyInstaller packaging/app.spec --noconfirm --distpath dist --workpath "$build"
}

selftest() { # selftest PROGRAM: draws with the starter, with nothing of this shell around it
    home=$build/selftest-home
    [ "$dry" = yes ] || { rm -rf "$home" && mkdir -p "$home"; }
    run env -i HOME="$(pwd)/$home" EASEL_HOME="$(pwd)/$home" PATH=/usr/bin:/bin \
        QT_QPA_PLATFORM=offscreen LANG=en_US.UTF-8 "$1" selftest
}

# --- 3. on a Mac ----------------------------------------------------------------------------

check_app() {
    stage "check bundle"
    run "$python" packaging/check_bundle.py "$app"
    stage "verify signature"
    run codesign --verify --deep --strict --verbose=2 "$app"
    stage "self-test"
    selftest "$app/Contents/MacOS/$NAME"
}

notarise() { # notarise FILE: Apple looks at it; its answer is kept whatever it is
    # ${keychain:+...}: the two words where a keychain was named, else nothing.
    run xcrun notarytool submit "$1" --keychain-profile "$profile" \
        ${keychain:+--keychain "$keychain"} --wait
    if [ "$dry" = no ] && ! grep -q "status: Accepted" "$log"; then
        id=$(sed -n 's/^ *id: *//p' "$log" | head -n 1)
        xcrun notarytool log "$id" --keychain-profile "$profile" \
            ${keychain:+--keychain "$keychain"} "$logs/notary-$id.json" || true
        stop "Apple did not accept $1." "Its reasons are in $logs/notary-$id.json."
    fi
}

notarise_app() {
    [ "$notarize" = yes ] || return 0
    stage "notarise app"
    run ditto -c -k --keepParent "$app" "$build/$NAME.zip" # zip would lose the symbolic links
    notarise "$build/$NAME.zip"
    stage "staple app"
    run xcrun stapler staple "$app"
    run xcrun stapler validate "$app"
}

make_dmg() {
    stage "make dmg"
    [ "$dry" = yes ] || rm -f "$dmg"
    again "$python" -m dmgbuild -s packaging/dmg_settings.py -D app="$app" "$NAME" "$dmg"
    [ -n "$identity" ] || return 0
    stage "sign dmg"
    run codesign --sign "$identity" --timestamp "$dmg"
    [ "$notarize" = yes ] || return 0
    stage "notarise dmg"
    notarise "$dmg"
    stage "staple dmg"
    run xcrun stapler staple "$dmg"
    run xcrun stapler validate "$dmg"
}

check_dmg() {
    stage "verify dmg"
    run hdiutil verify "$dmg"
    if [ "$notarize" = yes ]; then
        run spctl --assess --type open --context context:primary-signature --verbose "$dmg"
    fi
    stage "self-test from the dmg"
    mount=$(pwd)/$build/mount
    [ "$dry" = yes ] || mkdir -p "$mount"
    again hdiutil attach "$dmg" -nobrowse -readonly -mountpoint "$mount"
    trap 'hdiutil detach "$mount" -force >/dev/null 2>&1 || true' EXIT
    # What is in the image is whole, links and all; and it was stapled before it went in.
    run codesign --verify --deep --strict --verbose=2 "$mount/$NAME.app"
    [ "$notarize" = no ] || run xcrun stapler validate "$mount/$NAME.app"
    selftest "$mount/$NAME.app/Contents/MacOS/$NAME"
    trap - EXIT
    again hdiutil detach "$mount"
}

on_a_mac() {
    check_app
    notarise_app
    make_dmg
    check_dmg
}

# --- 4. on Linux ----------------------------------------------------------------------------

on_linux() {
    stage "self-test"
    selftest "$(pwd)/dist/$NAME/$NAME"
    stage "skeleton bundle"
    run "$python" packaging/skeleton.py "$build/skeleton/$NAME.app"
    stage "check bundle"
    run "$python" packaging/check_bundle.py "$build/skeleton/$NAME.app"
    stage "make dmg"
    run "$python" packaging/linux_dmg.py "$build/skeleton" "$dmg"
    stage "verify dmg"
    run "$python" packaging/linux_dmg.py --check "$build/skeleton" "$dmg"
}

# --- 5. the end -----------------------------------------------------------------------------

checksum() {
    stage checksum
    [ "$dry" = yes ] || (cd "$output" && shasum -a 256 "${dmg##*/}" >"${dmg##*/}.sha256")
}

tell() {
    if [ "$dry" = yes ]; then
        say "Nothing was done: this was a dry run."
    elif [ "$system" = Linux ]; then
        [ "$freeze" = yes ] && done="frozen, self-tested" || done=self-tested
        say "$dmg is a test of the Linux half: $done, a skeleton bundle in an image."
        say "Not run here: signing with an identity, notarising, stapling, hdiutil, the app on a Mac."
    elif [ "$notarize" = yes ]; then
        say "$dmg is signed, notarised and stapled."
    elif [ -n "$identity" ]; then
        say "$dmg is signed and not notarised: a Mac that downloads it will warn about it."
    else
        say "$dmg has no signature of a developer that Apple knows. To open it:"
        say "  1. Open the .dmg and drag $NAME to Applications."
        say "  2. Open $NAME once; macOS refuses."
        say "  3. System Settings, Privacy & Security, near the end: Open Anyway."
    fi
}

preflight
freeze_program
case $system in
Darwin) on_a_mac ;;
*) on_linux ;;
esac
checksum
tell
