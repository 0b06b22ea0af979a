import IPFIX
import PluginABI
import RecordBatch
import Testing

/// Data before its template, definitions that grow old, and what a flood can take.
@Suite struct WaitingTests {
  private func decoding(_ change: (inout DecoderLimits) -> Void = { _ in }, options: DecoderOptions = DecoderOptions()) -> Decoding {
    var limits = DecoderLimits()
    change(&limits)
    return Decoding(FLOWCEP_TRANSPORT_UDP, limits: limits, options: options)
  }

  @Test func dataWaitsForItsTemplate() {
    let decoding = decoding()
    #expect(decoding.decode(Example.data(2, sequence: 0, exportTime: 100)).isEmpty)
    #expect(decoding.decode(Example.data(1, sequence: 2, exportTime: 101)).isEmpty)
    #expect(decoding.sessionDecoder.waitingCount == 2)
    let records = decoding.decode(Example.template(Example.fixed, sequence: 3), Example.data(1, sequence: 3))
    #expect(records.count == 4)
    #expect(records.allSatisfy { $0["sourceIPv4Address"] == [192, 0, 2, 1] })
    let times = decoding.batch.view.records.map { decoding.batch.view.messages[Int($0.message_index)].export_time }
    #expect(times == [100, 100, 101, 100])
    #expect(decoding.counts.lateRecords == 3)
    #expect(decoding.counts.records == 4)
    #expect(decoding.counts[.unknownTemplate] == 0)
    #expect(decoding.sessionDecoder.waitingCount == 0 && decoding.sessionDecoder.waitingBytes == 0)
  }

  @Test func version9Waits() {
    let decoding = decoding()
    #expect(decoding.decode(NetFlowTests.message9(NetFlowTests.set(260, NetFlowTests.record))).isEmpty)
    #expect(decoding.decode(NetFlowTests.message9(sequence: 2, NetFlowTests.template)).count == 1)
  }

  @Test func waitingIsBoundedInBytes() {
    let decoding = decoding { $0.waitingBytes = 1000 }
    for sequence in 0..<20 { decoding.decode(Example.data(1, sequence: UInt32(sequence))) }
    #expect(decoding.sessionDecoder.waitingBytes <= 1000)
    let waiting = decoding.sessionDecoder.waitingCount
    #expect(waiting > 1 && decoding.counts[.unknownTemplate] == UInt64(20 - waiting))
    #expect(decoding.decode(Example.template(Example.fixed)).count == waiting)
  }

  @Test func waitingIsBoundedInTime() {
    let decoding = decoding { $0.waitingSeconds = 60 }
    decoding.decode(Example.data(1, sequence: 0))
    decoding.arrivalSeconds += 61
    #expect(decoding.decode(Example.template(Example.fixed)).isEmpty)
    #expect(decoding.counts[.unknownTemplate] == 1)
  }

  @Test func whatStillWaitsAtTheEndIsCounted() {
    let decoding = decoding()
    decoding.decode(Example.data(1, sequence: 0))
    decoding.decoder.close(decoding.session)
    #expect(decoding.counts[.unknownTemplate] == 1)
  }

  @Test func waitingRecordsThatDoNotFitAreCounted() {
    let decoding = decoding()
    decoding.decode([0, 10, 0, 24, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 1, 44, 0, 8, 1, 2, 3, 200])
    let variable = TemplateRecord(id: 300, fields: [.init(element: 82, length: Wire.variableLength)])
    #expect(decoding.decode(Example.template(variable)).isEmpty)
    #expect(decoding.counts[.badWaitingSet] == 1)
    #expect(decoding.decode(Example.message(sequence: 3)).count == 6)
  }

  // MARK: Life times

  @Test func definitionsGrowOldOverUDP() {
    var options = DecoderOptions()
    options.templateLifetimeSeconds = 100
    let decoding = decoding(options: options)
    decoding.decode(Example.template(Example.fixed))
    decoding.arrivalSeconds += 90
    decoding.decode(Example.template(Example.fixed))
    decoding.arrivalSeconds += 90
    #expect(decoding.decode(Example.data(1, sequence: 0)).count == 1)
    decoding.arrivalSeconds += 20
    #expect(decoding.decode(Example.data(1, sequence: 1)).isEmpty)
    #expect(decoding.counts.expiredTemplates == 1)
    #expect(decoding.sessionDecoder.templatesKnown == 0)
    #expect(decoding.decode(Example.template(Example.fixed)).count == 1)
  }

