import Foundation
import TestSupport
import Testing

/// Functions and aggregates of a library in C, built outside the tree with the plain C compiler.
@Suite struct FunctionLibraryTests {
  private let folder: TemporaryFolder
  private static let source = SharedFolder.repository.path + "/Plugins/Functions/Text/text.c"

  init() throws {
    folder = try TemporaryFolder()
    try OutsideBuild.c(Self.source, as: "libflowcep-functions-text.so", into: folder)
  }

  private func query(_ epl: String, _ events: String) throws -> (code: Int32, output: String, error: String) {
    let module = try folder.write("create schema E(s string, a address, v int, d double, b boolean);\n" + epl, to: "m.epl")
    let result = try Program.run([
      "query", "--plugin-dir", folder.path, "-m", module, "-i", try folder.write(events, to: "e.jsonl"), "--clock", "compat",
    ])
    return (result.code, result.output, result.error.replacingOccurrences(of: folder.path + "/", with: ""))
  }

  private func values(_ output: String, _ column: String) throws -> [Any] {
    try output.split(separator: "\n").map { line in
      let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
      return object[column] ?? "absent"
    }
  }

  @Test func scalars() throws {
    let result = try query(
      "@Name('s') select charEntropy(s) as e, lastLabels(s) as two, lastLabels(s, 3) as three, lastLabels(a, 1) as one from E;",
      """
      {"s": "WWW.Example.COM.", "a": "192.0.2.7"}
      {"s": "aabb"}
      {}

      """)
    #expect(result.error.isEmpty, "\(result.error)")
    #expect(try values(result.output, "two").map { "\($0)" } == ["example.com", "aabb", "<null>"])
    #expect(try values(result.output, "three").first as? String == "www.example.com")
    #expect(try values(result.output, "one").first as? String == "7")
    #expect(try values(result.output, "e").compactMap { ($0 as? NSNumber)?.doubleValue }.last == 1)
  }

  @Test func aggregateOverBatchAndSlidingWindow() throws {
    let events = [2, 8, 0, 4, 4].map { "{\"v\": \($0)}\n" }.joined()
    let sliding = try query("@Name('s') select geometricMean(v) as m from E.win:length(2);", events)
    let means = try values(sliding.output, "m").map { ($0 as? NSNumber).map { ($0.doubleValue * 1000).rounded() / 1000 } }
    #expect(means == [2, 4, 8, 4, 4])
    let batch = try query("@Name('s') select v % 2 as k, geometricMean(v) as m from E.win:length_batch(5) group by v % 2;", events)
    #expect(try values(batch.output, "m").allSatisfy { abs((($0 as? NSNumber)?.doubleValue ?? 0) - 4) < 1e-9 }, "\(batch.output)")
  }

  @Test func typesAreCheckedWhenTheModuleIsRead() throws {
    let result = try query(
      "select charEntropy(v), lastLabels(s, s), geometricMean(b), lastLabels() from E;\nselect charEntropie(s) from E;", "")
    #expect(result.code == 2)
    #expect(result.error.contains("m.epl:2:8: error: \"charEntropy\" does not take (int)"), "\(result.error)")
    #expect(result.error.contains("\"lastLabels\" does not take (string, string)"))
    #expect(result.error.contains("\"geometricMean\" does not take \"boolean\""))
    #expect(result.error.contains("\"lastLabels\" takes 1 to 2 arguments, not 0"))
    #expect(result.error.contains("m.epl:3:8: error: unknown function \"charEntropie\" (did you mean \"charEntropy\"?)"))
  }

  @Test func failureHasItsReason() throws {
    let result = try query("@Name('s') select lastLabels(s, v) as l from E;", "{\"s\": \"a.b\", \"v\": 0}\n{\"s\": \"a.b\", \"v\": 1}\n")
    #expect(result.error.contains("lastLabels: a number of labels is at least 1, not 0"), "\(result.error)")
    #expect(try values(result.output, "l") as? [String] == ["b"])
  }

  @Test func casesUseThem() throws {
    let test = try folder.write(
      #"{"name": "n", "epl": "create schema E(s string); @Name('s') select lastLabels(s) as l from E;", "outputs": ["s"], "events": [{"t": 1, "type": "E", "e": {"s": "a.b.c"}}], "expected": {"updates": [{"t": 1, "statement": "s", "new": [{"l": "b.c"}]}]}}"#,
      to: "case.json")
    #expect(try Program.run(["test", "--plugin-dir", folder.path, test]).output == "1 passed, 0 failed, 0 skipped\n")
    #expect(try Program.run(["test", test]).output.contains("unknown function \"lastLabels\""))
  }

  @Test func collectorUsesThem() throws {
    let capture = try #require(Capture.path)
    try folder.write(
      "@Name('Last') select lastLabels(ipfix.sourceAddress, 1) as label, geometricMean(ipfix.octetDeltaCount) as m from IPFIX.win:length_batch(1000);",
      to: "q.epl")
    let destinations = "<destination><name>d</name><cep><module>q.epl</module><exportTo>alerts</exportTo></cep></destination>"
    let alerts =
      "<exportingProcess><name>alerts</name><destination><name>l</name><json><output><type>print</type></output></json></destination></exportingProcess>"
    let file = try folder.write(configuration(capture: capture, destinations: destinations, more: alerts), to: "startup.xml")
    let missing = try Program.run(["check", "-c", file])
    #expect(missing.code == 2)
    #expect(missing.error.contains("q.epl:1:22: error: unknown function \"lastLabels\""), "\(missing.error)")
    let checked = try Program.run(["check", "-c", file, "--plugin-dir", folder.path])
    #expect(checked.code == 0, "\(checked.error)")
    let result = try Program.run(["run", "-c", file, "--plugin-dir", folder.path])
    #expect(result.code == 0, "\(result.error)")
    #expect(try values(result.output, "label").count == 3000)
    #expect(try values(result.output, "m").allSatisfy { (($0 as? NSNumber)?.doubleValue ?? 0) > 1 })
  }

