import ArgumentParser
import Glibc

/// Files that a command reads whole.
enum InputFiles {
  static func read(_ path: String) throws -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure(path) }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = Glibc.read(descriptor, &buffer, buffer.count)
      if count < 0 {
        if errno == EINTR { continue }
        throw failure(path)
      }
      if count == 0 { return bytes }
      bytes += buffer[..<count]
    }
  }

  /// The files among some paths, and in the folders among them those of a suffix, at any depth, by name.
  static func below(_ paths: [String], suffix: String) throws -> [String] {
    var files: [String] = []
    for path in paths {
      var status = stat()
      guard stat(path, &status) == 0 else { throw failure(path) }
      if status.st_mode & S_IFMT == S_IFDIR {
        files += try below(try names(in: path).filter { isFolder($0) || $0.hasSuffix(suffix) }, suffix: suffix)
      } else {
        files.append(path)
      }
    }
    return files
  }

  private static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  private static func names(in folder: String) throws -> [String] {
    guard let directory = opendir(folder) else { throw failure(folder) }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if !name.hasPrefix(".") { names.append(folder.hasSuffix("/") ? folder + name : folder + "/" + name) }
    }
    return names.sorted()
  }

  private static func failure(_ path: String) -> ExitCode {
    writeError("\(path): error: \(String(cString: strerror(errno)))\n")
    return ExitCode.usage
  }
}
