# SPDX-License-Identifier: MIT
# From what was measured, one object a line, to the cells of the module with their ratios to each peer.
# Arguments: $kernel, $version, $unit, and $reach, the lines of tests/bench/reach.

# What disturbs a round only ever adds to it: ticks, and workers of the kernel.
def best: min;

# The name of one of our cells: that of the call, then the way it went when that is not the default.
def cell_name:
  if .target == "ours" then (if .cell | test("^p(read|write)-[0-9]+[km]?$") then .cell + "-pinned" else .cell end)
  else .cell + "-" + (.target | ltrimstr("ours-")) end;

def ratio($mine; $theirs): if $theirs then $mine / $theirs * 1000 | round / 1000 else null end;

(reduce (.[] | select(.target | startswith("ours") | not)) as $row ({}; .[$row.target][$row.cell] = ($row.rounds | best))) as $peers
| ([$reach | split("\n")[] | select(test("^[a-z]")) | split(" ") | {key: .[0], value: (.[1] | tonumber)}] | from_entries) as $reached
| {
    schema: "scullpin-cells/1",
    kernel: $kernel,
    version: $version,
    unit: $unit,
    cells: [
      .[] | select(.target | startswith("ours")) | (.rounds | best) as $mine | .cell as $call
      | {
          cell: cell_name,
          instructions: ($mine * 10 | round / 10),
          switches: (.switches * 100 | round / 100),
          ratio_brd: ratio($mine; $peers.brd[$call]),
          ratio_null_blk: ratio($mine; $peers.null_blk[$call]),
          ratio_null_blk_bio: ratio($mine; $peers.null_blk_bio[$call]),
          ratio_tmpfs: ratio($mine; $peers.tmpfs[$call]),
          ratio_zero: ratio($mine; $peers.zero[$call]),
          reach: $reached[cell_name],
          rounds: [.rounds[] * 10 | round / 10],
          agree: .agree
        }
    ],
    peers: $peers
  }
