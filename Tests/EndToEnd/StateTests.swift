import Foundation
import TestSupport
import Testing

/// State that outlives the collector: half of a capture, a stop, the other half.
@Suite(.serialized) struct StateTests {
  private static let modules = SharedFolder.repository.path + "/queries/"

  private static func configuration(input: String, state: String) -> String {
    """
    <ipfix>
      <collectingProcess>\(input)<exportingProcess>detect</exportingProcess></collectingProcess>
      <exportingProcess><name>detect</name>
        <destination><name>detections</name>
          <cep>
            <module>\(modules)http-attack.epl</module><module>\(modules)vertical-scan.epl</module>
            <statement>PortScan</statement><statement>HTTPScan</statement><statement>BruteForce</statement>
            <statement>MultiStageHTTP</statement><statement>VerticalScan</statement>
            <exportTo>alerts</exportTo>\(state)
          </cep>
        </destination>
      </exportingProcess>
      <exportingProcess><name>alerts</name>
        <destination><name>lines</name><fileWriter><fileFormat>json</fileFormat>
          <output><type>file</type><path>@FOLDER@/alerts/</path><prefix>alerts.</prefix></output></fileWriter>
        </destination>
      </exportingProcess>
    </ipfix>
    """
  }

  private static func file(_ name: String) -> String { "<fileReader><file>@FOLDER@/\(name)</file></fileReader>" }
  private static let kept = "<stateFile>@FOLDER@/state</stateFile><checkpointInterval>1 s</checkpointInterval>"

  /// The messages of a capture.
  private static func messages(_ capture: Data) -> [Data] {
    var messages: [Data] = []
    var start = capture.startIndex
    while start + 16 <= capture.endIndex {
      let length = Int(capture[start + 2]) << 8 | Int(capture[start + 3])
      guard length >= 16, start + length <= capture.endIndex else { break }
      messages.append(capture[start..<(start + length)])
      start += length
    }
    return messages
  }

  /// A message's template sets alone: what a capture that begins in the middle needs.
  private static func templates(of message: Data) -> Data? {
    var sets = Data()
    var start = message.startIndex + 16
    while start + 4 <= message.endIndex {
      let id = Int(message[start]) << 8 | Int(message[start + 1])
      let length = max(4, Int(message[start + 2]) << 8 | Int(message[start + 3]))
      if id == 2 || id == 3 { sets += message[start..<min(start + length, message.endIndex)] }
      start += length
    }
    if sets.isEmpty { return nil }
    var header = Data(message.prefix(16))
    header[2] = UInt8((sets.count + 16) >> 8)
    header[3] = UInt8((sets.count + 16) & 0xff)
    return header + sets
  }

  private static func alerts(_ folder: TemporaryFolder, _ collector: Collector) throws -> [String] {
    try collector.lines(ofFiles: "alerts/alerts.").sorted()
  }

  private static func split(_ folder: TemporaryFolder, at share: Double) throws {
    let made = try Program.run(["generate", "-o", folder.path + "/whole.ipfix", "--seed", "11"])
    #expect(made.code == 0, "\(made.error)")
    let messages = try messages(Data(contentsOf: URL(fileURLWithPath: folder.path + "/whole.ipfix")))
    let cut = Int(Double(messages.count) * share)
    try messages[..<cut].reduce(Data(), +).write(to: URL(fileURLWithPath: folder.path + "/first.ipfix"))
    let templates = messages[..<cut].compactMap(templates).reduce(Data(), +)
    try (templates + messages[cut...].reduce(Data(), +)).write(to: URL(fileURLWithPath: folder.path + "/second.ipfix"))
  }

  private static func run(_ folder: TemporaryFolder, _ input: String, _ state: String) throws -> Collector {
    let collector = try Collector(configuration(input: input, state: state), folder: folder)
    #expect(try collector.ended().closes)
    return collector
  }

