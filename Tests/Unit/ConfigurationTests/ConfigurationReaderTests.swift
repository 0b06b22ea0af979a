import Configuration
import Diagnostics
import Foundation
import Testing

private let tcpToJSON = """
  <ipfix xmlns="urn:ietf:params:xml:ns:yang:ietf-ipfix-psamp">
    <collectingProcess>
      <name>in</name>
      <tcpCollector><name>t</name><localPort>4740</localPort></tcpCollector>
      <exportingProcess>out</exportingProcess>
    </collectingProcess>
    <exportingProcess>
      <name>out</name>
      <destination>
        <name>lines</name>
        <fileWriter><fileFormat>json</fileFormat><output><type>print</type></output></fileWriter>
      </destination>
    </exportingProcess>
  </ipfix>
  """

@Suite struct ConfigurationReaderTests {
  @Test func readsIpfixcolForm() throws {
    let (configuration, lines) = read(tcpToJSON)
    #expect(lines == [])
    let read = try #require(configuration)
    let input = try #require(read.collectingProcesses.first?.inputs.first)
    #expect(input.plugin == "tcp" && input.name == "t")
    #expect(input.values.integer("localPort") == 4740)
    #expect(input.values.text("localIPAddress") == "127.0.0.1")
    let destination = try #require(read.exportingProcesses.first?.destinations.first)
    #expect(destination.plugin.name == "out/lines")
    #expect(destination.plugin.values["output"].first?.group?.text("type") == "print")
    #expect(destination.queue.policy == .block)
    #expect(read.stopTimeoutNanoseconds == 10_000_000_000)
  }

  @Test func readsElementNamedAfterPlugin() throws {
    let xml = tcpToJSON.replacingOccurrences(
      of: "<fileWriter><fileFormat>json</fileFormat><output><type>print</type></output></fileWriter>",
      with: "<json><wait>250 ms</wait><output><type>send</type></output></json><queue><policy>block</policy><bytes>1 MiB</bytes></queue>")
    let (configuration, lines) = read(xml)
    #expect(lines == [])
    let destination = try #require(configuration?.exportingProcesses.first?.destinations.first)
    #expect(destination.plugin.values.integer("wait") == 250_000_000)
    #expect(destination.queue.policy == .block && destination.queue.bytes == 1 << 20)
  }

