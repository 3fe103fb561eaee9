# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced by scripts/vm/run. How a run ended: what the guest says of itself, what the console shows when it cannot say, verdict.json.
# shellcheck disable=SC2154 # here, out, work, timeout, started, nonce and VERSION are the caller's

# field NAME: of the guest's verdict, empty when there is none.
field() { sed -n "s/^$1=//p" "$work/verdict" | tr -d '\r' | head -n 1; }

# judge STATUS-OF-QEMU: sets outcome and reason. The guest's word counts only when it was written to its end by who
# knows the run's nonce, and QEMU's exit code agrees.
judge() {
    local status=$1 end complaint
    end=$(field end)
    # Data races of the kernel with itself are no complaint; the guest has looked at each.
    complaint=$(grep -v 'KCSAN:' "$out/console.log" | grep -E -f "$here/vm/dmesg-patterns" | head -n 1 | tr -d '\r' || true)
    outcome=''
    if [ -n "$end" ] && [ "$(field nonce)" = "$nonce" ] && [ "$status" = "$(machine_status "$end")" ]; then
        outcome=$(field outcome)
        reason=$(field reason)
    fi
    # The guest's log is a ring, and can be cleared: what the console has seen stays seen.
    if [ -n "$complaint" ] && [ "$outcome" != 'kernel complained' ]; then
        outcome='kernel complained'
        reason=$complaint
    elif [ -n "$outcome" ]; then
        return
    elif ! grep -q 'vm-init: up' "$out/console.log"; then
        outcome='boot failed'
        reason="the guest's init never spoke; QEMU ended with $status $(qemu_says)"
    elif [ "$status" = 124 ] || { [ "$status" = 137 ] && [ $((SECONDS - started)) -ge "$timeout" ]; }; then
        outcome='timed out'
        reason="no verdict after $timeout s"
    else
        outcome='VM lost'
        reason="no verdict; QEMU ended with $status $(qemu_says)"
    fi
}

qemu_says() { tail -n 1 "$work/qemu.log"; }

exit_code_of() {
    case $1 in
    passed) printf 0 ;;
    'test failed') printf 1 ;;
    'kernel complained') printf 5 ;;
    'boot failed') printf 7 ;;
    'VM lost') printf 8 ;;
    'timed out') printf 9 ;;
    esac
}

json_string() { printf '"%s"' "$(printf '%s' "$1" | tr -d '\000-\037' | sed 's/\\/\\\\/g; s/"/\\"/g')"; }

json_number() { if [ -n "$1" ]; then printf '%s' "$1"; else printf null; fi; }

write_verdict() {
    local pins
    read -r -a pins <<<"$(field pins)"
    {
        printf '{"schema": "scullpin-vm/1", "outcome": %s, ' "$(json_string "$outcome")"
        printf '"reason": %s, ' "$(json_string "$reason")"
        printf '"command_exit": %s, ' "$(json_number "$(field command_exit)")"
        printf '"kernel": %s, "seconds": %s, ' "$(json_string "$VERSION")" "$SECONDS"
        printf '"taint": %s, ' "$(json_number "$(field taint)")"
        printf '"pins": {"acquired": %s, "released": %s}}\n' "$(json_number "${pins[0]:-}")" "$(json_number "${pins[1]:-}")"
    } >"$out/verdict.json"
}
