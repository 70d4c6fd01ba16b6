// Inside a component: the host's log.
export { progress, write } from "whimbrel:migration/log";
