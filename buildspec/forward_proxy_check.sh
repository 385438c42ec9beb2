#!/bin/sh
# check.sh PROXY HOST...: whether the proxy works as it is configured. It has to refuse a host that does not exist, and
# to open a tunnel to every HOST; one of them has to answer through it. Squid opens a tunnel before it connects, so a
# host that is down for a while fails no proxy as long as another one answers.
set -u
proxy=$1
shift

# Prints the status of the proxy's answer, 000 if there is none, and succeeds if HOST answers in TLS.
ask() {
  curl --silent --output /dev/null --max-time 3 --write-out '%{http_connect}' --noproxy '' --proxy "$proxy" "https://$1/"
}

# Prints what is wrong, if anything is.
wrong() {
  answered=no
  status=$(ask refused.invalid) # no such name can exist: RFC 6761
  [ "$status" = 403 ] || echo "it answers with $status for a host that is not allowed"
  for host; do
    if status=$(ask "$host"); then answered=yes; fi
    [ "$status" = 200 ] || echo "it answers with $status for $host"
  done
  [ "$answered" = yes ] || echo "no host answers through it"
}

# A Squid that has just started does not yet know that its second port listens.
tries=0
while problem=$(wrong "$@") && [ -n "$problem" ]; do
  tries=$((tries + 1))
  if [ "$tries" -eq 5 ]; then
    echo "error: the proxy at $proxy: $problem" >&2
    exit 1
  fi
  sleep 0.5
done
