import Foundation
import TestSupport
import Testing

/// Whatever stands in the events, a statement fails on an event at most: the program goes on.
@Suite struct HostileEventTests {
  private static let schema = """
    @Tag(name='timestamp', value='t') create schema E(t long, i int, l long, d double, s string);
    create variable int N = -1;
    create variable double NOTHING = 0;

    """

  /// Every extreme of every property, with ordinary values in the others, and extremes of all at once.
  private static let events: [UInt8] = {
    let integers = [
      "9223372036854775807", "-9223372036854775808", "2147483647", "-2147483648", "4294967296", "-1", "0", "1", "null",
      "99999999999999999999",
    ]
    let doubles = ["1.7976931348623157e308", "-1.7976931348623157e308", "5e-324", "-0.0", "0.1", "9.3e18", "-9.3e18", "null", "1e400", "1"]
    let texts = [
      "\"\"", "\"a\"", "\"\\u0000\"", "\"\\ud83d\\ude00\\u0301\"", "\"%_\\\\\"", "\"10.0.0.0/8\"", "\"::ffff:1.2.3.4\"",
      "\"-9223372036854775808\"", "null", "\"(a+)+$\"",
    ]
    var lines: [String] = []
    func add(_ i: String, _ l: String, _ d: String, _ s: String) {
      lines.append("{\"t\":\(1_600_000_000_000 + lines.count * 1500),\"i\":\(i),\"l\":\(l),\"d\":\(d),\"s\":\(s)}")
    }
    for step in integers.indices {
      add(integers[step], "5", "2.5", "\"x\"")
      add("2", integers[step], "2.5", "\"x\"")
      add("2", "5", doubles[step], "\"x\"")
      add("2", "5", "2.5", texts[step])
      add(integers[step], integers[step], doubles[step], texts[step])
      add(integers[step], integers[9 - step], doubles[9 - step], texts[(step + 3) % 10])
    }
    // Values of the wrong kind.
    add("\"text\"", "[1,2]", "true", "17")
    add("1.9", "1.9", "\"0.5\"", "[\"a\"]")
    return Array((lines.joined(separator: "\n") + "\n").utf8)
  }()

