import Diagnostics
import EventModel
import Semantics
import Syntax
import Testing

@Suite struct DiagnosticPlaceTests {
  static let schema = "create schema E(k string, v int, d double, b boolean);\n"

  func lines(_ text: String, predeclared: [EventType] = []) -> [String] {
    let (module, mistakes) = parseModule(SourceText(name: "m.epl", text: text))
    var all = mistakes
    all.add(contentsOf: bindModule(module, predeclared: predeclared).diagnostics)
    return all.sorted.map(\.line)
  }

  @Test(arguments: [
    ("select kk from E", "2:8: error: unknown property \"kk\" (did you mean \"k\"?)"),
    ("select k from Ee", "2:15: error: unknown event type \"Ee\" (did you mean \"E\"?)"),
    ("select k from E where v = 'x'", "2:23: error: cannot compare \"int\" with \"string\""),
    ("select k from E where count(*) > 1", "2:23: error: aggregates cannot stand in the WHERE clause (use HAVING)"),
    ("select v + k from E", "2:8: error: \"+\" needs numbers, not \"int\" and \"string\""),
    (
      "select v & 2 = 2 from E",
      "2:8: error: \"&\" needs integers or booleans, not \"int\" and \"boolean\" (it binds looser than a comparison: put it in parentheses)"
    ),
    ("select lengt(k) from E", "2:8: error: unknown function \"lengt\""),
    ("select k as a, v as a from E", "2:16: error: the column name \"a\" stands twice (give one another name with AS)"),
    ("select k from E.win:tim(1 sec)", "2:17: error: unknown window \"win:tim\" (did you mean \"win:time\"?)"),
    ("select k from E.win:length(0)", "2:28: error: the window's size is at least 1, not 0"),
    ("select * from E#linest(v, k)", "2:27: error: the view \"linest\" needs numbers, this is \"string\""),
    ("select * from E#linest(v)", "2:16: error: the window \"linest\" takes at least 2 parameters, not 1"),
    ("select * from E#uni(v, k, d + 1, k)", "2:34: error: the view \"uni\" has a property \"k\" already"),
    ("select k from E.win:time(-1 sec)", "2:26: error: a time period cannot be negative"),
    ("select * from E as x, E as y", "2:15: error: a joined stream needs a data window, \"x\" has none (add one: E#time(1 min))"),
    ("select prev(1, k) from E", "2:8: error: \"prev\" needs a data window (add one: E#length(10))"),
    (
      "create context C start @now end after 1 min; context C create window W#length(9) as E; on E delete from W",
      "2:105: error: the named window \"W\" is one for each partition of the context \"C\" (write CONTEXT C before the statement)"
    ),
    ("select context.id from E", "2:8: error: this statement has no context (write CONTEXT and its name before it)"),
    (
      "select a[0].k from pattern [every [2] a=E -> [2] a=E]",
      "2:50: error: the tag \"a\" of a repeat stands twice (give one of them another name)"
    ),
    ("@Name select k from E", "2:1: error: the annotation @Name needs a value (@Name('…'))"),
  ])
  func mistakesHaveTheirPlace(_ text: String, _ expected: String) {
    #expect(lines(Self.schema + text).first == "m.epl:" + expected)
  }

  @Test func allMistakesOfAModuleComeAtOnce() {
    let text = Self.schema + "select x1 from E where x2 = 1;\nselekt k from E;\ncreate schema E(a strng);\nselect y from Nope;"
    #expect(lines(text).map { $0.prefix(9) } == ["m.epl:2:8", "m.epl:2:2", "m.epl:3:1", "m.epl:4:1", "m.epl:5:1"])
  }

  /// What a faulty statement would have declared is not missed by those that use it.
  @Test func mistakesDoNotBreedOthers() {
    #expect(
      lines(
        Self.schema + "insert into X select nosuch from E;\nselect a, b from X;\ncreate window W.win:nosuch() as E;\non E delete from W"
      ).count == 2)
  }

  @Test func propertiesAreCheckedAgainstAPredeclaredType() {
    let type = EventType(name: "IPFIX", properties: [.init("ipfix.sourceIPv4Address", .address), .init("ipfix.octetDeltaCount", .long)])
    #expect(lines("select ipfix.sourceIPv4Address from IPFIX where ipfix.sourceIPv4Address = '10.0.0.1'", predeclared: [type]).isEmpty)
    #expect(
      lines("select ipfix.sourceIPv4Adress from IPFIX", predeclared: [type])
        == ["m.epl:1:8: error: unknown property \"ipfix.sourceIPv4Adress\" (did you mean \"ipfix.sourceIPv4Address\"?)"])
  }

  @Test func hostileModulesAreSurvived() {
    #expect(!lines("create expression f { x => f(x) };\n" + Self.schema + "select f(e) from E as e").isEmpty)
    #expect(
      !lines("create expression p alias for { q };\ncreate expression q alias for { p };\n" + Self.schema + "select p from E").isEmpty)
    #expect(
      !lines(Self.schema + "select k, count(*) from E group by cube(k, v, d, b, k || 'a', k || 'b', k || 'c', k || 'd', k || 'e')").isEmpty)
    #expect(lines(Self.schema + "select 1" + String(repeating: " + 1", count: 400) + " as x from E").isEmpty)
  }
}
