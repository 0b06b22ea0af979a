internal import PluginABI

/// Which step writes a field: its type, its length and the options decide, once per template.
struct StepChoice {
  let options: RecordJSONOptions
  let isDetection: Bool

  func kind(of field: flowcep_field) -> StepKind {
    let isVariable = UInt32(field.length) == FLOWCEP_VARIABLE_LENGTH
    if !isDetection, let special = special(field) { return special }
    switch Int(field.type) {
    case FLOWCEP_UNSIGNED8, FLOWCEP_UNSIGNED16, FLOWCEP_UNSIGNED32, FLOWCEP_UNSIGNED64: return unsigned(field)
    case FLOWCEP_SIGNED8, FLOWCEP_SIGNED16, FLOWCEP_SIGNED32, FLOWCEP_SIGNED64: return isVariable || field.length <= 8 ? .signed : .hex
    case FLOWCEP_FLOAT32, FLOWCEP_FLOAT64: return field.length == 4 ? .float32 : field.length == 8 ? .float64 : .hex
    case FLOWCEP_BOOLEAN: return field.length == 1 ? .boolean : .hex
    case FLOWCEP_MAC_ADDRESS: return field.length == 6 ? .mac : .hex
    case FLOWCEP_IPV4_ADDRESS: return field.length == 4 ? .ipv4 : .hex
    case FLOWCEP_IPV6_ADDRESS: return field.length == 16 ? .ipv6 : .hex
    case FLOWCEP_STRING: return isDetection && field.flags & UInt16(FLOWCEP_FIELD_JSON) != 0 ? .json : .string
    case FLOWCEP_DATE_TIME_SECONDS, FLOWCEP_DATE_TIME_MILLISECONDS: return date(field)
    case FLOWCEP_DATE_TIME_MICROSECONDS, FLOWCEP_DATE_TIME_NANOSECONDS: return field.length == 8 ? date(field) : .hex
    case FLOWCEP_BASIC_LIST, FLOWCEP_SUB_TEMPLATE_LIST, FLOWCEP_SUB_TEMPLATE_MULTI_LIST: return isDetection ? .hex : .list
    default: return isDetection || ![1, 2, 4, 8].contains(field.length) ? .hex : .decimalText
    }
  }

  /// The two elements that have forms of their own.
  private func special(_ field: flowcep_field) -> StepKind? {
    let isReverse = field.flags & UInt16(FLOWCEP_FIELD_REVERSE) != 0
    guard field.enterprise == 0 || isReverse, field.flags & UInt16(FLOWCEP_FIELD_KNOWN) != 0 else { return nil }
    if field.element == 6, options.formatsTCPFlags, (1...8).contains(field.length) { return .tcpFlags }
    if field.element == 4, options.namesProtocols, field.length == 1 { return .protocolName }
    return nil
  }

  private func unsigned(_ field: flowcep_field) -> StepKind {
    switch UInt32(field.length) {
    case 1: .unsigned8
    case 2: .unsigned16
    case 4: .unsigned32
    case 8: .unsigned64
    case 0...8, FLOWCEP_VARIABLE_LENGTH: .unsigned
    default: .hex
    }
  }

  private func date(_ field: flowcep_field) -> StepKind {
    if isDetection { return field.length <= 8 ? .utcTime : .hex }
    switch options.timestamp {
    case .formatted: return field.length <= 8 ? .localTime : .hex
    case .iso8601: return field.length <= 8 ? .utcTime : .hex
    case .plain: break
    }
    switch Int(field.type) {
    case FLOWCEP_DATE_TIME_MICROSECONDS: return .microseconds
    case FLOWCEP_DATE_TIME_NANOSECONDS: return .nanoseconds
    default: return unsigned(field)
    }
  }
}
