import Diagnostics
import Syntax
import Testing

@Suite struct ParserTests {
  func errors(_ text: String) -> [String] {
    parseModule(SourceText(name: "m.epl", text: text)).diagnostics.sorted.map(\.line)
  }

  func canonical(_ text: String) -> String? {
    let canonicalText = CanonicalText(aggregates: ["sum", "count", "min", "max", "avg"])
    return parseExpression(SourceText(name: "e", text: text)).expression.map(canonicalText.text)
  }

  @Test func everyMistakeOfAModuleIsReported() {
    #expect(
      errors("selekt k from E;\nselect k E;\nselect k from E output evry 3 events;\nselect a from b") == [
        "m.epl:1:1: error: expected a statement (SELECT, INSERT INTO, CREATE, ON, UPDATE, DELETE), found \"selekt\" (did you mean \"select\"?)",
        "m.epl:2:11: error: expected FROM, found \";\"",
        "m.epl:3:24: error: expected EVERY, AT, WHEN or AFTER in the output clause, found \"evry\" (did you mean \"every\"?)",
      ])
  }

  @Test func unclosedTextsAreReportedWhereTheyBegin() {
    #expect(errors("select k from E(k='abc);\nselect 1 frm E;").map { $0.prefix(16) } == ["m.epl:1:19: erro", "m.epl:2:10: erro"])
    #expect(errors("/* oops\nselect k from E;").first?.hasPrefix("m.epl:1:1: error: the comment") == true)
  }

  @Test func operatorsBindAsInTheOriginal() {
    #expect(canonical("max(v)-min(v)") == "(max(v))-(min(v))")
    #expect(canonical("v & 2 = 2") == "v&2=2")
    #expect(canonical("(v & 2) = 2") == "(v&2)=2")
    #expect(canonical("k||'a'") == "k||\"a\"")
    #expect(canonical("not a = b and (c or d)") == "not a=b and (c or d)")
    #expect(canonical("1 + 2 * 3 - (4 - 5)") == "1+2*3-4-5" || canonical("1 + 2 * 3 - (4 - 5)") == "1+2*3-(4-5)")
    #expect(canonical("case when v>1 then 1 else 0 end") == "case when v>1 then 1 else 0 end")
    #expect(canonical("count(distinct k)") == "count(distinct k)")
    #expect(canonical("v not in [1:5)") == "v not in [1:5)")
  }

  @Test(arguments: [
    "select * from E#time(1 min)#unique(k) as e unidirectional", "select count(*, filter: v > 1) from E -- trailing",
    "create schema E as (k string, v int)", "@name('x') select k from E", "select `my col`, a\\.b from E",
    "select * from pattern [every a=A -[5]> b=B(x=a.x) where timer:within(1 min 30 sec)]",
    "create context C partition by a and b from E(v > 1), c from F terminated by after 5 sec",
    "on A as a merge W as w where a.id = w.id when matched and a.v > 1 then update set v = a.v where w.v < 3 then delete when not matched then insert select *",
    "select a.b?.c[0].d('x') from E", "select window(*).aggregate('', (r, x) => r || x.k) from E.win:keepall()",
    "insert into W(a, b) values (1, 'x')", "select 1 from E output after 5 sec all every 3 events order by a desc limit 5 offset 2",
    "create variant schema V as A, B, *", "update istream E set v = 1 where k = 'a'", "create unique index I on W(k hash, v btree)",
    "create expression int f { (x, y) => x.v + y.v }", "select new { a = 1, b } from E", "select v > any (1, 2) from E",
    "create window W.win:keepall() as select k, v as w from E", "select * from W for grouped_delivery(k)",
  ])
  func isAccepted(_ text: String) {
    #expect(errors(text) == [])
  }

  @Test func hostileTextsGiveDiagnostics() {
    #expect(!errors("select " + String(repeating: "(", count: 100_000)).isEmpty)
    #expect(!errors("select " + String(repeating: "not ", count: 100_000)).isEmpty)
    #expect(!errors("select " + String(repeating: "-", count: 3) + String(repeating: " - ", count: 100_000)).isEmpty)
    #expect(!errors("select 1" + String(repeating: "+1", count: 100_000) + " from E").isEmpty)
    #expect(!errors("select a" + String(repeating: ".a", count: 100_000) + " from E").isEmpty)
    #expect(!errors("select * from pattern [" + String(repeating: "every (", count: 100_000)).isEmpty)
    #expect(!errors("select {" + String(repeating: "{", count: 100_000)).isEmpty)
    #expect(!errors(String(repeating: "@a(", count: 100_000)).isEmpty)
    #expect(!errors("select * from E match_recognize (measures a as b pattern (" + String(repeating: "(", count: 100_000)).isEmpty)
    #expect(!errors(String(repeating: "case when ", count: 100_000)).isEmpty)
    #expect(!errors("select " + String(repeating: "(select ", count: 100_000)).isEmpty)
    #expect(
      !errors("create context a " + String(repeating: "start @now and ", count: 1) + String(repeating: "@now and ", count: 100_000)).isEmpty
    )
    #expect(errors(String(repeating: ";", count: 100_000)).isEmpty)
    #expect(errors(String(repeating: "x;", count: 10_000)).count == 200)
    #expect(errors("select a or b" + String(repeating: " or c", count: 20_000) + " from E").isEmpty)
  }
}
