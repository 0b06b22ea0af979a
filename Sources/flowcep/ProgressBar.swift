import Glibc

/// A line on standard error that grows with the work done; silent where standard error is no terminal.
struct ProgressBar {
  private let total: Int
  private let unit: String
  private let shown: Bool
  private var percent = -1

  init(total: Int, unit: String) {
    self.total = max(1, total)
    self.unit = unit
    shown = isatty(STDERR_FILENO) == 1
  }

  mutating func update(_ done: Int) {
    guard shown else { return }
    let now = min(100, done * 100 / total)
    guard now != percent else { return }
    percent = now
    let full = now * 30 / 100
    let bar = String(repeating: "█", count: full) + String(repeating: "░", count: 30 - full)
    write("\r\(bar) \(now) % (\(min(done, total)) of \(total) \(unit))")
  }

  /// Clears the line, so that what is printed next stands alone.
  func finish() {
    if shown { write("\r\u{1B}[K") }
  }

  private func write(_ text: String) {
    _ = Array(text.utf8).withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }
}
