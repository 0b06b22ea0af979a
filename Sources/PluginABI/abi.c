#include "flowcep/flowcep_plugin.h"
