import Diagnostics
import EventModel
import Foundation
import Semantics
import Syntax
import Testing

/// Which statements are named because what they keep can grow without bound, and which are not.
@Suite struct StateBoundsTests {
  static let schema = "create schema E(k string, v int, t long);\ncreate schema F(k string, v int); create window W#time(1 min) as E;\n"

  private func lines(_ text: String, predeclared: [EventType] = []) -> [String] {
    let (module, mistakes) = parseModule(SourceText(name: "m.epl", text: text))
    var all = mistakes
    all.add(contentsOf: bindModule(module, predeclared: predeclared).diagnostics)
    return all.sorted.map(\.line)
  }

  @Test(arguments: [
    ("select * from E#keepall", "3:16: keepall keeps every event"),
    ("select a.k from E#keepall as a, F#time(1 min) as b where a.k = b.k", "3:18: keepall keeps every event"),
    ("select * from E#unique(k)", "3:16: a unique window keeps an event for every key"),
    ("select * from E#time(1 min)#unique(k) retain-union", "3:28: a unique window keeps an event for every key"),
    ("select * from E.std:groupwin(k).win:length(2)", "3:16: groupwin keeps a window for every key"),
    ("select * from E.win:expr(v > 1)", "3:16: the window's expression does not look at the window"),
    ("select exists (select * from F#keepall) from E", "3:31: keepall keeps every event"),
    ("select k, count(*) from E group by k", "3:36: without a data window every group is kept for ever"),
    ("select k, count(*) from E#time(1 min) group by k output all every 1 min", "3:48: \"output all\" gives every group that ever was"),
    ("select count(distinct k) from E", "3:1: \"count(distinct …)\" keeps every value of a stream without data window"),
    (
      "select a.k from pattern [every a=E -> b=F(k = a.k)]",
      "3:26: each match of this part waits for what follows, for ever if it does not come"
    ),
    ("select a.k from pattern [every (a=E where timer:within(1 sec)) -> b=F]", "3:26: each match of this part waits"),
    ("select a.k from pattern [every a=E and b=F]", "3:26: AND keeps every match of this part"),
    ("select a.k from pattern [every-distinct(a.k) a=E]", "3:26: every-distinct remembers every key for ever"),
    ("select b.k from pattern [every (a=E until b=F)]", "3:32: the repeat keeps every match until its end comes"),
    ("on pattern [every a=E -> b=F] select * from W", "3:13: each match of this part waits"),
    ("create context C partition by k from E", "3:16: a partition is kept for every key"),
    ("create context C initiated by E as e", "3:16: partitions begin and never end"),
    ("create window X#keepall as E", "3:16: nothing ever leaves the named window \"X\""),
    ("create table T(k string primary key, n count(*))", "3:14: no row ever leaves the table \"T\""),
    (
      "select * from E match_recognize (partition by k measures A.v as a pattern (A B) define A as A.v > 1, B as B.v > 2)",
      "3:47: match_recognize keeps a partition for every key"
    ),
    ("select * from E match_recognize (measures B.v as b pattern (A+ B) define B as B.v > 2)", "3:61: a variable without DEFINE"),
  ])
  func growthIsNamedWithItsPlace(_ statement: String, _ expected: String) {
    let found = lines(Self.schema + statement)
    let (place, message) = (expected.prefix { $0 != " " }, expected.drop { $0 != " " }.dropFirst())
    #expect(
      found.contains { $0.hasPrefix("m.epl:\(place) warning: state can grow without bound: \(message)") && $0.hasSuffix(")") }, "\(found)")
  }

  @Test(arguments: [
    "select * from E#time(1 min)",
    "select * from E.std:groupwin(k).win:time(1 min)",
    "select * from E#length(5)#unique(k)",
    "select k, count(*) from E#time_batch(1 min) group by k",
    "select sum(v), count(*) from E",
    "select a.k from pattern [every (a=E -> b=F)]",
    "select a.k from pattern [every a=E -> (b=F where timer:within(1 min))]",
    "select a.k from pattern [every a=E -> (timer:interval(1 min) and not F)]",
    "select a.k from pattern [every a=E -[100]> b=F]",
    "select a.k from pattern [(every a=E -> b=F) where timer:within(1 min)]",
    "select a.k from pattern [every-distinct(a.k, 1 hour) a=E]",
    "create context C partition by k from E; create context D start @now end after 1 min; context D select k, count(*) from E group by k",
    "create window X#keepall as E; on F delete from X",
    "create table T(k string primary key, n count(*)); on F delete from T",
    "select * from E match_recognize (measures A.v as a pattern (A B+) define A as A.v > 1, B as B.v > 2)",
  ])
  func boundedStatementsAreNot(_ statements: String) {
    let found = lines(Self.schema + statements).filter { !$0.contains("a partition is kept") }
    #expect(found.isEmpty, "\(found)")
  }

  /// The detections that ship.
  @Test func shippedDetectionsAreBounded() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let folder = root.appendingPathComponent("queries")
    for file in try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() where file.hasSuffix(".epl") {
      let text = try String(contentsOf: folder.appendingPathComponent(file), encoding: .utf8)
      let names = Set(text.matches(of: /ipfix\.[A-Za-z0-9]+/).map { String(text[$0.range]) })
      let properties = names.sorted().map { name in
        EventType.Property(name, name.hasSuffix("Address") ? .address : name.hasSuffix("URL") ? .string : .long)
      }
      #expect(lines(text, predeclared: [EventType(name: "IPFIX", properties: properties)]).isEmpty, "\(file)")
    }
  }
}
