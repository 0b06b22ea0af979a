/// One pipeline to be measured: a capture is read from a file, and this is done with it.
struct Job {
  var name: String
  /// The elements inside `<destination>`.
  var destination: String
  /// Further exporting processes.
  var more = ""

  func configuration(capture: String) -> String {
    """
    <ipfix>
      <collectingProcess>
        <name>capture</name>
        <fileReader> <file>\(capture)</file> </fileReader>
        <exportingProcess>out</exportingProcess>
      </collectingProcess>
      <exportingProcess>
        <name>out</name>
        <destination> <name>\(name)</name> \(destination) </destination>
      </exportingProcess>
      \(more)
    </ipfix>

    """
  }

  /// - Parameter queries: the folder with the shipped detections.
  static func all(queries: String) -> [Job] {
    [
      Job(name: "decode and count", destination: "<count/>"),
      Job(
        name: "JSON to a file", destination: "<json> <output> <type>print</type> </output> </json>"),
      Job(
        name: "all detections",
        destination: """
          <cep> <module>\(queries)/http-attack.epl</module> <module>\(queries)/vertical-scan.epl</module>
          <exportTo>alerts</exportTo> </cep>
          """,
        more: """
          <exportingProcess>
            <name>alerts</name>
            <destination> <name>alerts</name> <count/> </destination>
          </exportingProcess>
          """),
    ]
  }
}
