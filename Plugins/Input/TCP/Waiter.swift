import CLinux
import Glibc

/// Which descriptors have something to read, or room to write (epoll, level-triggered).
final class Waiter {
  private let descriptor: Int32
  private var events = [epoll_event](repeating: epoll_event(), count: 256)

  /// Nil where the system gives none; errno says why.
  init?() {
    descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
    if descriptor < 0 { return nil }
  }

  deinit { close(descriptor) }

  func add(_ other: Int32) {
    var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(fd: other))
    epoll_ctl(descriptor, EPOLL_CTL_ADD, other, &event)
  }

  /// A descriptor that is closed goes by itself.
  func remove(_ other: Int32) {
    var event = epoll_event()
    epoll_ctl(descriptor, EPOLL_CTL_DEL, other, &event)
  }

  /// What a descriptor is waited for.
  func watch(_ other: Int32, forWriting: Bool) {
    var event = epoll_event(events: (forWriting ? EPOLLOUT : EPOLLIN).rawValue, data: epoll_data_t(fd: other))
    epoll_ctl(descriptor, EPOLL_CTL_MOD, other, &event)
  }

  func wait(milliseconds: Int) -> [Int32] {
    let count = epoll_wait(descriptor, &events, Int32(events.count), Int32(clamping: milliseconds))
    return count > 0 ? events[..<Int(count)].map(\.data.fd) : []
  }
}
