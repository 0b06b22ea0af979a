# Reads alerts as JSON lines, and shows for each source what it did, stage by stage, in the order of the stages' first flows.
function text(name,  rest) {
  if (!match($0, "\"" name "\": ?\"")) return ""
  rest = substr($0, RSTART + RLENGTH)
  return substr(rest, 1, index(rest, "\"") - 1)
}
function number(name,  rest) {
  if (!match($0, "\"" name "\": ?[0-9]+")) return 0
  rest = substr($0, RSTART, RLENGTH)
  sub(/.*: ?/, "", rest)
  return rest + 0
}
function clock(ms) { return strftime("%H:%M:%S", int(ms / 1000), 1) }
function plural(n, one, many) { return n == 1 ? "1 " one : n " " many }
# Adds an alert to a stage of a source.
function add(stage, key,  id) {
  id = source SUBSEP stage SUBSEP key
  if (!(id in flows)) { order[++stages] = id; first[id] = number("firstSeen"); what[id] = key; sample[id] = text("sampleTarget") }
  flows[id] += number("flows")
  if (number("targets") > targets[id]) targets[id] = number("targets")
  if (number("firstSeen") < first[id]) first[id] = number("firstSeen")
  if (number("lastSeen") > last[id]) last[id] = number("lastSeen")
}
{
  source = text("source")
  type = text("type")
  if (source == "") next
  if (!(source in known)) { known[source] = 1; sources[++count] = source }
  if (type == "PortScan") add("port scan", "port " number("port"))
  if (type == "HTTPScan") add("HTTP scan", text("url"))
  if (type == "BruteForce") add("password guessing", text("victim") SUBSEP text("url"))
  if (type == "MultiStageHTTP") { attacker[source]++; verdict[source] = text("description") }
}
function show(source,  i, parts, key) {
  for (i = 1; i <= stages; i++) {
    split(order[i], parts, SUBSEP)
    if (parts[1] != source) continue
    key = order[i]
    printf "    %s - %s  ", clock(first[key]), clock(last[key])
    if (parts[2] == "port scan")
      printf "port scan          %s of %s in a minute, %s, %s and others\n", what[key], plural(targets[key], "host", "hosts"), plural(flows[key], "flow", "flows"), sample[key]
    else if (parts[2] == "HTTP scan")
      printf "HTTP scan          %s on %s in a minute, %s and others\n", what[key], plural(targets[key], "host", "hosts"), sample[key]
    else
      printf "password guessing  %s on %s, %s or more\n", parts[4], parts[3], plural(flows[key], "try", "tries")
  }
}
END {
  for (i = 1; i <= count; i++) if (sources[i] in attacker) attackers++
  if (attackers) {
    print "ATTACKERS: port scan, then HTTP scan, then password guessing by one source"
    for (i = 1; i <= count; i++) {
      source = sources[i]
      if (!(source in attacker)) continue
      printf "\n  %s  (%s)\n", source, plural(attacker[source], "alert", "alerts")
      show(source)
    }
  } else print "No multi-stage attack was found."
  if (count > attackers) {
    print "\nSEEN IN SINGLE STAGES ONLY: no multi-stage alert"
    for (i = 1; i <= count; i++) {
      if (sources[i] in attacker) continue
      printf "\n  %s\n", sources[i]
      show(sources[i])
    }
  }
}
