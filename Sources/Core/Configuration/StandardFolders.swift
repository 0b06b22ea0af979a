public import Glibc

/// Folders that the system sets aside for a program's own files, for root and for everybody else. A path of the configuration
/// names one by `$STATE/` or `$RUNTIME/`.
public enum StandardFolders {
  /// What outlives the program: systemd's StateDirectory, root's /var/lib/flowcep, else `flowcep` in the user's state folder.
  public static var state: String {
    if let given = given("STATE_DIRECTORY") { return given }
    if geteuid() == 0 { return "/var/lib/flowcep" }
    if let folder = variable("XDG_STATE_HOME") { return folder + "/flowcep" }
    return variable("HOME").map { $0 + "/.local/state/flowcep" } ?? temporary
  }

  /// What ends with the program: systemd's RuntimeDirectory, root's /run/flowcep, else `flowcep` in the user's runtime folder.
  public static var runtime: String {
    if let given = given("RUNTIME_DIRECTORY") { return given }
    if geteuid() == 0 { return "/run/flowcep" }
    return variable("XDG_RUNTIME_DIR").map { $0 + "/flowcep" } ?? temporary
  }

  private static var temporary: String { "/tmp/flowcep-\(geteuid())" }

  static func expand(_ path: String) -> String {
    for (word, folder) in [("$STATE/", state), ("$RUNTIME/", runtime)] where path.hasPrefix(word) {
      return folder + "/" + path.dropFirst(word.count)
    }
    return path
  }

  /// Before root becomes another user: that user may write to the state folder, where it is made now.
  public static func giveState(to uid: uid_t, _ gid: gid_t) {
    if mkdir(state, 0o750) == 0 { chown(state, uid, gid) }
  }

  private static func variable(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }.flatMap { $0.hasPrefix("/") ? $0 : nil }
  }

  /// systemd gives a list of folders, separated by colons.
  private static func given(_ name: String) -> String? {
    variable(name).map { String($0.split(separator: ":")[0]) }
  }
}
