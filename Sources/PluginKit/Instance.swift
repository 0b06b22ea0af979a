import PluginABI
import RecordBatch

/// Joins the C struct of an instance to the Swift object behind it. Errors become a status and a message here, and nowhere else.
private final class InstanceBox {
  let role: Role
  let host: Host

  init(_ role: Role, _ host: Host) {
    self.role = role
    self.host = host
  }
}

func makeInstance(_ role: Role, _ host: Host) -> UnsafeMutablePointer<flowcep_instance> {
  let instance = UnsafeMutablePointer<flowcep_instance>.allocate(capacity: 1)
  instance.initialize(to: flowcep_instance())
  instance.pointee.struct_size = UInt32(MemoryLayout<flowcep_instance>.size)
  instance.pointee.instance_data = Unmanaged.passRetained(InstanceBox(role, host)).toOpaque()
  instance.pointee.destroy = destroy
  instance.pointee.start = start
  instance.pointee.stop = stop
  switch role {
  case .input: instance.pointee.poll = poll
  case .intermediate: instance.pointee.process = process
  case .output:
    instance.pointee.process = process
    instance.pointee.idle = idle
  }
  return instance
}

private typealias Instance = UnsafeMutablePointer<flowcep_instance>

private func box(_ instance: Instance?) -> InstanceBox? {
  instance?.pointee.instance_data.map { Unmanaged<InstanceBox>.fromOpaque($0).takeUnretainedValue() }
}

/// Runs a call into the plugin; a thrown error becomes a status and a message.
private func attempt(_ instance: Instance?, _ body: (Role) throws(PluginError) -> flowcep_status) -> flowcep_status {
  guard let box = box(instance) else { return flowcep_status(FLOWCEP_FAILED) }
  do throws(PluginError) {
    return try body(box.role)
  } catch {
    box.host.raw.pointee.set_error(box.host.raw, error.message)
    return flowcep_status(FLOWCEP_FAILED)
  }
}

private func destroy(_ instance: Instance?) {
  guard let instance else { return }
  if let data = instance.pointee.instance_data { Unmanaged<InstanceBox>.fromOpaque(data).release() }
  instance.deallocate()
}

private func start(_ instance: Instance?) -> flowcep_status {
  attempt(instance) { role throws(PluginError) in
    switch role {
    case .input(let input): try input.start()
    case .intermediate(let intermediate): try intermediate.start()
    case .output(let output): try output.start()
    }
    return FLOWCEP_OK_STATUS
  }
}

private func stop(_ instance: Instance?) {
  switch box(instance)?.role {
  case .input(let input): input.stop()
  case .intermediate(let intermediate): intermediate.stop()
  case .output(let output): output.stop()
  case nil: break
  }
}

private func poll(_ instance: Instance?, _ timeout: UInt32) -> flowcep_status {
  attempt(instance) { role throws(PluginError) in
    guard case .input(let input) = role else { return flowcep_status(FLOWCEP_FAILED) }
    return try input.poll(timeoutMilliseconds: Int(timeout)) ? FLOWCEP_OK_STATUS : flowcep_status(FLOWCEP_END)
  }
}

private func process(_ instance: Instance?, _ raw: UnsafePointer<flowcep_batch>?) -> flowcep_status {
  attempt(instance) { role throws(PluginError) in
    guard let raw else { return flowcep_status(FLOWCEP_FAILED) }
    let batch = Batch(raw)
    let isRecords = batch.kind == .records
    switch role {
    case .input: return flowcep_status(FLOWCEP_FAILED)
    case .intermediate(let intermediate):
      if isRecords { try intermediate.process(batch) } else { try intermediate.handle(batch) }
    case .output(let output):
      if isRecords { try output.process(batch) } else { try output.handle(batch) }
    }
    return FLOWCEP_OK_STATUS
  }
}

private func idle(_ instance: Instance?) -> flowcep_status {
  attempt(instance) { role throws(PluginError) in
    if case .output(let output) = role { try output.idle() }
    return FLOWCEP_OK_STATUS
  }
}
