#include <libxml/xmlversion.h>
// encoding.h would bring ICU's headers in, which contradict those of Swift's Foundation. What they add is one field at the end
// of a struct that nobody here makes or copies.
#undef LIBXML_ICU_ENABLED
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xmlerror.h>
