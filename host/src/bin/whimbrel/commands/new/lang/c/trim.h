#ifndef TRIM_H
#define TRIM_H

#include "whimbrel/whimbrel.h"

/* Returns the text without spaces around it. */
wh_slice trim(wh_slice text);

#endif
