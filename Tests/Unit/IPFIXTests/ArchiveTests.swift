import IPFIX
import PluginABI
import RecordBatch
import Testing

/// Templates of UDP exporters that outlive the collector.
@Suite struct ArchiveTests {
  private func session(_ host: UInt8, port: UInt16) -> Session {
    var description = flowcep_session()
    (description.transport, description.remote_port) = (UInt16(FLOWCEP_TRANSPORT_UDP), port)
    withUnsafeMutableBytes(of: &description.remote_address) { $0[15] = host }
    return Session(copying: description, name: "test")
  }

  private func decode(_ messages: [[UInt8]], _ session: Session, _ decoder: Decoder, seconds: UInt64 = 1_700_000_000) -> Int {
    messages.reduce(0) { count, message in
      let buffer = Buffer(capacity: message.count)
      buffer.bytes.copyMemory(from: message, byteCount: message.count)
      let batch = BatchStorage(kind: .records, buffer: buffer, byteCount: message.count)
      let packet = flowcep_packet(session: session.raw, arrival_ns: seconds * 1_000_000_000, offset: 0, length: UInt32(message.count))
      withUnsafePointer(to: packet) { decoder.decode(UnsafeBufferPointer(start: $0, count: 1), into: batch) }
      return count + batch.recordCount
    }
  }

  /// What an exporter has defined, as a text.
  private func text() -> String {
    let first = session(1, port: 4000)
    let decoder = Decoder(registry: Decoding.shipped)
    _ = decode([Example.message(), NetFlowTests.message9(NetFlowTests.template)], first, decoder)
    var archive = TemplateArchive()
    archive.update(from: first)
    return archive.text
  }

  private func restored(_ text: String) -> Decoder {
    let decoder = Decoder(registry: Decoding.shipped)
    decoder.archive = TemplateArchive(text)
    return decoder
  }

  @Test func aTextReadsBackAsItWas() {
    #expect(text().split(separator: "\n").count == 4)
    #expect(TemplateArchive(text()).text == text())
    #expect(text().contains("39499/2:65535"))
  }

