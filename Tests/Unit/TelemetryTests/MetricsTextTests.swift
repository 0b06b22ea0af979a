import Telemetry
import Testing

@Suite struct MetricsTextTests {
  @Test func familiesStandTogetherWithHelpAndType() {
    var text = MetricsText()
    text.add("a-b", .counter, ["x": "1"], 5, help: "Of \\ two\nlines.")
    text.add("depth", .gauge, [:], 0.5, help: "")
    text.add("a-b", .counter, ["x": "say \"2\"\n\\"], 6, help: "")
    #expect(
      text.text == """
        # HELP a_b_total Of \\\\ two\\nlines.
        # TYPE a_b_total counter
        a_b_total{x="1"} 5
        a_b_total{x="say \\"2\\"\\n\\\\"} 6
        # HELP depth Not described.
        # TYPE depth gauge
        depth 0.5

        """)
  }

  @Test func aSeriesIsGivenOnce() {
    var text = MetricsText()
    text.add("n", .gauge, ["x": "1"], 5, help: "N.")
    text.add("n", .gauge, ["x": "1"], 6, help: "N.")
    #expect(text.text == "# HELP n N.\n# TYPE n gauge\nn{x=\"1\"} 5\n")
  }

  @Test func jsonIsEscaped() {
    let value = JSONText.object([("a\"b", .array([.text("x\n\u{1}é"), .number(7), .boolean(false), .null])), ("c", .object([]))])
    #expect(value.description == #"{"a\"b":["x\n\u0001é",7,false,null],"c":{}}"#)
  }
}
