import Diagnostics
import Engine
import EventModel
import Foundation
import TestSupport
import Testing

/// Lists from files: what is in them, what is wrong with them, and how they change.
@Suite struct ListTests {
  private let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private let schema = "create schema E(a address, s string);\n"

  private func engine(_ epl: String) throws(CompileError) -> Engine {
    var options = EngineOptions()
    options.clock = .compat
    return try Engine(modules: [EngineModule(name: folder.path + "/m.epl", text: schema + epl)], options: options)
  }

  private func mistakes(_ epl: String) -> [String] {
    do throws(CompileError) {
      _ = try engine(epl)
      return []
    } catch { return error.diagnostics.errors.map { $0.line.replacingOccurrences(of: folder.path + "/", with: "") } }
  }

  /// The texts of which the statement lets the events through.
  private func passing(_ engine: Engine, _ texts: [String]) throws -> [String] {
    let input = try #require(engine.input(named: "E"))
    var passing: [String] = []
    engine.onRows = { rows in for row in rows.new { passing.append(row[0].text ?? "null") } }
    let columns = input.properties.map { property -> Column in
      property == 0 ? Column.typed(texts.map { Address(text: $0)?.value ?? .null }) : Column(.strings(texts))
    }
    engine.send(
      EventBatch(type: input.type, count: texts.count, properties: input.properties, columns: columns, times: texts.map { _ in 1 }))
    return passing
  }

  private let addresses = ["10.0.0.1", "192.0.2.7", "192.0.3.7", "2001:db8::5", "2001:db9::5"]

  @Test(arguments: ["a in Bad", "s in Bad", "a in (Bad)", "s in (Bad, 'x')"]) func addressesAndPrefixes(_ condition: String) throws {
    _ = try folder.write("# bad ones\n\n10.0.0.1 ; one\n  192.0.2.0/24\t# a net\r\n2001:DB8:0::/32\n", to: "bad.txt")
    let engine = try engine("create address list Bad from 'bad.txt';\n@Name('s') select s from E where \(condition);")
    #expect(try passing(engine, addresses) == ["10.0.0.1", "192.0.2.7", "2001:db8::5"])
    #expect(engine.listInfos.map(\.count) == [3])
  }

  @Test func negated() throws {
    _ = try folder.write("192.0.2.0/24\n", to: "bad.txt")
    let engine = try engine("create list Bad from 'bad.txt';\n@Name('s') select s from E(a not in Bad, s not in ('10.0.0.0/8'));")
    #expect(try passing(engine, addresses + ["no address"]) == ["192.0.3.7", "2001:db8::5", "2001:db9::5"])
  }

  @Test func strings() throws {
    _ = try folder.write("# pages\n/wp-login.php\n  /admin#top \n/ä\n", to: "pages.txt")
    let engine = try engine("create string list Pages from '\(folder.path)/pages.txt';\n@Name('s') select s from E(s in Pages);")
    #expect(try passing(engine, ["/wp-login.php", "/admin", "/admin#top", "/ä", "# pages"]) == ["/wp-login.php", "/admin#top", "/ä"])
  }

