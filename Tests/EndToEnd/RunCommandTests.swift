import Foundation
import TestSupport
import Testing

/// `flowcep run` as an operator meets it: what it returns, what it says, how it goes into the background.
@Suite struct RunCommandTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func configuration(port: String) -> String {
    """
    <ipfix>
      <collectingProcess>
        <tcpCollector><localPort>\(port)</localPort></tcpCollector>
        <exportingProcess>out</exportingProcess>
      </collectingProcess>
      <exportingProcess><name>out</name><destination><name>count</name><count/></destination></exportingProcess>
    </ipfix>
    """
  }

  @Test func mistakesExitWith2AndAreAllNamed() throws {
    let file = try folder.write("<ipfix>\n  <collectingProces/>\n  <exportingProcess/>\n</ipfix>", to: "startup.xml")
    for command in ["run", "check"] {
      let result = try Program.run([command, "-c", file])
      #expect(result.code == 2)
      #expect(result.error.contains("startup.xml:2:3: error: unknown option \"collectingProces\""), "\(result.error)")
      #expect(result.error.contains("did you mean \"collectingProcess\"?"))
      #expect(result.error.contains("startup.xml:3:3: error: missing \"name\""))
      #expect(result.output == "")
    }
  }

  @Test func wrongCommandLineExitsWith2() throws {
    #expect(try Program.run(["run"]).code == 2)
    #expect(try Program.run(["run", "-c", "x", "-v", "9"]).code == 2)
    let missing = try Program.run(["run", "-c", folder.path + "/nowhere.xml"])
    #expect(missing.code == 2)
    #expect(missing.error.contains("cannot read \(folder.path)/nowhere.xml: No such file or directory"))
  }

  @Test func portInUseNamesAddressPortAndOption() throws {
    let first = try Collector(configuration(port: "0"), folder: folder)
    let port = try first.port("tcp")
    let file = try folder.write(configuration(port: port), to: "second.xml")
    let second = try Program.run(["run", "-c", file])
    #expect(second.code == 1)
    #expect(second.error.contains("127.0.0.1:\(port)") && second.error.contains("localPort"), "\(second.error)")
    #expect(try first.stop().closes)
  }

  @Test func standardOutputCarriesDataOnly() throws {
    let collector = try Collector(configuration(port: "0"), folder: folder)
    _ = try collector.port("tcp")
    try collector.process.waitForErrorLine("info collector: running")
    #expect(try collector.stop().closes)
    #expect(collector.process.outputText == "out/count: 0 records, 0 bytes\n")
    let time = #"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (error|warning|info|debug) [^:]+: "#
    for line in collector.process.errorLines { #expect(line.range(of: time, options: .regularExpression) != nil, "\(line)") }
  }

  @Test func destinationsChooseDomains() throws {
    for domain in 1...3 {
      let made = try Program.run([
        "generate", "-o", folder.path + "/\(domain).ipfix", "--records", "\(domain)000", "--duration", "60", "--no-attack", "--domain",
        "\(domain)",
      ])
      #expect(made.code == 0, "\(made.error)")
    }
    func destination(_ name: String, _ domain: String) -> String {
      "<destination><name>\(name)</name>\(domain)<count/></destination>"
    }
    let file = try folder.write(
      """
      <ipfix>
        <collectingProcess><fileReader><file>*.ipfix</file></fileReader><exportingProcess>out</exportingProcess></collectingProcess>
        <exportingProcess><name>out</name>
          \(destination("second", "<observationDomainId>2</observationDomainId>"))\(destination("others", ""))
        </exportingProcess>
      </ipfix>
      """, to: "startup.xml")
    let result = try Program.run(["run", "-c", file])
    #expect(result.code == 0, "\(result.error)")
    let ledger = try #require(LedgerLine(standardError: result.error), "\(result.error)")
    #expect(ledger.closes && ledger.received == 6000, "\(result.error)")
    #expect(ledger["output", "out/second"]?.delivered == 2000)
    #expect(ledger["output", "out/others"]?.delivered == 4000)
  }

  @Test func daemonReturnsWhenItListens() throws {
    let file = try folder.write(configuration(port: "0"), to: "startup.xml")
    let pidFile = folder.path + "/pid"
    let parent = try Program.run(["run", "-d", "-c", file, "--pid-file", pidFile])
    #expect(parent.code == 0, "\(parent.error)")
    #expect(parent.error.contains("listening on tcp 127.0.0.1:"))
    let pid = try #require(pid_t(folder.text(of: "pid").trimmingCharacters(in: .whitespacesAndNewlines)))
    #expect(getsid(pid) == pid)
    // tail ends when that process has ended.
    let watcher = try RunningProcess("tail", ["--pid=\(pid)", "-s", "0.05", "-f", "/dev/null"])
    kill(pid, SIGTERM)
    #expect(try watcher.waitForExit() == 0)
    #expect(!FileManager.default.fileExists(atPath: pidFile))
  }

  @Test func daemonReturnsWithTheChildsErrors() throws {
    let file = try folder.write("<ipfix><tcpColector/></ipfix>", to: "startup.xml")
    let parent = try Program.run(["run", "-d", "-c", file])
    #expect(parent.code == 2)
    #expect(parent.error.contains("startup.xml:1:8: error: unknown option \"tcpColector\""))
  }

  @Test func pluginsAreListedFromTheirTables() throws {
    let all = try Program.run(["plugins"])
    #expect(all.code == 0, "\(all.error)")
    for line in ["input tcp ", "input udp ", "input file ", "intermediate anonymize ", "output json ", "output cep ", "output count "] {
      #expect(all.output.contains(line), "\(all.output)")
    }
    let tcp = try Program.run(["plugins", "tcp"])
    #expect(tcp.output.contains("<localPort>  integer, 0..65535, default 4739"), "\(tcp.output)")
    #expect(try Program.run(["plugins", "nosuch"]).code == 2)
  }

  @Test func shippedConfigurationIsGood() throws {
    let result = try Program.run(["check", "-c", SharedFolder.repository.path + "/config/startup.xml"])
    #expect(result.code == 0 && result.error == "", "\(result.error)")
  }

  /// What the shipped configuration shows in comments is right too: each comment that holds elements is opened, one at a time.
  @Test func shippedCommentsAreGood() throws {
    let shipped = try String(contentsOfFile: SharedFolder.repository.path + "/config/startup.xml", encoding: .utf8)
      .replacingOccurrences(of: "../queries/", with: SharedFolder.repository.path + "/queries/")
    try folder.write(String(repeating: "k", count: 32), to: "anonymize.key")
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: folder.path + "/anonymize.key")
    try folder.write("<elements enterprise=\"4242\"><element id=\"1\" name=\"own\" type=\"string\"/></elements>", to: "my-elements.xml")
    try folder.write("", to: "captures/a.ipfix")
    _ = try Certificates(in: folder)
    var opened = 0
    for start in shipped.ranges(of: "<!--") {
      guard let end = shipped[start.upperBound...].range(of: "-->") else { continue }
      let comment = shipped[start.upperBound..<end.lowerBound]
      guard let first = comment.range(of: ":\n"), comment[first.upperBound...].contains("</") else { continue }
      let elements = comment[first.upperBound...]
      let text = shipped.replacingCharacters(in: start.lowerBound..<end.upperBound, with: elements)
      // A comment's sibling may be what it stands for, and the process that gets all flows is itself in a comment.
      let isAlternative = elements.contains("<localIPAddress>") || elements.contains("<exportingProcess>flows")
      let result = try Program.run(["check", "-c", try folder.write(text, to: "startup.xml")])
      #expect(isAlternative || result.code == 0, "\(elements)\n\(result.error)")
      opened += 1
    }
    #expect(opened >= 7)
  }

  /// An ipfixcol user's file: what is known is wired, what is missing is said, all in one go.
  @Test func ipfixcolConfigurationLoads() throws {
    let file = try folder.write(
      """
      <?xml version="1.0" encoding="UTF-8"?>
      <ipfix xmlns="urn:ietf:params:xml:ns:yang:ietf-ipfix-psamp">
        <collectingProcess>
          <name>UDP collector</name>
          <udpCollector>
            <name>Listening port 4739</name>
            <localPort>4739</localPort>
            <templateLifeTime>1800</templateLifeTime>
            <optionsTemplateLifeTime>1800</optionsTemplateLifeTime>
            <localIPAddress/>
          </udpCollector>
          <exportingProcess>JSON output</exportingProcess>
          <statisticsFile>/tmp/statistics</statisticsFile>
        </collectingProcess>
        <exportingProcess>
          <name>JSON output</name>
          <destination>
            <name>JSON storage plugin</name>
            <fileWriter>
              <fileFormat>json</fileFormat>
              <metadata>no</metadata>
              <tcpFlags>formated</tcpFlags>
              <timestamp>formatted</timestamp>
              <protocol>raw</protocol>
              <ignoreUnknown>yes</ignoreUnknown>
              <nonPrintableChar>yes</nonPrintableChar>
              <output><type>send</type><ip>127.0.0.1</ip><port>4444</port><protocol>udp</protocol></output>
              <output><type>file</type><path>/tmp/ipfixcol/%Y/%m</path><prefix>json.</prefix>
                <dumpInterval><timeWindow>300</timeWindow><timeAlignment>yes</timeAlignment></dumpInterval></output>
            </fileWriter>
          </destination>
          <singleManager>yes</singleManager>
        </exportingProcess>
        <intermediatePlugins><timenow/><dummy_ip/></intermediatePlugins>
      </ipfix>
      """, to: "startup.xml")
    let result = try Program.run(["check", "-c", file])
    #expect(result.code == 0, "\(result.error)")
    for text in [
      "\"statisticsFile\" is ipfixcol's and is left out", "\"formated\" is taken for \"formatted\"", "listens on all addresses",
      "ipfixcol's \"dummy_ip\" is not here: it does nothing; it is left out",
    ] {
      #expect(result.error.contains(text), "\(result.error)")
    }
  }
}
