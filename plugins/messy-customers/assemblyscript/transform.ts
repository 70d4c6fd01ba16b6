// The same as a transform: the host reads and writes.
import { transform } from "../../../guest-sdk/assemblyscript/assembly/host";
import { mend } from "./mend";

export { abort, cabi_realloc } from "../../../guest-sdk/assemblyscript/assembly/host";

export function apply(from: usize): usize {
  return transform(mend, from);
}
