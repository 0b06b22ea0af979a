#include "flowcep/flowcep_plugin.h"
#include "flowcep/flowcep_functions.h"