  @Test func faultyListIsNoModule() throws {
    _ = try folder.write("10.0.0.1\n10.0.0.0/33\nhost\n", to: "bad.txt")
    #expect(
      mistakes("create list Bad from 'bad.txt';\nselect s from E(a in Bad);") == [
        "bad.txt:2:1: error: \"10.0.0.0/33\" is no address and no prefix", "bad.txt:3:1: error: \"host\" is no address and no prefix",
      ])
    #expect(
      mistakes("create list Bad from 'none.txt';\ncreate list Bad from 'bad.txt';") == [
        "m.epl:3:13: error: \"Bad\" is declared already",
        "m.epl:2:22: error: cannot read the list none.txt: No such file or directory",
      ])
  }

  @Test func wrongTypes() throws {
    _ = try folder.write("10.0.0.1\n", to: "bad.txt")
    let epl = "create schema F(n int);\ncreate list Bad from 'bad.txt';\nselect * from F(n in Bad);"
    #expect(mistakes(epl) == ["m.epl:4:22: error: \"Bad\" is a list of addresses, a value of type \"int\" is never in it"])
  }

  // MARK: change

  @Test func changedFileIsTakenWhenItIsAtRest() throws {
    _ = try folder.write("10.0.0.1\n", to: "bad.txt")
    let engine = try engine("create list Bad from 'bad.txt';\n@Name('s') select s from E(a in Bad);")
    #expect(engine.checkLists(at: 0).isEmpty)
    _ = try folder.write("192.0.2.0/24\n192.0.3.0/24\n", to: "bad.txt")
    #expect(engine.checkLists(at: 1000).isEmpty)
    #expect(try passing(engine, addresses) == ["10.0.0.1"])
    let notices = engine.checkLists(at: 2000)
    guard case .loaded(let info)? = notices.first, notices.count == 1 else { return #expect(Bool(false), "\(notices)") }
    #expect(info.count == 2)
    #expect(try passing(engine, addresses) == ["192.0.2.7", "192.0.3.7"])
    #expect(engine.checkLists(at: 3000).isEmpty)
  }

  @Test func faultyFileLeavesTheOldListAndIsToldOnce() throws {
    _ = try folder.write("10.0.0.1\n", to: "bad.txt")
    let engine = try engine("create list Bad from 'bad.txt';\n@Name('s') select s from E(a in Bad);")
    _ = try folder.write("192.0.2.0/24\n192.0.3.\n", to: "bad.txt")
    _ = engine.checkLists(at: 1000)
    let notices = engine.checkLists(at: 2000)
    guard case .refused(let info, let mistakes)? = notices.first else { return #expect(Bool(false), "\(notices)") }
    #expect(info.count == 1)
    #expect(mistakes.map(\.line) == ["\(folder.path)/bad.txt:2:1: error: \"192.0.3.\" is no address and no prefix"])
    #expect(try passing(engine, addresses) == ["10.0.0.1"])
    #expect(engine.checkLists(at: 3000).isEmpty)
    _ = try folder.write("192.0.3.7\n", to: "bad.txt")
    _ = engine.checkLists(at: 4000)
    #expect(engine.checkLists(at: 5000).count == 1)
    #expect(try passing(engine, addresses) == ["192.0.3.7"])
  }

  /// Whoever writes the file has written half of it, to the middle of a line that is an address as it stands.
  @Test func unfinishedLineIsWaitedFor() throws {
    _ = try folder.write("10.0.0.1\n", to: "bad.txt")
    let engine = try engine("create list Bad from 'bad.txt';\n@Name('s') select s from E(a in Bad);")
    _ = try folder.write("192.0.2.1", to: "bad.txt")
    for second in 1...5 { #expect(engine.checkLists(at: Int64(second * 1000)).isEmpty) }
    _ = try folder.write("192.0.2.17\n", to: "bad.txt")
    _ = engine.checkLists(at: 6000)
    #expect(engine.checkLists(at: 7000).count == 1)
    _ = try folder.write("192.0.2.7", to: "bad.txt")
    let taken = (8...20).first { !engine.checkLists(at: Int64($0 * 1000)).isEmpty }
    #expect(taken == 13)
    #expect(try passing(engine, addresses) == ["192.0.2.7"])
  }

  @Test func missingFileLeavesTheOldList() throws {
    let path = try folder.write("10.0.0.1\n", to: "bad.txt")
    let engine = try engine("create list Bad from 'bad.txt';\n@Name('s') select s from E(a in Bad);")
    try FileManager.default.removeItem(atPath: path)
    let notices = engine.checkLists(at: 1000)
    guard case .refused(_, let mistakes)? = notices.first else { return #expect(Bool(false), "\(notices)") }
    #expect(mistakes.map(\.line) == ["\(path): error: the file is gone"])
    #expect(engine.checkLists(at: 2000).isEmpty)
    #expect(try passing(engine, addresses) == ["10.0.0.1"])
  }
}
