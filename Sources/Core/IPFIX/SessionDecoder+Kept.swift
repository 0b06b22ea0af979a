import RecordBatch

// Templates that outlive the collector: what a session keeps, and what it begins with.
extension SessionDecoder {
  /// Every template as it was defined, for a later session of the same exporter.
  func archived() -> [TemplateArchive.Entry] {
    domains.values.sorted { ($0.key.version, $0.id) < ($1.key.version, $1.id) }.flatMap { domain in
      domain.key.version == Wire.version5
        ? []
        : domain.templates.all.map { slot in
          // What has no life time is valid as long as its session, which is until now.
          let since = slot.pointee.isRestored || hasLifetime(slot) ? slot.pointee.definedAt : now
          return TemplateArchive.Entry(domain: domain.key, definition: slot.pointee.definition, seconds: since / 1_000_000_000)
        }
    }
  }

  /// The first message has not come yet: what the exporter defined before the collector's start is put back. Of an exporter whose port was not
  /// there, what was defined at other ports of its address is at hand where data needs it.
  func restore(_ templates: KeptTemplates, port: UInt16) {
    if let own = templates.entries(of: port) {
      for entry in own { if let domain = domain(entry.domain.version, entry.domain.id) { putBack(entry, in: domain) } }
      if templateCount > 0 { note(.restored(templates: templateCount)) }
    } else if templates.absentCount > 0 {
      kept = templates
    }
  }

  /// The template of that id; where there is none, one that another port of the address defined may be it.
  func templateOrKept(_ id: UInt16, in domain: Domain) -> TemplateTable.Slot? {
    if let slot = domain.templates[id] { return slot }
    guard let kept, !domain.hasBegunAnew, let entry = kept.entry(domain.key, id), domain.putBackBefore.insert(id).inserted else {
      return nil
    }
    putBack(entry, in: domain)
    note(.restoredOfAddress)
    return domain.templates[id]
  }

  private func putBack(_ entry: TemplateArchive.Entry, in domain: Domain) {
    let definition = entry.definition
    guard domain.templates[definition.id] == nil, hasRoom(for: definition, in: domain) else { return }
    templateCount += 1
    fieldCount += definition.fields.count
    var slot = slot(definition, domain)
    (slot.definedAt, slot.definedIn, slot.isRestored) = (entry.seconds * 1_000_000_000, 0, true)
    put(slot, in: domain)
    domain.hasRestored = true
  }

  /// The exporter has begun anew: what an earlier session of it defined says nothing any more.
  func forgetRestored(in domain: Domain) {
    domain.hasBegunAnew = true
    guard domain.hasRestored else { return }
    domain.hasRestored = false
    for slot in domain.templates.all where slot.pointee.isRestored { _ = forget(slot.pointee.definition.id, in: domain) }
  }
}
