import { migration } from "@whimbrel/guest";

function explode(list) {
  return list.nothing.more;
}

export const up = migration((tx) => {
  tx.execute("UPDATE person SET first_name = 'gone'");
  explode({});
});
