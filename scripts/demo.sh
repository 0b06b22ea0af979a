#!/usr/bin/env bash
# Starts a collector on a free loopback port with the shipped detections, replays a capture to it over TCP, and shows who attacked
# whom. $BUILD is the folder of a build, $CAPTURE an IPFIX file; without one a synthetic capture is made.
set -eu
cd "$(dirname "$0")/.."
: "${BUILD:?}"
flowcep=$BUILD/flowcep
work=$(mktemp -d)
collector=
finish() {
  if [ -n "$collector" ]; then kill "$collector" 2>/dev/null || true; wait "$collector" 2>/dev/null || true; fi
  rm -rf "$work"
}
trap finish EXIT

capture=${CAPTURE:-}
if [ -z "$capture" ]; then
  capture=$work/capture.ipfix
  echo "Making a capture: 20,000 flow records over ten minutes, two attacks among them."
  "$flowcep" generate -o "$capture"
fi

cat >"$work/startup.xml" <<XML
<ipfix>
  <collectingProcess>
    <name>exporters</name>
    <tcpCollector> <name>tcp</name> <localPort>0</localPort> <localIPAddress>127.0.0.1</localIPAddress> </tcpCollector>
    <exportingProcess>detect</exportingProcess>
  </collectingProcess>
  <exportingProcess>
    <name>detect</name>
    <destination>
      <name>shipped detections</name>
      <cep>
        <module>$PWD/queries/http-attack.epl</module>
        <statement>PortScan</statement> <statement>HTTPScan</statement> <statement>BruteForce</statement>
        <statement>MultiStageHTTP</statement>
        <exportTo>alerts</exportTo>
      </cep>
    </destination>
  </exportingProcess>
  <exportingProcess>
    <name>alerts</name>
    <destination> <name>lines</name> <json> <output> <type>print</type> </output> </json> </destination>
  </exportingProcess>
</ipfix>
XML

"$flowcep" run -c "$work/startup.xml" >"$work/alerts.jsonl" 2>"$work/log" &
collector=$!
port=
for _ in $(seq 200); do
  port=$(sed -n 's/.*listening on tcp 127\.0\.0\.1:\([0-9]*\).*/\1/p' "$work/log" | head -n 1)
  if [ -n "$port" ]; then break; fi
  if ! kill -0 "$collector" 2>/dev/null; then break; fi
  sleep 0.05
done
if [ -z "$port" ]; then
  echo "The collector did not start:" >&2
  cat "$work/log" >&2
  exit 1
fi

echo "The collector (process $collector) listens on 127.0.0.1:$port. Replaying $(basename "$capture") over TCP."
"$flowcep" send -i "$capture" -d 127.0.0.1 -p "$port" -t TCP -n 1
kill -TERM "$collector"
status=0
wait "$collector" || status=$?
collector=
if [ "$status" != 0 ]; then
  echo "The collector ended with status $status:" >&2
  cat "$work/log" >&2
  exit 1
fi

echo
awk -f scripts/alerts.awk "$work/alerts.jsonl"
echo
echo "The collector's last line:"
tail -n 1 "$work/log"
