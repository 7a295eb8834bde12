#!/bin/sh
# Runs a command with CAP_NET_RAW, if the container has it: a container gives its rights to files, not to its user, and what
# captures is Node, which must not have them wherever it is started.
keep='/usr/local/bin/keep-net-raw --inh-caps=+net_raw --ambient-caps=+net_raw --'
$keep true 2>/dev/null || keep=
# shellcheck disable=SC2086 # words
exec $keep "$@"
