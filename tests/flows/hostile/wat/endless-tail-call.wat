(func $attack (param $db i32) (return_call $attack (local.get $db)))
