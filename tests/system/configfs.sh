# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced. Devices that come and go while the module runs: create, set, list and remove.

config=/sys/kernel/config/scullpin

a_device_is_created() {
    json '.schema == "scullpin-create/1" and .created and .path == "/dev/scullpin7" and .size_bytes == 8388608 and .latency_us == 5 and .unaligned == "buffered"' \
        "$scullpin" create --json --size 8M --latency-us 5 --unaligned buffered scullpin7 &&
        equal "$(exits 0 "$scullpin" create --size 1M fast)" /dev/scullpin1 'the node that text tells' &&
        json '[.devices[].name] == ["scullpin0", "scullpin1", "scullpin7"]' "$scullpin" list --json
}

a_device_is_set() {
    json '.schema == "scullpin-set/1" and .settings == {"latency_us": 9, "max_pinned": 1048576}' "$scullpin" set --json /dev/scullpin7 latency_us=9 max_pinned=1M &&
        equal "$(cat $config/scullpin7/latency_us)" 9 'the value in configfs' &&
        exits 0 "$scullpin" set fast completion=deferred >/dev/null && equal "$(cat /sys/class/scullpin/scullpin1/completion)" deferred 'the value in sysfs' &&
        exits 0 "$scullpin" set scullpin0 latency_us=0 >/dev/null &&
        exits 1 "$scullpin" set scullpin0 size=1M && grep -q 'cannot change' /tmp/stderr &&
        exits 1 "$scullpin" set fast size=2M &&
        exits 1 "$scullpin" set fast latency_us=much && exits 2 "$scullpin" set fast colour=red && exits 6 "$scullpin" set nowhere latency_us=1
}

what_cannot_be_created_leaves_nothing() {
    exits 1 "$scullpin" create fast && exits 1 "$scullpin" create scullpin0 &&
        exits 1 "$scullpin" create --size 1000 odd && exits 2 "$scullpin" create --engine steam odd &&
        exits 6 setpriv --reuid=65534 --clear-groups "$scullpin" create odd &&
        equal "$(ls $config | paste -sd ' ')" 'fast scullpin7' folders
}

a_device_is_removed() {
    exits 6 setpriv --reuid=65534 --clear-groups "$scullpin" remove fast || return 1
    json '.schema == "scullpin-remove/1" and .removed' "$scullpin" remove --json fast &&
        exits 0 "$scullpin" remove /dev/scullpin7 >/dev/null && exits 6 "$scullpin" remove fast &&
        exits 6 "$scullpin" remove scullpin0 && equal "$(ls $config)" '' folders && [ ! -e /dev/scullpin7 ]
}

# A copy that would take minutes ends at once, with the device.
a_busy_device_is_removed() {
    local pid status=0
    exits 0 "$scullpin" create --size 8M --latency-us 60000000 busy >/dev/null || return 1
    "$scullpin" copy --quiet --direct --backend libaio --iodepth 8 --bs 64k /dev/scullpin1 /tmp/read 2>/tmp/stderr &
    pid=$!
    until_true 20 grep -qx 8 /sys/class/scullpin/scullpin1/stats/in_flight || status=1
    exits 0 "$scullpin" remove busy >/dev/null || status=1
    wait $pid && { echo 'the copy did not fail'; status=1; }
    grep -q 'No such device' /tmp/stderr || { cat /tmp/stderr; status=1; }
    return $status
}

the_documents_equal_configfs() {
    mkdir $config/documented || return 1
    diff <(documented_in_configfs) <(cd $config/documented && find . -type f -printf '%P %m\n' | sort) || { rmdir $config/documented; return 1; }
    rmdir $config/documented
}

# "NAME MODE" of each entry.
documented_in_configfs() {
    awk '$1 == "What:" { name = $2; sub(/.*\//, "", name) } $1 == "Description:" { getline; print name, $1 == "(RO)" ? 444 : 644 }' Documentation/ABI/testing/configfs-scullpin | sort
}

test_configfs() {
    try 'create makes a device, and list shows it' a_device_is_created
    try 'set changes what is live, by node and by name, and says why it does not' a_device_is_set
    try 'a device that cannot be created leaves nothing, and the exit code says why' what_cannot_be_created_leaves_nothing
    try 'remove takes a device away, by name and by node' a_device_is_removed
    try 'a device is removed while a copy from it is under way, which ends' a_busy_device_is_removed
    try 'every attribute in configfs is documented, with its mode' the_documents_equal_configfs
    try 'nothing is pinned or in flight after the devices, and the kernel is content' device_is_quiet
}
