import PluginABI
import RecordBatch

// Templates: defined, replaced, withdrawn, forgotten.
extension SessionDecoder {
  func define(_ record: TemplateRecord, in domain: Domain) {
    if record.fields.isEmpty { return withdraw(record, in: domain) }
    guard record.fields.count <= limits.fieldsPerTemplate else { return leaveOut(.tooManyFields) }
    if let old = domain.templates[record.id] {
      if old.pointee.definition == record {
        old.pointee.definedAt = now
        old.pointee.definedIn = messageNumber
        old.pointee.isRestored = false
        return
      }
      guard fieldCount + record.fields.count - old.pointee.definition.fields.count <= limits.fields else {
        return leaveOut(.tooManyTemplates)
      }
      if !old.pointee.isRestored { pending.redefinitions += 1 }
      if !isUDP { note(.redefinition(domain: domain.id, id: record.id)) }
      fieldCount -= old.pointee.definition.fields.count
    } else {
      guard hasRoom(for: record, in: domain) else { return leaveOut(.tooManyTemplates) }
      templateCount += 1
    }
    fieldCount += record.fields.count
    let slot = slot(record, domain)
    put(slot, in: domain)
    pending.templates += 1
    note(.firstTemplate(domain: domain.id, id: record.id))
    for field in slot.template.view.fields where UInt32(field.flags) & UInt32(FLOWCEP_FIELD_KNOWN) == 0 {
      note(.unknownElement(enterprise: field.enterprise, id: field.element))
    }
    if !waiting.isEmpty { ready.append((domain, record.id)) }
  }

  func put(_ slot: TemplateSlot, in domain: Domain) {
    let pages = domain.templates.pageCount
    domain.templates.set(slot)
    pageCount += domain.templates.pageCount - pages
    hasNewDefinitions = true
  }

  /// Whether one more template is within the limits.
  func hasRoom(for record: TemplateRecord, in domain: Domain) -> Bool {
    record.fields.count <= limits.fieldsPerTemplate && templateCount < limits.templates
      && domain.templates.count < limits.templatesPerDomain && fieldCount + record.fields.count <= limits.fields
  }

  func slot(_ record: TemplateRecord, _ domain: Domain) -> TemplateSlot {
    let isVersion5 = domain.key.version == Wire.version5
    let fields = isVersion5 ? NetFlow5.described(with: registry) : record.described(with: registry, described)
    let template = isVersion5 ? NetFlow5.resolved(fields) : record.template(fields)
    let extras = SlotExtras(
      hasLists: fields.contains { $0.type >= UInt16(FLOWCEP_BASIC_LIST) },
      hasFacts: record.isOptions && OptionsRecord.matters(record),
      transform: record.isOptions || options == DecoderOptions() ? nil : RecordTransform(template, fields, options, registry))
    return TemplateSlot(
      template, record, extras: extras, generation: described.generation, definedAt: now,
      definedIn: messageNumber)
  }

  /// The exporter has described elements since: the template may have names now that it had not.
  func resolveAnew(_ id: UInt16, in domain: Domain) {
    guard let old = domain.templates[id] else { return }
    let cost = old.pointee.definition.fields.count * 4
    guard resolveCredit >= cost else { return }
    resolveCredit -= cost
    var slot = slot(old.pointee.definition, domain)
    slot.definedAt = old.pointee.definedAt
    slot.definedIn = old.pointee.definedIn
    slot.isRestored = old.pointee.isRestored
    domain.templates.set(slot)
  }

  /// RFC 7011 §8.4: over UDP a definition that is not repeated is no longer valid.
  func isExpired(_ slot: TemplateTable.Slot) -> Bool {
    let isOptions = slot.pointee.isOptions
    if let most = isOptions ? options.optionsTemplateLifetimeMessages : options.templateLifetimeMessages,
      messageNumber - slot.pointee.definedIn > most
    {
      return true
    }
    var lifetime = isOptions ? options.optionsTemplateLifetimeSeconds : options.templateLifetimeSeconds
    if slot.pointee.isRestored { lifetime = lifetime ?? TemplateArchive.lifetimeSeconds }
    guard let lifetime else { return false }
    return now > slot.pointee.definedAt && (now - slot.pointee.definedAt) / 1_000_000_000 > lifetime
  }

  /// Whether the configuration says how long a definition like this one is valid.
  func hasLifetime(_ slot: TemplateTable.Slot) -> Bool {
    guard isUDP else { return false }
    return slot.pointee.isOptions
      ? options.optionsTemplateLifetimeSeconds != nil || options.optionsTemplateLifetimeMessages != nil
      : options.templateLifetimeSeconds != nil || options.templateLifetimeMessages != nil
  }

  /// Whether a data set can be of a template that nobody has confirmed: records fill it but for padding.
  func fits(_ set: SetBody, _ slot: TemplateTable.Slot, _ message: UnsafeRawPointer) -> Bool {
    var rest = UnsafeRawBufferPointer(start: message + set.start, count: set.end - set.start)
    let template = UnsafePointer(slot.pointee.template.raw)
    while let length = recordLength(template, rest) { rest = UnsafeRawBufferPointer(rebasing: rest[length...]) }
    return rest.count < 4 && rest.allSatisfy { $0 == 0 }
  }

  func forget(_ id: UInt16, in domain: Domain) -> Bool {
    guard let slot = domain.templates[id] else { return false }
    hasNewDefinitions = true
    fieldCount -= slot.pointee.definition.fields.count
    templateCount -= 1
    pageCount -= domain.templates.pageCount
    defer { pageCount += domain.templates.pageCount }
    return domain.templates.remove(id)
  }

  /// RFC 7011 §8.1: one template, or by the set's own id all templates of a kind. Over UDP it is ignored.
  func withdraw(_ record: TemplateRecord, in domain: Domain) {
    var removed = 0
    if !isUDP {
      if record.id == record.setID {
        for id in domain.templates.ids(options: record.isOptions) where forget(id, in: domain) { removed += 1 }
      } else {
        removed = forget(record.id, in: domain) ? 1 : 0
      }
    }
    if removed > 0 { pending.withdrawals += UInt64(removed) } else { pending.ignoredWithdrawals += 1 }
  }
}
