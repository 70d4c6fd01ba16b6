// QuickJS as it is published, and what this engine adds to it, in one piece: a field that is called otherwise in another
// version does not compile.
#include "instead.h"
#include "quickjs.c"
#include "inside.c"
#include "instead.c"
#include "errors.c"
#include "places.c"
#include "memcpy.c"
