# Queries the health of services on the machine where they run: the script that follows these functions calls `ask` for each
# service, `wait` when enough are running, and `tell` at the end. $longest, in bytes, is set before them.
# shellcheck shell=sh disable=SC2154

d=$(mktemp -d) || exit 1
trap 'rm -rf "$d"' EXIT
cd "$d" || exit 1

# ask WAY INDEX SECONDS ...: in the background. It prints only the status; the answer goes into a file, so that nothing in
# it can be taken for a status.
ask() {
  way=$1
  shift
  ("ask_$way" "$@") >"$1" 2>"$1.error" </dev/null &
}

# ask_http INDEX SECONDS URL [METHOD]
ask_http() {
  # An answer without an end is cut off, a little later than its length is limited. In blocks of 512 bytes.
  ulimit -f $((longest * 2 / 512))
  # -g: brackets in an address are its own.
  # A method comes with an empty body, whose length some servers want to be told.
  curl -gsS --max-time "$2" -o "$1.body" -w '%{http_code}' ${4:+-X "$4" -d ''} "$3" ||
    [ $? -lt 128 ] || echo "its answer is longer than $((longest / 1024)) KiB" >&2
}

# ask_tcp INDEX SECONDS HOST PORT
ask_tcp() {
  if command -v bash >/dev/null; then
    # shellcheck disable=SC2016 # It is bash that knows its arguments.
    timeout "$2" bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$3" "$4"
  else
    timeout "$2" nc -z "$3" "$4"
  fi
  echo $?
}

# ask_command INDEX SECONDS COMMAND
ask_command() {
  timeout "$2" sh -c "$3" >"$1.body" 2>&1
  echo $?
}

coded() {
  [ ! -e "$1" ] || head -c "$longest" "$1" | base64 | tr -d '\n'
}

# tell COUNT: a line for each, in their order.
tell() {
  wait
  i=0
  while [ $i -lt "$1" ]; do
    printf 'health,%s,%s,%s\n' "$(cat $i)" "$(coded $i.body)" "$(coded $i.error)"
    i=$((i + 1))
  done
}
