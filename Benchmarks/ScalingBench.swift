/// How the collector's cost grows: with the number of records, of fields, of templates, of exporters.
enum ScalingBench {
  static let all: [(name: String, run: @Sendable () throws -> Void)] = [
    ("scaling-records", records),
    ("scaling-fields", fields),
    ("scaling-templates", templates),
    ("scaling-exporters-tcp", { try exporters("TCP", CollectorRun.tcp) }),
    ("scaling-exporters-udp", { try exporters("UDP", CollectorRun.udp) }),
  ]

  /// Of the capture's mix, 300,000 a minute each.
  private static func records() throws {
    for records in [2_000_000, 4_000_000, 12_000_000] {
      let capture = try BenchFiles.capture("records-\(records).ipfix", records: records, seconds: records / 5000)
      for (name, destination, more) in [
        ("discard", CollectorRun.checksum, ""), ("JSON to /dev/null", CollectorRun.jsonFile("/dev/null"), ""),
        ("detections", CollectorRun.detections, CollectorRun.alerts(CollectorRun.jsonFile("/dev/null"))),
      ] {
        let configuration = try CollectorRun.configuration(
          "scaling", input: CollectorRun.file(capture), destinations: destination, more: more)
        try CollectorRun.report("scaling-records, \(records), \(name)", records: records, runs: 3) {
          try CollectorRun.untilEnd(configuration, records: records)
        }
      }
    }
  }

  private static func fields() throws {
    for fields in [5, 10, 20, 40] {
      let shape = PlainCapture(fields: fields)
      let capture = try BenchFiles.plain("fields-\(fields).ipfix", shape)
      try file("scaling-fields, \(fields) fields, discard", capture, shape, CollectorRun.checksum)
      try file("scaling-fields, \(fields) fields, JSON to /dev/null", capture, shape, CollectorRun.jsonFile("/dev/null"))
    }
  }

  private static func templates() throws {
    for templates in [1, 10, 100, 1000] {
      let shape = PlainCapture(templates: templates)
      let capture = try BenchFiles.plain("templates-\(templates).ipfix", shape)
      try file("scaling-templates, \(templates) in turn, discard", capture, shape, CollectorRun.checksum)
      try file("scaling-templates, \(templates) in turn, JSON to /dev/null", capture, shape, CollectorRun.jsonFile("/dev/null"))
    }
  }

  private static func file(_ name: String, _ capture: String, _ shape: PlainCapture, _ destination: String) throws {
    let configuration = try CollectorRun.configuration("scaling", input: CollectorRun.file(capture), destinations: destination)
    try CollectorRun.report(name, records: shape.recordCount, runs: 3) {
      try CollectorRun.untilEnd(configuration, records: shape.recordCount)
    }
  }

  /// About a million records, from so many sockets that send in turn; every exporter has templates of its own.
  private static func exporters(_ transport: String, _ input: String) throws {
    let configuration = try CollectorRun.configuration("scaling", input: input, destinations: CollectorRun.checksum)
    for count in [1, 10, 100, 1000, 10_000] {
      let messages = max(4, 40_000 / count)
      let records = messages * count * PlainCapture.recordsPerMessage
      var account = ""
      try CollectorRun.report("scaling-exporters, \(count) over \(transport), discard", records: records, runs: 3) {
        let run = try CollectorRun.whileListening(configuration) { _, port in
          try Child([CollectorRun.own, "peer", "exporters", transport, "\(port)", "\(count)", "\(messages)"], listeningTo: 1).wait()
        }
        account = run.account
        return run.usage
      }
      print("  of \(records) records: \(account)")
    }
  }
}
