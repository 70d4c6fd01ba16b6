(func $attack (param $db i32) (drop (memory.grow (i32.const 65000))))
