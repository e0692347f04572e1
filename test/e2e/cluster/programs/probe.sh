#!/usr/bin/env bash
# Says as one JSON object what it finds of a pod's surroundings, with curl, psql, getent, dig and bash. Arguments: which, default all.
full() { echo "$1.$NAMESPACE.svc.cluster.local"; }
text() { # TEXT: as JSON
	local value=${1//\\/\\\\}
	value=${value//\"/\\\"}
	value=${value//$'\r'/}
	printf '"%s"' "${value//$'\n'/ }"
}
object() { # NAME VALUE...
	local comma=''
	printf '{'
	while (($# > 0)); do
		printf '%s%s:%s' "$comma" "$(text "$1")" "$(text "$2")"
		comma=,
		shift 2
	done
	printf '}'
}
address() { # NAME [DATABASE]
	local found
	if found=$(getent "${2:-ahostsv4}" "$1"); then
		echo "${found%%[[:space:]]*}"
	else
		echo "getent $?"
	fi
}
who() { # curl's options and the URL: x-who of the answer, or curl's exit code
	local head
	if head=$(curl -sS -m 20 -o /dev/null -D - "$@" 2>&1); then
		sed -n 's/^x-who: //Ip' <<<"$head"
	else
		echo "curl $?"
	fi
}
dial() { # HOST PORT: bash's words for what goes wrong
	timeout 20 bash -c 'exec 3<>"/dev/tcp/$0/$1" && echo connected' "$1" "$2" 2>&1 | sed -n '1s/^.*: //p'
}
ask() {
	case $1 in
	env) object greeting "$GREETING" password "$DB_PASSWORD" ;;
	file) text "$(cat "${INTERCEPT_ROOT-}/etc/app/app.json")" ;;
	names)
		object short "$(address orders)" namespaced "$(address "orders.$NAMESPACE")" full "$(address "$(full orders)")" \
			headless "$(address db)" pod "$(address db-0.db)" alias "$(address partner)" \
			six "$(who -6 http://orders/)" none "$(address no-such-name)"
		;;
	srv) text "$(dig +search +short SRV _sql._tcp.db | sed -n 's/^[0-9]* [0-9]* \([0-9]* .*\)\.$/\1/p')" ;;
	http) text "$(who http://orders/)" ;;
	sql) text "$(PGPASSWORD=$DB_PASSWORD psql -h "$DB_HOST" -p "$DB_PORT" -U "$DB_USER" -Atc 'select 40 + 2' "$DB_NAME" 2>&1)" ;;
	cache) text "$(printf 'SET shell kept\r\nGET shell\r\nQUIT\r\n' | curl -sS -m 20 "telnet://$CACHE_HOST:$CACHE_PORT" 2>&1 | head -n 3)" ;;
	udp) text "$(timeout 20 bash -c 'exec 3<>/dev/udp/echo/53053; printf hello >&3; dd bs=2048 count=1 status=none <&3' 2>&1)" ;;
	refused) text "$(who http://db:4/), $(dial db 4)" ;;
	unreachable) text "$(who --connect-timeout 20 "http://$UNREACHABLE:9/"), $(dial "$UNREACHABLE" 9)" ;;
	esac
}
(($# > 0)) || set -- env file names srv http sql cache udp refused unreachable
comma='{'
for name; do
	printf '%s"%s":' "$comma" "$name"
	ask "$name"
	comma=,
done
echo '}'
