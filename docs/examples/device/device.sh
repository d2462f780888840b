#!/bin/sh
# A device in shell (mosquitto_pub): store and forward with a folder, a file for each reading, until its PUBACK.
#
#     device.sh HOST PORT ACCOUNT DEVICE TOKEN FOLDER LEVEL
#
# From cron or a timer: each call stores one reading of the black toner (LEVEL, 0..1) and sends all that is stored, oldest
# first. Exit code 0: all of it is acknowledged; 1: what is left is sent at the next call. The token is shown to whoever
# may list processes: on a machine with other users put it into ~/.config/mosquitto_pub.
set -eu
host=$1 port=$2 account=$3 device=$4 token=$5 folder=$6 level=$7
topic=ullage/v1/$account/$device/readings
mkdir -p "$folder"

# boot: of the machine's start, from the kernel; seq: counts in a file that begins anew with the boot
boot=$(tr -d '-' < /proc/sys/kernel/random/boot_id | cut -c1-16)
exec 9> "$folder/lock"
flock 9
last=$(cat "$folder/seq-$boot" 2> /dev/null || echo 0)
seq=$((last + 1))

# the counter is on disk before the reading: a number may be left out, never used twice
echo "$seq" > "$folder/.seq" && sync "$folder/.seq" && mv "$folder/.seq" "$folder/seq-$boot"
name=$(printf '%s-%010d' "$(date +%s)" "$seq")
printf '{"v":1,"ts":"%s","boot":"%s","seq":%d,"supplies":{"black":{"level":%s}}}' \
    "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$boot" "$seq" "$level" > "$folder/.new"
sync "$folder/.new" && mv "$folder/.new" "$folder/$name.json"

# mosquitto_pub -q 1 ends with 0 only after the PUBACK
for file in "$folder"/*.json; do
    mosquitto_pub -h "$host" -p "$port" -i "$device" -u "$account" -P "$token" -q 1 -t "$topic" -f "$file" || exit 1
    rm "$file"
done
