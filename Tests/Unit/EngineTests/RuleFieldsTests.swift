import Engine
import EventModel
import Testing

/// What annotations put into the alerts of a statement.
@Suite struct RuleFieldsTests {
  private func fields(_ statement: String) throws -> [String] {
    let schema = "@Tag(name='timestamp', value='t') create schema E(t long, k string, description string);\n"
    let engine = try Engine(modules: [EngineModule(name: "m", text: schema + statement)])
    return try #require(engine.statements.last).ruleFields.map { "\($0.name)=\($0.value.text ?? "null")" }
  }

  @Test func tagsAndDescription() throws {
    #expect(
      try fields(
        """
        @Name('S') @Description('what it finds') @Tag(name='id', value='x-1') @Tag(value='high', name='severity')
        @Tag(name='reference', value='a') @Tag(name='owner', value='soc') @Tag(name='reference', value='b')
        select k from E;
        """) == ["rule=S", "id=x-1", "severity=high", "reference=[a, b]", "owner=soc", "description=what it finds"])
  }

  @Test func columnsStay() throws {
    let annotations =
      "@name('S') @description('d') @tag(name='k', value='no') @tag(name='timestamp', value='no') @tag(name='type', value='no') "
    #expect(try fields(annotations + "select k, description from E;") == ["rule=S", "ruleDescription=d"])
  }

  @Test func noRuleNoFields() throws {
    #expect(try fields("@Name('S') @Priority(1) select k from E;").isEmpty)
    #expect(try fields("@Name('S') select k from E;").isEmpty)
  }
}
