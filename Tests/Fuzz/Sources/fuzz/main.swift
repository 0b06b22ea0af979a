import CLibFuzzer
import Glibc

// fuzz <target> [libFuzzer's arguments]: the target's name is taken away, the rest is libFuzzer's.
let usage = "usage: fuzz ipfix|netflow9|netflow5|lists|framer|configuration|json [corpus folder] [-max_total_time=60 …]\n"
guard CommandLine.argc > 1, let name = CommandLine.arguments.dropFirst().first, let chosen = Target(rawValue: name) else {
  write(STDERR_FILENO, usage, usage.utf8.count)
  exit(2)
}
Target.chosen = chosen
var arguments = CommandLine.unsafeArgv
var count = CommandLine.argc - 1
var rest: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = arguments + 1
rest?.pointee = arguments[0]
exit(
  LLVMFuzzerRunDriver(&count, &rest) { bytes, size in
    Target.run(UnsafeRawBufferPointer(start: bytes, count: size))
    return 0
  })
