import PluginABI
import RecordBatch

// Templates: defined, replaced, withdrawn.
extension SessionDecoder {
  func define(_ record: TemplateRecord, in domain: Domain) {
    if record.fields.isEmpty { return withdraw(record, in: domain) }
    guard record.fields.count <= limits.fieldsPerTemplate else { return leaveOut(.tooManyFields) }
    if let old = domain.templates[record.id] {
      if old.pointee.definition == record { return }
      pending.redefinitions += 1
      if !isUDP { note(.redefinition(domain: domain.id, id: record.id)) }
    } else {
      guard templateCount < limits.templates else { return leaveOut(.tooManyTemplates) }
      templateCount += 1
    }
    let template = domain.key.version == Wire.version5 ? NetFlow5.resolved(with: registry) : record.resolved(with: registry)
    domain.templates.set(TemplateSlot(template, record))
    pending.templates += 1
    note(.firstTemplate(domain: domain.id, id: record.id))
    for field in template.view.fields where UInt32(field.flags) & UInt32(FLOWCEP_FIELD_KNOWN) == 0 {
      note(.unknownElement(enterprise: field.enterprise, id: field.element))
    }
  }

  /// RFC 7011 §8.1: one template, or by the set's own id all templates of a kind. Over UDP it is ignored.
  func withdraw(_ record: TemplateRecord, in domain: Domain) {
    var removed = 0
    if !isUDP {
      if record.id == record.setID {
        removed = domain.templates.removeAll(options: record.isOptions)
      } else {
        removed = domain.templates.remove(record.id) ? 1 : 0
      }
    }
    templateCount -= removed
    if removed > 0 { pending.withdrawals += UInt64(removed) } else { pending.ignoredWithdrawals += 1 }
  }
}