  /// What an aggregate of a library keeps outlives the collector, where the library can say it; one that cannot is refused by name.
  @Test func stateOutlivesTheCollector() throws {
    let capture = try #require(Capture.path)
    try folder.write(
      "@Name('Mean') select geometricMean(ipfix.octetDeltaCount) as m, count(*) as c from IPFIX output last every 1000 events;", to: "q.epl"
    )
    let alerts =
      "<exportingProcess><name>alerts</name><destination><name>l</name><json><output><type>print</type></output></json></destination></exportingProcess>"
    func file(_ name: String, _ captures: String, _ state: String) throws -> String {
      let cep = "<cep><module>q.epl</module><exportTo>alerts</exportTo><clock>compat</clock>\(state)</cep>"
      let text = configuration(capture: captures, destinations: "<destination><name>d</name>\(cep)</destination>", more: alerts)
      return try folder.write(text, to: name)
    }
    func run(_ file: String) throws -> [String] {
      let result = try Program.run(["run", "-c", file, "--plugin-dir", folder.path])
      #expect(result.code == 0, "\(result.error)")
      return try zip(values(result.output, "c"), values(result.output, "m")).map { "\($0) \($1)" }
    }
    let whole = try run(try file("whole.xml", "\(capture)</file><file>\(capture)", ""))
    #expect(whole.count >= 4)
    let kept = try file("kept.xml", capture, "<stateFile>\(folder.path)/state</stateFile>")
    #expect(try run(kept) + run(kept) == whole)

    let mute = try TemporaryFolder()
    let source = try String(contentsOfFile: Self.source, encoding: .utf8)
      .replacingOccurrences(of: ", .save = mean_save, .restore = mean_restore", with: "")
      .replacingOccurrences(of: "static size_t mean_save", with: "size_t mean_save")
      .replacingOccurrences(of: "static flowcep_status mean_restore", with: "flowcep_status mean_restore")
    try OutsideBuild.c(try mute.write(source, to: "mute.c"), as: "libflowcep-functions-text.so", into: mute)
    let refused = try Program.run(["check", "-c", kept, "--plugin-dir", mute.path])
    #expect(refused.code == 2)
    #expect(
      refused.error.contains("error: the state of statement \"Mean\" cannot be kept: "), "\(refused.error)")
    let plain = try Program.run(["check", "-c", try file("plain.xml", capture, ""), "--plugin-dir", mute.path])
    #expect(plain.code == 0, "\(plain.error)")
  }

  @Test func listed() throws {
    let result = try Program.run(["plugins", "--plugin-dir", folder.path, "text"])
    #expect(result.code == 0, "\(result.error)")
    #expect(result.output.contains("functions text 1.0: What names tell"))
    #expect(result.output.contains("lastLabels(text, integer?) → text: the last labels"))
  }

  @Test func whatIsUnfitIsLeftOutAndTold() throws {
    let good = try String(contentsOfFile: Self.source, encoding: .utf8)
    func variant(_ name: String, _ old: String, _ new: String) throws {
      let text = good.replacingOccurrences(of: ".name = \"text\"", with: ".name = \"\(name)\"").replacingOccurrences(of: old, with: new)
        .replacingOccurrences(of: "static void mean_clear", with: "void mean_clear")
      #expect(text != good)
      try OutsideBuild.c(try folder.write(text, to: "\(name).c"), as: "libflowcep-functions-\(name).so", into: folder)
    }
    try variant("size", ".struct_size = sizeof library", ".struct_size = 4")
    try variant("words", "\"charEntropy\"", "\"char entropy\"")
    try variant("types", ".result = FLOWCEP_VALUE_TEXT", ".result = 77")
    try variant("half", ".clear = mean_clear, ", "")
    try variant("taken", "\"lastLabels\"", "\"coalesce\"")
    try folder.write("no library", to: "libflowcep-functions-junk.so")
    let result = try query("@Name('s') select lastLabels(s) as l from E;", "{\"s\": \"a.b.c\"}\n")
    #expect(result.output.contains(#""l":"b.c""#))
    for reason in [
      "functions-size.so: its descriptor has 4 bytes", "functions-words.so: its function 1 has no name that EPL could write",
      "functions-types.so: lastLabels declares a type that there is not",
      "functions-half.so: geometricMean has neither call nor all of open, close, enter, clear and value", "functions-junk.so: ",
      "the function \"charEntropy\" of the library \"text\" is left out: the name is taken",
    ] {
      #expect(result.error.contains(reason), "\(reason) is not in \(result.error)")
    }
    #expect(try Program.run(["plugins", "--plugin-dir", folder.path]).code == 2)
  }
}