  private static let statements = [
    // Arithmetic.
    "select i + i, i - i, i * i, l + l, l - l, l * l, 0 - i, -l, d * d, i + l, l + d from E",
    "select i / 0, l / i, d / 0, l % i, l % 0, i % -1, l % -1, d % 0.0, l & 1L, l | l from E",
    "select cast(d, int), cast(d, long), cast(d, byte), cast(l, int), cast(l, short), cast(i, double), cast(l, string) from E",
    "select cast(s, long) from E", "select cast(s, double) from E", "select cast(s, int) from E",
    "select Math.abs(l), Math.round(d), Math.floor(d), Math.pow(d, i), Math.max(l, i), Math.log(d), Math.sqrt(d) from E",
    "select case when l > d then i else l end, l between i and d, l in [i : 5], i in (1, 2, i), coalesce(l, i), min(l, i), max(d, i) from E",
    // Text.
    "select s.substring(i) from E", "select s.substring(i, i) from E", "select s.substring(0, l) from E", "select s.charAt(i) from E",
    "select s.indexOf(s), s.length(), s.toUpperCase(), s.trim(), s || s, s.replace(s, s), s.hashCode(), s.compareTo('b') from E",
    "select s like s, s like '%' || s || '%', s not like s escape s, s like '_%_' from E", "select s regexp s from E",
    "select Integer.parseInt(s) from E",
    // Addresses.
    "select address(s), ipFamily(s), s in '10.0.0.0/8' from E", "select ipPrefix(s, i) from E", "select ipNetwork(s, i, i) from E",
    "select inPrefix(s, s) from E",
    // Times.
    "select l.getYear(), l.getDayOfWeek(), l.getMonthOfYear(), l.roundFloor('month'), l.roundCeiling('year'), l.roundHalf('day') from E",
    "select l.set('year', i), l.withDate(i, i, i), l.withTime(i, i, i, i), l.withMax('month'), l.before(l), l.between(i, l) from E",
    "select l.plus(1 hour), l.minus(10 years), l.plus(i) from E",
    "select l.before(l, 1 sec), l.coincides(l, 1 sec), l.after(i, 1 sec, 10 sec) from E",
    // Looking back.
    "select prev(i, l), prev(l, i), prevtail(i, l), prevcount(l), prevwindow(l) from E#length(5)",
    "select prev(i, l) from E#time_batch(3 sec)",
    "select prior(i, l), prior(l, i) from E#length(5)", "select prior(2, l) from E",
    // Windows.
    "select count(*) from E#length(N)", "select count(*) from E#length_batch(N)", "select count(*) from E#firstlength(N)",
    "select count(*) from E#sort(N, l desc)", "select count(*) from E#rank(s, N, d)", "select count(*) from E#time_length_batch(1 sec, N)",
    "select count(*) from E#ext_timed(l, 10 sec)", "select count(*) from E#ext_timed_batch(l, 10 sec)",
    "select count(*) from E#ext_timed_batch(l, 1 month)",
    "select count(*) from E#ext_timed(l, 100000000 years)", "select count(*) from E#time_order(l, 10 sec)",
    "select count(*) from E#time(N sec)",
    "select count(*) from E#time(1e300 sec)", "select count(*) from E#time(100000000000 years)",
    "select count(*) from E#time_batch(1 month, -9000000000000000000L)",
    "select count(*) from E#time_batch(10 sec, 9000000000000000000L)", "select count(*) from E#time_batch(0 / NOTHING sec)",
    "select irstream * from E#unique(d)", "select count(*) from E.std:groupwin(d).win:length(2)", "select * from E#sort(3, d, l desc, s)",
    // Aggregates.
    "select sum(i), sum(l), sum(d), avg(l), avg(d), min(l), max(d), median(d), stddev(d), avedev(d), count(distinct d) from E#length(7)",
    "select first(l, i), last(l, i), nth(l, i), first(l), window(l) from E#length(7)", "select rate(d) from E",
    "select rate(l) from E#length(3)",
    "select percentile(l, d), entropy(d), baseline(d), zscore(d) from E#length(9)",
    "select approxCountDistinct(d), topK(s, i) from E#time_batch(20 sec)",
    "select s, sum(l), min(d) from E#time(5 sec) group by s, i having sum(l) < 10 or sum(l) is null order by sum(l) desc, d limit 5 offset 1",
    "select d, count(*) from E group by rollup(d, l) output all every 3 events",
    "select maxby(l), minby(d), sorted(d, l) from E#length(5)", "select countever(*), firstever(d), maxever(l) from E",
    // Patterns.
    "select a.l from pattern [every a=E -> timer:interval(a.l)]", "select a.d from pattern [every a=E -> timer:interval(a.d seconds)]",
    "select a.i from pattern [every a=E -> (b=E where timer:within(a.i years))]",
    "select b.i from pattern [every a=E -> (b=E where timer:withinmax(a.i sec, a.l))]",
    "select a.i from pattern [every-distinct(a.d, 3 sec) a=E]", "select b[1].l, b[9].l from pattern [every [2] b=E]",
    "select a.l from pattern [every a=E -> timer:schedule(date: a.l, period: 1 day)]",
    "select a.l from pattern [every a=E -> timer:schedule(repetitions: 3, date: a.l, period: 1 month)]",
    "select a.l from pattern [every a=E -> timer:schedule(date: a.l, repetitions: 5, period: 0 sec)]",
    "select a.l from pattern [every timer:interval(0)  -> a=E]",
    "select * from E match_recognize (measures A.l as a, last(B.l) as b pattern (A B+) define B as B.l > prev(B.l, 1) and B.d < A.d)",
    "select * from E match_recognize (partition by d measures A.i as a pattern (A B) interval 100000000000 years define A as A.i + A.i > 0)",
    // Joins, subqueries, contexts, stores.
    "select a.l from E#length(5) as a, E#length(5) as b where a.d = b.d and a.l + b.l > 0",
    "select (select l from E#length(3) as x where x.d = y.d) from E as y",
    "select l = any (select l from E#length(3)), d > all (select d from E#length(3)), exists (select * from E#lastevent) from E",
    "create context K partition by d, s from E;\ncontext K select count(*), sum(l) from E#time(2 sec)",
    "create context H coalesce by consistent_hash_crc32(s) from E, hash_code(l) from E granularity 3;\ncontext H select count(*) from E",
    "create context T initiated E as e terminated after 3 sec;\ncontext T select context.e.l + l from E output last when terminated",
    "create table S(k double primary key, n long);\non E as e merge S as s where s.k = e.d when matched then update set n = s.n * e.l when not matched then insert select e.d as k, e.l as n",
    "create variable long V = 9223372036854775807;\non E set V = V + l * i", "select l from E output last every N events",
    "select l from E output every N sec",
    "select {s}.take(i), {l, l}.sumOf(), {d}.average(), {i}.firstOf() from E",
  ]

  @Test(arguments: statements, ["watermark", "compat"]) func theProgramGoesOn(_ statement: String, _ clock: String) throws {
    let folder = try TemporaryFolder()
    let module = try folder.write(Self.schema + statement + ";\n@Name('end') select count(*) as n from E;\n", to: "m.epl")
    let given = try Program.run(
      ["query", "-m", module, "--clock", clock, "--flush"].dropLast(clock == "compat" ? 1 : 0), input: Self.events, seconds: 180)
    #expect(given.code == 0, "\(statement): \(given.error.suffix(1500))")
    // The two of the wrong kind may fail before they are counted.
    #expect(given.output.contains("\"n\":60,"), "\(statement): \(given.output.suffix(300)) \(given.error.suffix(300))")
  }
}
