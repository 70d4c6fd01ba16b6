#include "trim.h"

wh_slice trim(wh_slice text) {
    while (text.length && text.at[0] == ' ') text.at++, text.length--;
    while (text.length && text.at[text.length - 1] == ' ') text.length--;
    return text;
}