  @Test func optionsDefinitionsHaveALifeTimeOfTheirOwn() {
    var options = DecoderOptions()
    options.optionsTemplateLifetimeSeconds = 10
    let decoding = decoding(options: options)
    decoding.decode(Example.message())
    decoding.arrivalSeconds += 1000
    let records = decoding.decode(Example.data(1, sequence: 6))
    #expect(records.count == 1)
    var encoder = MessageEncoder(observationDomain: 7)
    encoder.addRecord(template: 400, Example.optionsRecord)
    #expect(decoding.decode(encoder.finish(exportTime: 100)).isEmpty)
  }

  @Test func definitionsGrowOldInMessages() {
    var options = DecoderOptions()
    options.templateLifetimeMessages = 3
    let decoding = decoding(options: options)
    decoding.decode(Example.template(Example.fixed))
    for sequence in 0..<3 { #expect(decoding.decode(Example.data(1, sequence: UInt32(sequence))).count == 1) }
    #expect(decoding.decode(Example.data(1, sequence: 3)).isEmpty)
    #expect(decoding.counts.expiredTemplates == 1)
  }

  // MARK: Floods

  @Test func aFloodOfTemplatesTakesNoMoreThanItsSession() {
    let flooded = decoding {
      $0.templates = 100
      $0.fields = 150
      $0.templatesPerDomain = 50
    }
    flooded.decode(Example.template(Example.fixed))
    for domain in 0..<20 {
      for id in 257..<400 {
        let template = TemplateRecord(id: UInt16(id), fields: [.init(element: 4, length: 1), .init(element: 5, length: 1)])
        flooded.decode(Example.template(template, domain: UInt32(domain)))
      }
    }
    #expect(flooded.sessionDecoder.templatesKnown <= 75)
    #expect(flooded.counts[.tooManyTemplates] > 0)
    #expect(flooded.decode(Example.data(1, sequence: 0)).count == 1)
  }

  @Test func aFloodOfOtherSessionsCostsAHealthyOneNothing() {
    let registry = Decoding.shipped
    let healthy = SessionDecoder(transport: UInt16(FLOWCEP_TRANSPORT_UDP), registry: registry)
    #expect(healthy.templatesKnown == 0)
    let good = decoding()
    good.decode(Example.template(Example.fixed))
    for _ in 0..<500 {
      let other = decoding()
      other.decode(Example.data(3, sequence: 0), Example.template(Example.options))
    }
    #expect(good.decode(Example.data(2, sequence: 0)).count == 2)
  }

  @Test func aFloodFromOneAddressCostsNobodyElse() {
    var limits = DecoderLimits()
    limits.totalBytes = 1 << 20
    let healthy = Decoding(FLOWCEP_TRANSPORT_UDP, limits: limits)
    healthy.decode(Example.template(Example.fixed))
    var sessions: [Session] = []
    for port in 0..<40 {
      var description = flowcep_session()
      (description.transport, description.remote_port) = (UInt16(FLOWCEP_TRANSPORT_UDP), UInt16(port))
      withUnsafeMutableBytes(of: &description.remote_address) { $0[15] = 66 }
      sessions.append(Session(copying: description, name: "flood"))
      for id in 256..<456 {
        let template = TemplateRecord(id: UInt16(id), fields: [.init(element: 4, length: 1), .init(element: 5, length: 1)])
        healthy.decode([Example.template(template)], of: sessions[port])
      }
      #expect(healthy.decoder.rememberedBytes <= limits.totalBytes)
    }
    #expect(healthy.counts.evictedTemplates > 0)
    #expect(healthy.decode(Example.data(2, sequence: 0)).count == 2)
    // Sessions that end give back what they had.
    sessions.removeAll()
    #expect(healthy.decoder.rememberedBytes < 10_000)
  }

  @Test func whoSendsMuchOfAnAddressKeepsItsTemplates() {
    var limits = DecoderLimits()
    limits.totalBytes = 1 << 18
    let decoding = Decoding(FLOWCEP_TRANSPORT_UDP, limits: limits)
    decoding.decode(Example.template(Example.fixed))
    for _ in 0..<50 { decoding.decode(Example.data(1, sequence: 0)) }
    let flood = (0..<200).map { port in
      var description = decoding.session.raw.pointee
      description.remote_port = UInt16(5000 + port)
      return Session(copying: description, name: "flood")
    }
    // No port of it takes more than the honest one.
    for session in flood { decoding.decode([Example.template(Example.fixed)], of: session) }
    #expect(decoding.counts.evictedTemplates > 0 && decoding.sessionDecoder.templatesKnown == 1)
    #expect(decoding.decode(Example.data(2, sequence: 0)).count == 2)
  }

  @Test func idsThatLieFarApartWeighMore() {
    func weight(_ step: UInt16) -> Int {
      let decoding = Decoding()
      for index in 1...100 {
        decoding.decode(Example.template(TemplateRecord(id: UInt16(index) * step + 256, fields: [.init(element: 4, length: 1)])))
      }
      defer { #expect(decoding.sessionDecoder.templatesKnown == 100) }
      return decoding.decoder.rememberedBytes
    }
    #expect(weight(256) - weight(1) == 99 * 2048)
    // What is withdrawn weighs nothing.
    let decoding = Decoding()
    decoding.decode(Example.template(Example.fixed))
    let before = decoding.decoder.rememberedBytes
    decoding.decode(Example.template(TemplateRecord(id: 9000, fields: [.init(element: 4, length: 1)])))
    #expect(decoding.decoder.rememberedBytes > before + 2048)
    decoding.decode(Example.template(TemplateRecord(id: 9000, fields: [])))
    #expect(decoding.decoder.rememberedBytes == before)
  }

  @Test func whatEndedSessionsHaveCountedIsFinal() {
    var limits = DecoderLimits()
    limits.totalBytes = 1 << 16
    let decoding = Decoding(FLOWCEP_TRANSPORT_UDP, limits: limits)
    decoding.decode(Example.template(Example.fixed))
    decoding.decoder.close(decoding.session)
    let ended = decoding.sessionDecoder.counts
    let others = (0..<50).map { port in
      var description = decoding.session.raw.pointee
      description.remote_port = UInt16(5000 + port)
      return Session(copying: description, name: "other")
    }
    for session in others { decoding.decode([Example.template(Example.fixed)], of: session) }
    #expect(decoding.counts.evictedTemplates > 0 && decoding.sessionDecoder.counts == ended)
  }

  /// Sources that each say much that is worth a line in the log, more of them than the memory is for.
  @Test func whatHasBeenSaidGivesWayAsWell() {
    var limits = DecoderLimits()
    limits.totalBytes = 1 << 18
    let healthy = Decoding(FLOWCEP_TRANSPORT_UDP, limits: limits)
    healthy.decode(Example.template(Example.fixed))
    let seconds = CostTests.processorTime()
    let sessions = (0..<400).map { number in
      var description = flowcep_session()
      (description.transport, description.remote_port) = (UInt16(FLOWCEP_TRANSPORT_UDP), 4000)
      withUnsafeMutableBytes(of: &description.remote_address) { ($0[14], $0[15]) = (UInt8(number / 256), UInt8(number % 256)) }
      return Session(copying: description, name: "flood")
    }
    for round in 0..<3 {
      for session in sessions {
        let fields = (0..<40).map { TemplateRecord.Field(enterprise: 99, element: UInt16(round * 40 + $0), length: 1) }
        healthy.decode([Example.template(TemplateRecord(id: 300, fields: fields))], of: session)
      }
      #expect(healthy.decoder.rememberedBytes <= limits.totalBytes)
    }
    #expect(CostTests.processorTime() - seconds < 10)
    withExtendedLifetime(sessions) {}
  }

  @Test func fieldsWithoutLengthAreBounded() {
    let fields = [TemplateRecord.Field(element: 4, length: 1)] + Array(repeating: TemplateRecord.Field(element: 5, length: 0), count: 100)
    let decoding = decoding()
    decoding.decode(Example.template(TemplateRecord(id: 256, fields: fields)))
    #expect(decoding.counts[.badTemplate] == 1)
    #expect(decoding.decode(Example.message()).count == 6)
  }

  @Test func redefinitionInMidMessage() {
    var encoder = MessageEncoder(observationDomain: 7, maximumLength: 65535)
    encoder.add(Example.fixed)
    encoder.addRecord(template: 256, Example.fixedRecord)
    encoder.add(TemplateRecord(id: 256, fields: [.init(element: 12, length: 4), .init(element: 1, length: 4)]))
    encoder.addRecord(template: 256, Example.fixedRecord)
    encoder.add(Example.fixed)
    encoder.addRecord(template: 256, Example.fixedRecord)
    let records = decoding().decode(encoder.finish(exportTime: 100))
    #expect(records.map { $0.fields.count } == [3, 2, 3])
    #expect(records[1]["destinationIPv4Address"] == [192, 0, 2, 1])
    #expect(records[2] == records[0])
  }
}
