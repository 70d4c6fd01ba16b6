(func $attack (param $db i32) (unreachable))
