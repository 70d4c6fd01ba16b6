// Outside a component, for unit tests.
export function write(level, message) {
  console.error(`${level}: ${message}`);
}

export function progress() {}
