import PluginABI
public import PluginKit
public import SecureTransport

/// The `transportLayerSecurity` element of an input that listens: its option rows, what they say, and what is wrong with them.
public enum TransportSecurity {
  public static let element = "transportLayerSecurity"

  /// - Parameter protocols: what the element turns on, for its help.
  public static func option(_ protocols: String) -> Option {
    .group(
      element, help: "\(protocols), with certificates on both sides (RFC 7011 §11).",
      members: [
        .path(
          "localCAfile", mustExist: true,
          help: "Certificates (PEM) of those who vouch for exporters; /etc/ssl/private/ca.crt without it and remoteFingerprint."),
        .path(
          "localServerCert", default: "/etc/ssl/certs/collector.crt", mustExist: true,
          help: "The collector's certificate, and those that lead to its authority (PEM)."),
        .path(
          "localServerCertKey", default: "/etc/ssl/private/collector.key", secret: true, mustExist: true, help: "Its private key (PEM)."),
        .text("remoteSubjectFQDN", repeated: true, help: "Names that an exporter's certificate may be of; without any, every name."),
        .text(
          "remoteFingerprint", repeated: true,
          help: "SHA-256 fingerprints that an exporter's certificate may have; without any, every one that is vouched for."),
        .duration(
          "handshakeTimeout", default: "10 s", unit: "s", range: "1 s..10 min", help: "How long an exporter may take for its handshake."),
        .integer("maximumHandshakes", default: 256, range: 1...100_000, help: "How many handshakes may be under way at once."),
      ])
  }

  /// The context that the options ask for; nil where they ask for none. Reports what is wrong, with its place, and throws.
  public static func context(_ host: Host, _ options: Options, isDatagrams: Bool) throws(PluginError) -> SecureContext? {
    guard let group = options.group(element) else { return nil }
    let settings = try settings(host, group)
    do throws(SecureFailure) {
      return try SecureContext(.server, isDatagrams: isDatagrams, settings)
    } catch {
      throw report(host, group, option(of: error.part), error.description)
    }
  }

  /// What `check` asks: opens no socket.
  public static func validate(_ host: Host, _ options: Options, isDatagrams: Bool) throws(PluginError) {
    guard let context = try context(host, options, isDatagrams: isDatagrams), let group = options.group(element) else { return }
    for warning in context.warnings { _ = report(host, group, "localServerCert", warning, isError: false) }
  }

  private static func settings(_ host: Host, _ group: Options) throws(PluginError) -> SecureSettings {
    var settings = SecureSettings()
    settings.certificate = group.text("localServerCert")
    settings.key = group.text("localServerCertKey")
    settings.names = group.texts("remoteSubjectFQDN")
    for (index, text) in group.texts("remoteFingerprint").enumerated() {
      guard let fingerprint = Fingerprint(text) else {
        throw report(
          host, group, "remoteFingerprint", "\"remoteFingerprint\": expected the 64 digits of a SHA-256 fingerprint, found \"\(text)\"",
          at: index)
      }
      settings.fingerprints.append(fingerprint)
    }
    settings.authorities = group.text("localCAfile") ?? (settings.fingerprints.isEmpty ? "/etc/ssl/private/ca.crt" : nil)
    if settings.authorities == nil, !settings.names.isEmpty {
      throw report(host, group, "remoteSubjectFQDN", "a name says nothing where nobody vouches for it: \"localCAfile\" is missing")
    }
    return settings
  }

  private static func option(of part: SecureFailure.Part) -> String {
    switch part {
    case .authorities: "localCAfile"
    case .certificate, .library: "localServerCert"
    case .key: "localServerCertKey"
    }
  }

  private static func report(
    _ host: Host, _ group: Options, _ option: String, _ message: String, at index: Int = 0, isError: Bool = true
  ) -> PluginError {
    let place = group.place(option, at: index)
    host.report(
      error: message, file: place?.file, line: place?.line ?? 0, column: place?.column ?? 0,
      severity: UInt32(isError ? FLOWCEP_SEVERITY_ERROR : FLOWCEP_SEVERITY_WARNING))
    return PluginError(message)
  }
}