  @Test func recordsAfterTheRestartAreUnderstood() {
    let decoder = restored(text())
    let again = session(1, port: 4000)
    #expect(
      decode(
        [Example.data(2, sequence: 6), NetFlowTests.message9(sequence: 9, NetFlowTests.set(260, NetFlowTests.record))], again, decoder) == 3
    )
    #expect(decoder.counts.restoredRecords == 3)
    #expect(decoder.counts.templates == 0)
    // A definition confirms it.
    #expect(decode([Example.template(Example.fixed, sequence: 8), Example.data(1, sequence: 8)], again, decoder) == 1)
    #expect(decoder.counts.restoredRecords == 3)
  }

  @Test func portsMayChangeAddressesNot() {
    let decoder = restored(text())
    #expect(decode([Example.data(2, sequence: 6)], session(1, port: 4001), decoder) == 2)
    #expect(decode([Example.data(2, sequence: 6)], session(2, port: 4000), decoder) == 0)
  }

  @Test func aFurtherPortOfAnExporterThatIsThereIsAnotherExporter() {
    let decoder = restored(text())
    #expect(decode([Example.data(2, sequence: 6)], session(1, port: 4000), decoder) == 2)
    #expect(decode([Example.data(2, sequence: 6)], session(1, port: 4001), decoder) == 0)
  }

  @Test func whatHasNoLifeTimeIsValidUntilItsSessionsLastMessage() {
    let first = session(1, port: 4000)
    let decoder = Decoder(registry: Decoding.shipped)
    _ = decode([Example.message()], first, decoder)
    _ = decode([Example.data(1, sequence: 6)], first, decoder, seconds: 1_700_086_400)
    var archive = TemplateArchive()
    archive.update(from: first)
    let later = restored(archive.text)
    #expect(decode([Example.data(1, sequence: 7)], session(1, port: 4000), later, seconds: 1_700_087_000) == 1)
    // Restored and not confirmed, it does not get older by being kept again.
    let again = session(1, port: 4000)
    _ = decode([Example.data(1, sequence: 7)], again, later, seconds: 1_700_088_000)
    archive.update(from: again)
    #expect(archive.text.contains(" 1700086400 ") && !archive.text.contains(" 1700088000 "))
  }

  @Test func archivesAreBoundedByTheAddressThatTakesMost() {
    let decoder = Decoder(registry: Decoding.shipped)
    var archive = TemplateArchive()
    for port in 1...20 {
      let flood = session(66, port: UInt16(port))
      _ = decode([Example.message()], flood, decoder, seconds: 1_700_000_000 + UInt64(port))
      archive.update(from: flood)
    }
    let honest = session(1, port: 4000)
    _ = decode([Example.message()], honest, decoder)
    archive.update(from: honest)
    archive.bound(exporters: 5)
    let exporters = Set(archive.text.split(separator: "\n").map { $0.split(separator: " ").prefix(2).joined(separator: " ") })
    #expect(exporters.count == 5)
    #expect(exporters.contains { $0.hasSuffix("01 4000") })
    #expect(exporters.contains { $0.hasSuffix(" 20") } && !exporters.contains { $0.hasSuffix(" 16") })
  }

  @Test func anotherDefinitionReplacesIt() {
    let decoder = restored(text())
    let again = session(1, port: 4000)
    let other = TemplateRecord(id: 256, fields: [.init(element: 8, length: 4)])
    #expect(decode([Example.template(other), Example.data(1, sequence: 6)], again, decoder) == 2)
    #expect(decoder.counts.redefinitions == 0 && decoder.counts.restoredRecords == 0)
  }

  @Test func itGrowsOld() {
    let decoder = restored(text())
    #expect(decode([Example.data(1, sequence: 6)], session(1, port: 4000), decoder, seconds: 1_700_001_700) == 1)
    #expect(decode([Example.data(1, sequence: 6)], session(1, port: 4000), decoder, seconds: 1_700_001_900) == 0)
  }

  @Test func dataThatDoesNotFitDropsIt() {
    let decoder = restored(text())
    let again = session(1, port: 4000)
    var message = Example.data(1, sequence: 6)
    message += [1, 2, 3, 4]
    (message[3], message[19]) = (UInt8(message.count), UInt8(message.count - 16))
    #expect(decode([message, Example.data(1, sequence: 7)], again, decoder) == 0)
    #expect(decoder.decoder(of: again).waitingCount == 2)
  }

  @Test func aRestartOfTheExporterDropsIt() {
    let decoder = restored(text())
    let again = session(1, port: 4000)
    #expect(decode([Example.data(1, sequence: 500, exportTime: 100), Example.data(1, sequence: 0, exportTime: 200)], again, decoder) == 2)
    #expect(decode([Example.data(1, sequence: 1, exportTime: 201)], again, decoder) == 0)
  }

  @Test func nonsenseIsLeftOut() {
    let good = text()
    let words = "00000000000000000000000000000001 4000 10 7 256 - 1 8:4"
    for bad in [
      "", "x", words + " 9", words + " 1/2/3:4", words.replacing("8:4", with: "8:0"), words.replacing("-", with: "9"), "0 " + words,
    ] {
      #expect(TemplateArchive(bad + "\n").text == "")
      #expect(TemplateArchive(good + bad + "\n" + good).text.contains("39499/2:65535"))
    }
    #expect(TemplateArchive(words + "\n").text == words + "\n")
    // A line that is not whole may look like one, and says something else.
    #expect(TemplateArchive(words).text == "")
  }

  @Test func theYoungerTextCounts() {
    let line = "00000000000000000000000000000001 4000 10 7 256 - "
    let other = line.replacing(" 256 ", with: " 257 ")
    let (old, young) = (line + "1 8:4\n" + other + "1 8:4\n", line + "2 12:4\n")
    for texts in [[old, young], [young, old]] {
      let lines = TemplateArchive(texts).text.split(separator: "\n").map(String.init)
      #expect(lines.sorted() == [line + "2 12:4", other + "1 8:4"])
    }
  }

  @Test func whatListsReferToIsKeptAsWell() {
    // A record of template 300 holds a list of records of template 301.
    let list = TemplateRecord(id: 300, fields: [.init(element: 292, length: Wire.variableLength)])
    let item = TemplateRecord(id: 301, fields: [.init(element: 8, length: 4)])
    let first = session(1, port: 4000)
    let decoder = Decoder(registry: Decoding.shipped)
    _ = decode([Example.template(list), Example.template(item)], first, decoder)
    var archive = TemplateArchive()
    archive.update(from: first)
    let later = restored(archive.text)
    let record: [UInt8] = [7, 3, 1, 45, 192, 0, 2, 1]
    #expect(decode([Export.ipfix(Export.set(300, record))], session(1, port: 4001), later) == 1)
    #expect(later.counts.unreadableLists == 0 && later.counts.restoredRecords == 1)
  }

  @Test func whatDoesNotFitIsPutBackOnce() {
    let decoder = restored(text())
    let again = session(1, port: 4001)
    let long = Export.ipfix(Export.set(256, [UInt8](repeating: 1, count: 500) + [1, 2, 3, 4, 5]))
    for _ in 0..<3 { #expect(decode([long], again, decoder) == 0) }
    #expect(decoder.decoder(of: again).waitingCount == 3 && decoder.counts.restoredRecords == 0)
  }

  /// Sources that nobody knows, of an address of which much is kept: each costs what its own bytes cost.
  @Test func newSourcesCostNothingHoweverMuchIsKept() {
    var lines = ""
    for port in 1...60 {
      for id in 1000..<2000 { lines += "00000000000000000000000000000001 \(port) 10 7 \(id) - 1699999999 8:4 12:4 1:8 2:8\n" }
    }
    let decoder = restored(lines)
    let orphan = Export.ipfix(Export.set(1001, [1, 2, 3, 4, 5, 6, 7, 8]), Export.set(999, [1]))
    _ = decode([orphan], session(1, port: 999), decoder)
    let seconds = CostTests.processorTime()
    let sessions = (1000..<3000).map { session(1, port: $0) }
    for session in sessions { _ = decode([orphan], session, decoder) }
    #expect(CostTests.processorTime() - seconds < 1.5)
    #expect(decoder.decoder(of: sessions[0]).templatesKnown == 0)
  }
}