  @Test func reportsEveryMistakeWithPlaceAndSuggestion() {
    let xml = """
      <ipfix>
        <collectingProces/>
        <collectingProcess>
          <tcpColector/>
          <tcpCollector><localPort>99999</localPort><localPort>1</localPort><locaPort>2</locaPort></tcpCollector>
          <exportingProcess>uot</exportingProcess>
        </collectingProcess>
        <exportingProcess>
          <name>out</name>
          <destination><json><tcpFlags>formatd</tcpFlags><output><typ>x</typ></output></json></destination>
        </exportingProcess>
      </ipfix>
      """
    #expect(
      read(xml).lines == [
        #"startup.xml:2:3: error: unknown option "collectingProces" in "ipfix" (did you mean "collectingProcess"?)"#,
        #"startup.xml:4:5: error: unknown element "tcpColector": there is no input plugin of that name (did you mean "tcpCollector"?)"#,
        #"startup.xml:5:30: error: "localPort": expected a whole number in 0..65535, found "99999""#,
        #"startup.xml:5:47: error: "localPort" may stand only once in input "tcp" (first in line 5)"#,
        #"startup.xml:5:71: error: unknown option "locaPort" in input "tcp" (did you mean "localPort"?)"#,
        #"startup.xml:6:23: error: no exporting process is named "uot" (did you mean "out"?)"#,
        #"startup.xml:10:34: error: "tcpFlags": expected raw or formatted, found "formatd" (did you mean "formatted"?)"#,
        #"startup.xml:10:52: error: missing "type" in "output" of output "json": how"#,
        #"startup.xml:10:60: error: unknown option "typ" in "output" of output "json" (did you mean "type"?)"#,
      ])
  }

  @Test func takesMisspelledValueWithWarning() throws {
    let xml = tcpToJSON.replacingOccurrences(of: "</fileFormat>", with: "</fileFormat><tcpFlags>formated</tcpFlags>")
    let (configuration, lines) = read(xml)
    #expect(lines == [#"startup.xml:11:58: warning: "tcpFlags": "formated" is taken for "formatted" (write "formatted")"#])
    #expect(configuration?.exportingProcesses.first?.destinations.first?.plugin.values.text("tcpFlags") == "formatted")
  }

  @Test func neverPrintsSecrets() throws {
    let xml = tcpToJSON.replacingOccurrences(
      of: "</fileFormat>", with: "</fileFormat><password>hush</password><password>hush</password>")
    var diagnostics = DiagnosticList()
    let root = try #require(XMLReader.read(text: Array(xml.utf8), name: "s.xml", folder: "/", into: &diagnostics))
    var reader = ConfigurationReader(catalog: StandInCatalog())
    let found = reader.read(root).diagnostics.all
    #expect(found.count == 1)
    #expect(!found.map(\.line).joined().contains("hush"))
  }

  @Test func mapsIpfixcolPlugins() throws {
    let chain = "<intermediatePlugins><timenow/><anonymization_ip><type>truncation</type></anonymization_ip><hooks/></intermediatePlugins>"
    let (configuration, lines) = read(tcpToJSON.replacingOccurrences(of: "</ipfix>", with: chain + "\n</ipfix>"))
    #expect(lines.count == 1 && lines[0].contains("warning: ipfixcol's \"hooks\" is not here"))
    let plugins = try #require(configuration?.intermediates)
    #expect(plugins.map(\.plugin) == ["timestamp", "anonymize"])
    #expect(plugins[0].values.text("mode") == "timenow")
  }

  @Test(arguments: [
    ("<sctpCollector/>", "error: ipfixcol's \"sctpCollector\" is not here: SCTP is not supported"),
    ("<tcpCollector/><statisticsFile>/tmp/x</statisticsFile>", "warning: \"statisticsFile\" is ipfixcol's and is left out"),
    ("<tcpCollector><localIPAddress/></tcpCollector>", "warning: empty \"localIPAddress\" in input \"tcp\" listens on all addresses"),
    ("<tcpCollector><transportLayerSecurity/></tcpCollector>", "error: \"transportLayerSecurity\" is not supported yet"),
    ("<tcpCollector><allow>10.0.0.0/33</allow></tcpCollector>", "error: \"allow\": expected an IP address or prefix"),
    ("<udpCollector/>", "warning: the queue of \"out/lines\" blocks behind UDP"),
    ("<fileReader><file>gone.ipfix</file></fileReader>", "no such file: /nowhere/gone.ipfix, nor /share/gone.ipfix"),
    ("<fileReader/>", "error: missing \"file\" in input \"file\": what to read"),
  ])
  func reportsInput(_ input: String, _ expected: String) {
    let xml = tcpToJSON.replacingOccurrences(
      of: "<tcpCollector><name>t</name><localPort>4740</localPort></tcpCollector>", with: input)
    let lines = read(xml, share: "/share").lines
    #expect(lines.contains { $0.contains(expected) }, "\(lines)")
  }

  @Test func reportsCycleWithItsPath() {
    func process(_ name: String, to next: String) -> String {
      "<exportingProcess><name>\(name)</name><destination><cep><exportTo>\(next)</exportTo></cep></destination></exportingProcess>\n"
    }
    let xml = tcpToJSON.replacingOccurrences(of: "</ipfix>", with: process("a", to: "b") + process("b", to: "a") + "</ipfix>")
    #expect(read(xml).lines.contains { $0.contains("error: the wiring is cyclic: a → b → a") })
  }

  @Test func refusesAttributesAndStrayText() {
    let xml = tcpToJSON.replacingOccurrences(of: "<name>t</name><localPort>4740", with: "stray<localPort unit=\"x\">4740")
    #expect(
      read(xml).lines == [
        #"startup.xml:4:19: error: text between the elements of "tcpCollector""#,
        #"startup.xml:4:24: error: "localPort" has no attributes, found "unit" (write <unit>…</unit> inside)"#,
      ])
  }

  @Test func recognisesOtherRoots() {
    #expect(read("<ipfixcol2/>").lines.first?.contains("docs/guides/from-ipfixcol.md") == true)
    #expect(read("<ipfx/>").lines == [#"startup.xml:1:1: error: expected the root element "ipfix", found "ipfx""#])
  }

  @Test func filesBlockSinceTheyCanWait() throws {
    let capture = FileManager.default.temporaryDirectory.appendingPathComponent("flowcep-\(UUID().uuidString).ipfix")
    try Data().write(to: capture)
    defer { try? FileManager.default.removeItem(at: capture) }
    let xml =
      tcpToJSON
      .replacingOccurrences(of: "<type>print</type>", with: "<type>send</type>")
    #expect(read(xml).configuration?.exportingProcesses.first?.destinations.first?.queue.policy == .drop)
    let fromFile = xml.replacingOccurrences(
      of: "<tcpCollector><name>t</name><localPort>4740</localPort></tcpCollector>",
      with: "<fileReader><file>\(capture.lastPathComponent)</file></fileReader>")
    let result = read(fromFile, folder: capture.deletingLastPathComponent().path)
    #expect(result.lines == [])
    #expect(result.configuration?.exportingProcesses.first?.destinations.first?.queue.policy == .block)
  }

  @Test func warnsOfOpenKeyFile() throws {
    let key = FileManager.default.temporaryDirectory.appendingPathComponent("flowcep-\(UUID().uuidString).key")
    try Data("k".utf8).write(to: key)
    defer { try? FileManager.default.removeItem(at: key) }
    let chain = "<intermediatePlugins><anonymize><keyFile>\(key.path)</keyFile></anonymize></intermediatePlugins></ipfix>"
    let xml = tcpToJSON.replacingOccurrences(of: "</ipfix>", with: chain)
    try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: key.path)
    #expect(read(xml).lines.contains { $0.contains("warning: others can read the key file") && $0.contains("(mode 0644)") })
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: key.path)
    #expect(read(xml).lines == [])
  }
}