  @Test(arguments: [0.31, 0.45, 0.52]) func halvesGiveTheAlertsOfTheWhole(_ share: Double) throws {
    let (one, two) = (try TemporaryFolder(), try TemporaryFolder())
    try Self.split(one, at: share)
    let whole = try Self.alerts(one, try Self.run(one, Self.file("whole.ipfix"), ""))
    #expect(whole.count > 10 && whole.contains { $0.contains("MultiStageHTTP") })
    try Self.split(two, at: share)
    _ = try Self.run(two, Self.file("first.ipfix"), Self.kept)
    let second = try Self.run(two, Self.file("second.ipfix"), Self.kept)
    #expect(try Self.alerts(two, second) == whole)
    #expect(second.process.errorText.contains("s ago restored after"))
    #expect(!second.process.errorText.contains("was not stopped in order"))
  }

  @Test func aKilledCollectorGoesOnFromItsLastCheckpointAndSaysSo() throws {
    let folder = try TemporaryFolder()
    try Self.split(folder, at: 0.5)
    let tcp = "<tcpCollector><localPort>0</localPort></tcpCollector>"
    let first = try Collector(Self.configuration(input: tcp, state: Self.kept), folder: folder, arguments: ["-v", "3"])
    let port = try first.port("tcp")
    let sent = try Program.run(["send", "-i", folder.path + "/first.ipfix", "-d", "127.0.0.1", "-p", port, "-t", "TCP", "-n", "1"])
    #expect(sent.code == 0, "\(sent.error)")
    try first.process.waitForErrorLine("state saved after")
    first.process.signal(SIGKILL)
    _ = try? first.process.waitForExit()
    let second = try Self.run(folder, Self.file("second.ipfix"), Self.kept)
    #expect(second.process.errorText.contains("was not stopped in order"), "\(second.process.errorText)")
    #expect(second.process.errorText.contains("at most 1 s of records"))
    #expect(second.process.errorText.contains("MultiStageHTTP"))
  }

  @Test func faultyStateIsKeptAsideAndSaid() throws {
    let folder = try TemporaryFolder()
    try Self.split(folder, at: 0.5)
    try folder.write("not a state at all", to: "state")
    let collector = try Self.run(folder, Self.file("first.ipfix"), Self.kept)
    #expect(
      collector.process.errorText.contains("cannot be used: it is no state of FlowCEP; it is kept as"), "\(collector.process.errorText)")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(names.contains { $0.hasPrefix("state.refused-") } && names.contains("state") && !names.contains("state.new"))
  }

  @Test func flushAndStateExcludeEachOther() throws {
    let folder = try TemporaryFolder()
    try folder.write("", to: "a.ipfix")
    let text = Self.configuration(input: Self.file("a.ipfix"), state: Self.kept + "<atEnd>flush</atEnd>")
    let file = try folder.write(text.replacingOccurrences(of: "@FOLDER@", with: folder.path), to: "startup.xml")
    let result = try Program.run(["check", "-c", file])
    #expect(result.code == 2 && result.error.contains("atEnd \"flush\" closes windows that stateFile is to keep open"), "\(result.error)")
  }

  /// Statements whose state can grow are named by `check`, with their place.
  @Test func growingStateIsNamedByCheck() throws {
    let folder = try TemporaryFolder()
    try folder.write("", to: "a.ipfix")
    try folder.write("@Name('p')\nselect * from pattern [every a=IPFIX -> b=IPFIX(ipfix.protocolIdentifier = 1)];\n", to: "grow.epl")
    let text = Self.configuration(input: Self.file("a.ipfix"), state: "").replacingOccurrences(
      of: "<module>\(Self.modules)http-attack.epl</module>", with: "<module>@FOLDER@/grow.epl</module>")
    let plain = text.replacing(/<statement>[A-Za-z]*<\/statement>/, with: "")
    let file = try folder.write(plain.replacingOccurrences(of: "@FOLDER@", with: folder.path), to: "startup.xml")
    let result = try Program.run(["check", "-c", file])
    #expect(result.code == 0)
    #expect(
      result.error.contains("grow.epl:2:24: warning: state can grow without bound: each match of this part waits for what follows"),
      "\(result.error)")
    #expect(result.output.contains("with 1 warning"))
  }
}
