(func $fail (unreachable))
(start $fail)
(func $attack (param $db i32))
