#!/bin/sh
# Five nodes of this machine that find each other as one cluster, ten tasks on them, and the graph of
# five nodes in two regions: what the published demo of a distributed computing system (HIDRS) shows,
# each figure beside the one that it prints. Ends with 1 where one of them is not so here.
#
#     sh examples/cluster.sh            # with the `bary` of the path, or: sh examples/cluster.sh BARY
set -eu
bary=${1:-bary}
dir=$(mktemp -d)
pids=
end() {
    for pid in $pids; do kill "$pid" 2> /dev/null || true; done
    wait
    rm -rf "$dir"
}
trap end EXIT
trap 'exit 130' INT TERM

# Brings up a node over a state of its own: what it is, its number, and whether it has a GPU.
up() {
    number=$1; gpus=$2; shift 2
    "$bary" "$@" --name "node-$number" --state "$dir/$number" --socket "$dir/$number.sock" \
        --listen 127.0.0.1:0 --cluster-listen 127.0.0.1:0 --find none -j 6 --node-memory 8GB \
        --node-gpus "$gpus" 2> "$dir/$number.log" &
    pids="$pids $!"
}

# Asks the node of a socket.
ask() {
    socket=$1; shift
    BARY_ADDR="unix:$dir/$socket.sock" "$bary" "$@"
}

# Waits until something is so, for a minute at most.
until_so() {
    tries=0
    until "$@" > /dev/null 2>&1; do
        tries=$((tries + 1))
        if [ "$tries" -gt 300 ]; then
            cat "$dir"/*.log >&2
            echo "it did not come to: $*" >&2
            exit 1
        fi
        sleep 0.2
    done
}

all_there() { [ "$(ask 1 node ls --format '{state}' 2> /dev/null | grep -c up)" = 5 ]; }

# 1: nodes find each other. The first founds the cluster; the others know its address.
up 1 1 up --cluster demo
until_so ask 1 ls
line=$("$bary" auth join-line --state "$dir/1" --uses 4)
up 2 1 join "$line"
for number in 3 4 5; do up "$number" 0 join "$line"; done
until_so all_there
ask 1 node ls --format '{cpus} {memory} {gpus}' 2> /dev/null > "$dir/nodes"
nodes=$(wc -l < "$dir/nodes" | tr -d ' ')
sum=$(awk '{ c += $1; m += $2; g += $3 } END { printf "%d|%.1f GB|%d", c, m / 1e9, g }' "$dir/nodes")

# 3: ten tasks are given to whom has room.
ask 1 submit -q --wait --array 1-10 --function noop > /dev/null
done=$(ask 1 ls --format '{succeeded}' 2> /dev/null)

# And the graph: here all ways are short and alike; two regions 40 ms apart are told to be so.
ask 1 graph > "$dir/here" 2>&1
here=$(sed -n 's/.*lambda_2 \([0-9.]*\).*/\1/p' "$dir/here")
"$bary" dev --nodes 5 --regions eu,eu,us,us,us --latency eu-us=40ms,1ms --no-listen \
    --socket "$dir/regions.sock" 2> "$dir/regions.log" &
pids="$pids $!"
until_so ask regions ls
ask regions graph > "$dir/graph" 2>&1
far=$(sed -n 's/.*lambda_2 \([0-9.]*\).*/\1/p' "$dir/graph")
bridge=$(sed -n 's/.*bridges: \([^;]*\);.*/\1/p' "$dir/graph")
regions=$(sed -n 's/.* in \([0-9]*\) regions.*/\1/p' "$dir/graph")
keys=$(ask regions node ls --format '{is_key_node}' 2> /dev/null | grep -c true)

row() { printf '%-24s %12s %12s\n' "$1" "$2" "$3"; }
row '' published here
row 'nodes' 5 "$nodes"
row 'CPU cores' 30 "${sum%%|*}"
rest=${sum#*|}
row 'memory' '40.0 GB' "${rest%%|*}"
row 'GPUs' 2 "${rest#*|}"
row 'tasks done of 10' 10 "$done"
row 'Fiedler value, near' - "$here"
row 'Fiedler value, regions' 0.123456 "$far"
row 'key nodes' 1 "$keys"
row 'regions' - "$regions"
row 'bridge' - "$bridge"
cat << 'END'

The Fiedler value is lambda_2 of the graph whose ways weigh 1/RTT, in 1/ms: 5/80 for regions whose
nodes are 80 ms apart there and back. The published one is a number without a graph.
END
[ "$nodes|$sum|$done|$keys|$regions" = '5|30|40.0 GB|2|10|1|2' ]
